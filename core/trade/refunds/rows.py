"""Refunds as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money
from core.system.store import Queries, Tx
from core.trade.orders import Attempt, Order, lock_order, named

_REFUND: Final = "SELECT * FROM refund WHERE merchant_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of an order that goes back to its payer.

    state: see `core.trade.refunds.lifecycle`. attempt_no: whose supplier is to give the money back,
    whatever becomes of the order meanwhile. refund_no: the merchant's number; sent_no: ours at the
    supplier; upstream_refund_no: the supplier's own. fee_back_minor: what we give back of our fee;
    the merchant bears the rest of the amount. cost_back_minor: what the supplier gave back of its
    cost, known when it succeeded. late: it had failed before it did. sends: calls that were to make
    it; sent_again: one after a doubt, since when a no proves nothing. asked: how often since it was
    last known better. said: by the supplier, last. told_at: since when staff know that only a
    person gets it on.
    """

    merchant_id: UUID
    id: UUID
    order_id: UUID
    order_no: str
    attempt_no: str
    refund_no: str
    sent_no: str
    amount: Money
    fee_returned: bool
    fee_back_minor: int
    state: str
    actor: str
    at: datetime
    reserve_event_id: UUID | None = None
    upstream_refund_no: str | None = None
    cost_returned: bool = False
    cost_back_minor: int = 0
    why: str = ""
    late: bool = False
    sends: int = 0
    sent_again: bool = False
    asked: int = 0
    not_found_at: datetime | None = None
    said: str = ""
    told_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class LockedRefund:
    """A refund under its order's lock, which every change of it holds."""

    refund: Refund
    order: Order
    attempts: list[Attempt]

    @property
    def attempt(self) -> Attempt:
        return named(self.attempts, self.refund.attempt_no)


async def get_refund(queries: Queries, merchant_id: UUID, refund_id: UUID) -> Refund:
    """One refund by its id. Refusals: record_not_found."""
    row = await queries.fetchrow(_REFUND, merchant_id, refund_id)
    if row is None:
        raise Refusal("record_not_found")
    return read_refund(row)


async def lock_refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> LockedRefund:
    """Lock a refund, with its order. Refusals: record_not_found."""
    order_id = (await get_refund(tx, merchant_id, refund_id)).order_id
    order, attempts = await lock_order(tx, merchant_id, order_id)
    row = await tx.fetchrow(_REFUND, merchant_id, refund_id)
    if row is None:
        raise Bug(f"the refund {refund_id} is gone")
    return LockedRefund(read_refund(row), order, attempts)


async def refunds_of(tx: Tx, order: Order) -> list[Refund]:
    """All refunds of an order, whatever became of them; the oldest first."""
    rows = await tx.fetch(
        "SELECT * FROM refund WHERE merchant_id = $1 AND order_id = $2 ORDER BY id",
        order.merchant_id,
        order.id,
    )
    return [read_refund(row) for row in rows]


def counted(refunds: Sequence[Refund]) -> list[Refund]:
    """The refunds that take from what can go back: those that did not fail."""
    return [refund for refund in refunds if refund.state != "failed"]


def sum_minor(refunds: Sequence[Refund]) -> int:
    """What refunds come to together."""
    return sum(refund.amount.minor for refund in refunds)


def read_refund(row: asyncpg.Record) -> Refund:
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Refund(**values, amount=Money(row["amount_minor"], row["currency"]))


_PLAIN: Final = tuple(name for name in Refund.__dataclass_fields__ if name != "amount")
