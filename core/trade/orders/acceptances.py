"""Writes that suppliers accepted attempts: many merchants' together, each with its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.connectors import Pay
from core.kernel.errors import Bug
from core.kernel.ids import Ids
from core.system.batch import Batch
from core.system.store import Store
from core.trade.orders.lifecycle import attempt_states_for, order_states_for
from core.trade.orders.moves import FIRST_LOOK
from core.trade.orders.rows import Attempt, Order

_ACCEPT: Final = """
SELECT history_id, moved, order_version, upstream_no FROM accept_attempts($1, $2, $3, $4)
"""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A supplier accepted an attempt. upstream_no: its own number, where it said one."""

    upstream_no: str | None
    pay: Pay
    at: datetime
    request_id: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """history_id: of the row in the attempt's history, which names what is asked as well."""

    history_id: UUID
    order: Order
    attempt: Attempt
    accepted: Acceptance


class Acceptances:
    """Makes attempts payable and their orders pending, in one statement each time."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self._batch = Batch(self._together, self._alone)

    async def write(
        self, order: Order, attempt: Attempt, accepted: Acceptance
    ) -> tuple[Order, Attempt] | None:
        """Write one, together with others of the moment. Returns both as they are written; None
        where they did not both move: something else became of them meanwhile."""
        asked = _Asked(self._ids.uuid7(), order, attempt, accepted)
        written = await self._batch.write(asked)
        if not written["moved"]:
            return None
        return (
            replace(
                order,
                state="pending",
                version=written["order_version"],
                live_attempt_no=attempt.attempt_no,
            ),
            replace(
                attempt,
                state="accepted",
                upstream_no=written["upstream_no"],
                pay=accepted.pay,
                ask_at=accepted.at + FIRST_LOOK,
                said="",
            ),
        )

    async def _together(self, asked: Sequence[_Asked]) -> Sequence[asyncpg.Record | None]:
        """None: somebody holds that order or attempt, for whom the others do not wait."""
        written = await self._accept(asked, waits=False)
        return [written.get(one.history_id) for one in asked]

    async def _alone(self, asked: _Asked) -> asyncpg.Record:
        """One that a lost batch wrote is found as something that became of it meanwhile."""
        written = await self._accept([asked], waits=True)
        if asked.history_id not in written:
            raise Bug(f"{asked.attempt.attempt_no} was sent and is not there")
        return written[asked.history_id]

    async def _accept(self, asked: Sequence[_Asked], *, waits: bool) -> dict[UUID, asyncpg.Record]:
        rows = await self._store.fetch(
            _ACCEPT,
            [_row(one) for one in asked],
            attempt_states_for("accept"),
            order_states_for("accept"),
            waits,
        )
        return {row["history_id"]: row for row in rows}


def _row(asked: _Asked) -> dict[str, object]:
    order, attempt, accepted = asked.order, asked.attempt, asked.accepted
    return {
        "merchant_id": order.merchant_id,
        "order_id": order.id,
        "order_created_at": order.created_at,
        "attempt_no": attempt.attempt_no,
        "history_id": asked.history_id,
        "upstream_no": accepted.upstream_no,
        "pay_kind": accepted.pay.kind,
        "pay_value": accepted.pay.value,
        "at": accepted.at,
        "look_at": accepted.at + FIRST_LOOK,
        "actor": f"supplier:{attempt.supplier_no}",
        "facts": {"upstream_no": accepted.upstream_no, "request_id": accepted.request_id},
    }
