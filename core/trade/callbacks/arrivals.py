"""Callbacks as they arrive: whom they name is read, and they are written down, many at once.

Whoever calls waits for both, so each is one question for all that came meanwhile. What is just what
its order waits for is booked with the write, together with others of its merchant: one commit has
the callback and all that comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.connectors import Callback, Event
from core.kernel.errors import Bug
from core.kernel.ids import uuid7_time
from core.system.batch import Batch, Batches
from core.system.store import Queries, Store
from core.trade.callbacks.queue import pack_event, payment_of
from core.trade.orders import Attempt, FreshReport, Named, Payments, Waiting, find_waiting

# So many of one merchant's are booked at once.
MOST_OF_ONE: Final = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """A callback that is believed, about an attempt of ours. waiting: that, as it was read."""

    id: UUID
    waiting: Waiting
    event: Event
    callback: Callback
    at: datetime
    request_id: str

    @property
    def attempt(self) -> Attempt:
        return self.waiting.attempt

    @property
    def payment(self) -> FreshReport | None:
        """The payment that it tells of; None where the supplier is to be asked instead."""
        seen = payment_of(self.event, self.attempt.merchant_id, self.callback.address)
        if seen is None:
            return None
        return FreshReport(seen, self.request_id, self.waiting, _row(self), self.callback.body)


@dataclass(frozen=True, slots=True)
class Kept:
    """A callback that was written down. fresh: the same was not told before, at once or ever.
    waits: it is still to be acted on. doubted: one of its supplier's was refused, and none was
    believed since."""

    fresh: bool
    waits: bool
    doubted: bool


@dataclass(frozen=True, slots=True)
class _Money:
    """A callback that tells of a payment, and that."""

    arrival: Arrival
    payment: FreshReport


@dataclass(frozen=True, slots=True)
class _Found:
    """What a number names, if anything."""

    waiting: Waiting | None


class Arrivals:
    """Reads and writes for those who call at the moment, in one statement each."""

    def __init__(self, store: Store, payments: Payments) -> None:
        self._store = store
        self._payments = payments
        self._finds = Batch(self._find_together, self._find_alone)
        self._keeps = Batch(self._keep_together, self._keep_alone)
        self._books = Batches(self._book_together, self._keep_money, most=MOST_OF_ONE)

    async def find(self, merchant_id: UUID, attempt_no: str) -> Waiting | None:
        """An attempt by its number at the supplier, and its order."""
        return (await self._finds.write(Named(merchant_id, attempt_no))).waiting

    async def book(self, arrival: Arrival) -> Kept:
        """Write a callback down, and book the payment that it tells of where that is just what its
        order waits for; else as `keep`."""
        if (payment := arrival.payment) is None:
            return await self.keep(arrival)
        merchant_id, begins = arrival.attempt.merchant_id, self._store.finish_anyway()
        return await self._books.write(merchant_id, _Money(arrival, payment), begins=begins)

    async def keep(self, arrival: Arrival) -> Kept:
        """Write a callback down. A twin that waits is acted on now, and so is one that was given
        up: the supplier's trying again is as good as anybody's. Once the write begins, its caller's
        work comes to its end, though nobody waits for it."""
        return await self._keeps.write(arrival, begins=self._store.finish_anyway())

    async def _find_together(self, numbers: Sequence[Named]) -> Sequence[_Found]:
        return [_Found(waiting) for waiting in await find_waiting(self._store, numbers)]

    async def _find_alone(self, number: Named) -> _Found:
        (found,) = await self._find_together([number])
        return found

    async def _book_together(
        self, merchant_id: UUID, some: Sequence[_Money]
    ) -> Sequence[Kept | None]:
        """None: it is to be kept, and acted on by itself."""
        with self._store.called(by=merchant_id):
            booked = await self._payments.settle_arriving(
                merchant_id, [one.payment for one in some]
            )
        done = Kept(fresh=True, waits=False, doubted=booked.doubted)
        return [done if order is not None else None for order in booked.orders]

    async def _keep_money(self, money: _Money) -> Kept:
        return await self.keep(money.arrival)

    async def _keep_together(self, arrivals: Sequence[Arrival]) -> Sequence[Kept | None]:
        """None: the same is there already, and somebody may hold it. The others do not wait."""
        rows = await self._store.fetch(_KEEP_NEW, *_rows(arrivals))
        kept = {row["id"]: Kept(True, True, row["doubted"]) for row in rows}
        return [kept.get(arrival.id) for arrival in arrivals]

    async def _keep_alone(self, arrival: Arrival) -> Kept:
        return await keep(self._store, arrival)


async def keep(queries: Queries, arrival: Arrival) -> Kept:
    """Write one callback down, as `Arrivals.keep`. It waits for whoever holds its twin."""
    row: asyncpg.Record | None = await queries.fetchrow(_KEEP, *_rows([arrival]))
    if row is None:
        raise Bug(f"the callback about {arrival.attempt.attempt_no} was not written down")
    return Kept(row["id"] == arrival.id, row["state"] == "waiting", row["doubted"])


def _rows(arrivals: Sequence[Arrival]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """As the database takes them: rows, and their bodies, which are no text."""
    rows = [_row(one) | {"place": place} for place, one in enumerate(arrivals, start=1)]
    return rows, [one.callback.body for one in arrivals]


def _row(arrival: Arrival) -> dict[str, Any]:
    attempt, callback = arrival.attempt, arrival.callback
    return {
        "merchant_id": attempt.merchant_id,
        "id": arrival.id,
        "supplier_id": attempt.supplier_id,
        "attempt_no": attempt.attempt_no,
        "address": callback.address,
        "query": callback.query,
        "headers": dict(callback.headers),
        "event": pack_event(arrival.event),
        "at": arrival.at,
        "request_id": arrival.request_id,
        "order_created_at": uuid7_time(attempt.order_id),
    }


_ROWS: Final = """
INSERT INTO supplier_callback AS c (merchant_id, id, supplier_id, attempt_no, address, query,
    headers, body, event, due_at, request_id, received_at, order_created_at)
SELECT t.merchant_id, t.id, t.supplier_id, t.attempt_no, t.address, t.query, t.headers,
    ($2::bytea[])[t.place], t.event, t.at, t.request_id, t.at, t.order_created_at
FROM jsonb_to_recordset($1) AS t (place integer, merchant_id uuid, id uuid, supplier_id uuid,
    attempt_no text, address text, query text, headers jsonb, event jsonb, at timestamptz,
    request_id text, order_created_at timestamptz)
"""
_TOLD: Final = """
EXISTS (SELECT FROM callback_streak s WHERE s.supplier_id = c.supplier_id AND s.in_a_row > 0)
    AS doubted
"""
# A row that is there is looked for first: a conflict with it would wait for whoever holds it. One
# that is being written is not seen yet, and is waited for like any lock, LOCK_WAIT_S at most; then
# each is written alone.
_KEEP_NEW: Final = f"""{_ROWS}
LEFT JOIN LATERAL (
    SELECT true AS there FROM supplier_callback o
    WHERE o.merchant_id = t.merchant_id AND o.attempt_no = t.attempt_no AND o.event = t.event
      AND o.order_created_at = t.order_created_at LIMIT 1
) told ON true
WHERE told.there IS NULL ORDER BY t.merchant_id, t.attempt_no, t.event, t.id
ON CONFLICT (merchant_id, attempt_no, event, order_created_at) DO NOTHING
RETURNING id, {_TOLD}
"""  # noqa: S608 (our own text)
# One statement, so that twins that come at once make one row. A row that was given up counts as
# tried once: whoever ends it says that its alarm is over.
_KEEP: Final = f"""{_ROWS}
ON CONFLICT (merchant_id, attempt_no, event, order_created_at) DO UPDATE SET
    tries = CASE c.state WHEN 'parked' THEN 1 ELSE c.tries END,
    due_at = CASE c.state WHEN 'done' THEN c.due_at ELSE least(c.due_at, excluded.due_at) END,
    state = CASE c.state WHEN 'parked' THEN 'waiting' ELSE c.state END
RETURNING id, state, {_TOLD}
"""
