"""Refunds as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.money import Money
from core.orders import Order
from core.store import Tx


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of an order that goes back to its payer.

    state: reserved (on its way, however long its end is unknown) | succeeded | failed.
    attempt_no: whose supplier is to give the money back, whatever becomes of the order meanwhile.
    fee_back_minor: what we give back of our fee; the merchant bears the rest of the amount.
    cost_back_minor: what the supplier gave back of its cost, known when it succeeded.
    """

    merchant_id: UUID
    id: UUID
    order_id: UUID
    order_no: str
    attempt_no: str
    refund_no: str
    amount: Money
    fee_returned: bool
    fee_back_minor: int
    cost_returned: bool
    cost_back_minor: int
    state: str
    why: str
    reserve_event_id: UUID | None
    actor: str
    at: datetime
    ended_at: datetime | None

    @property
    def held_minor(self) -> int:
        """What the merchant bears."""
        return self.amount.minor - self.fee_back_minor


async def refunds_of(tx: Tx, order: Order) -> list[Refund]:
    """All refunds of an order, whatever became of them; the oldest first."""
    rows = await tx.fetch(
        "SELECT * FROM refund WHERE merchant_id = $1 AND order_id = $2 ORDER BY id",
        order.merchant_id,
        order.id,
    )
    return [read_refund(row) for row in rows]


def read_refund(row: asyncpg.Record) -> Refund:
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Refund(**values, amount=Money(row["amount_minor"], row["currency"]))


_PLAIN: Final = tuple(name for name in Refund.__dataclass_fields__ if name != "amount")
