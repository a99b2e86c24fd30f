"""Callbacks as they arrive: whom they name is read, and they are stored, many at once.

Whoever calls waits for both, so each is one question for all that came meanwhile.
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
from core.system.batch import Batch
from core.system.leases import Held
from core.system.store import Queries, Store
from core.trade.callbacks.queue import TakenCallback, pack_event
from core.trade.orders import Attempt, find_attempts


@dataclass(frozen=True, slots=True)
class Arrival:
    """A callback that is believed, about an attempt of ours. turn, until: who holds its row from
    the first and for how long; None: nobody."""

    id: UUID
    attempt: Attempt
    event: Event
    callback: Callback
    at: datetime
    request_id: str
    turn: UUID | None = None
    until: datetime | None = None

    @property
    def order_created_at(self) -> datetime:
        """Of the order that it is about."""
        return uuid7_time(self.attempt.order_id)

    @property
    def told(self) -> TakenCallback | None:
        """What there is to act on, for whoever holds it."""
        if self.turn is None or self.until is None:
            return None
        merchant_id = self.attempt.merchant_id
        held = Held((merchant_id, self.id, self.order_created_at), self.turn, 1)
        address, request_id = self.callback.address, self.request_id
        return TakenCallback(
            merchant_id, self.id, self.event, 1, address, request_id, held, self.until
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A callback that was written down. fresh: the same was not told before, at once or ever.
    waits: it is still to be acted on. doubted: one of its supplier's was refused, and none was
    believed since."""

    fresh: bool
    waits: bool
    doubted: bool


@dataclass(frozen=True, slots=True)
class _Named:
    """What a number names, if anything."""

    attempt: Attempt | None


class Arrivals:
    """Reads and writes for those who call at the moment, in one statement each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._finds = Batch(self._find_together, self._find_alone)
        self._keeps = Batch(self._keep_together, self._keep_alone)

    async def find(self, merchant_id: UUID, attempt_no: str) -> Attempt | None:
        """An attempt by its number at the supplier."""
        return (await self._finds.write((merchant_id, attempt_no))).attempt

    async def keep(self, arrival: Arrival) -> Kept:
        """Write a callback down. A twin that waits is acted on now, and so is one that was given
        up: the supplier's trying again is as good as anybody's. Once the write begins, its caller's
        work comes to its end, though nobody waits for it: what is held is to be handed over."""
        return await self._keeps.write(arrival, begins=self._store.finish_anyway())

    async def _find_together(self, numbers: Sequence[tuple[UUID, str]]) -> Sequence[_Named]:
        return [_Named(attempt) for attempt in await find_attempts(self._store, numbers)]

    async def _find_alone(self, number: tuple[UUID, str]) -> _Named:
        (named,) = await self._find_together([number])
        return named

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
    rows = [
        {
            "place": place,
            "merchant_id": one.attempt.merchant_id,
            "id": one.id,
            "supplier_id": one.attempt.supplier_id,
            "attempt_no": one.attempt.attempt_no,
            "address": one.callback.address,
            "query": one.callback.query,
            "headers": dict(one.callback.headers),
            "event": pack_event(one.event),
            "at": one.at,
            "request_id": one.request_id,
            "order_created_at": one.order_created_at,
            "turn": one.turn,
            "until": one.until,
        }
        for place, one in enumerate(arrivals, start=1)
    ]
    return rows, [one.callback.body for one in arrivals]


_ROWS: Final = """
INSERT INTO supplier_callback AS c (merchant_id, id, supplier_id, attempt_no, address, query,
    headers, body, event, due_at, request_id, received_at, order_created_at, held_by, lease_until,
    tries)
SELECT t.merchant_id, t.id, t.supplier_id, t.attempt_no, t.address, t.query, t.headers,
    ($2::bytea[])[t.place], t.event, t.at, t.request_id, t.at, t.order_created_at, t.turn, t.until,
    (t.turn IS NOT NULL)::integer
FROM jsonb_to_recordset($1) AS t (place integer, merchant_id uuid, id uuid, supplier_id uuid,
    attempt_no text, address text, query text, headers jsonb, event jsonb, at timestamptz,
    request_id text, order_created_at timestamptz, turn uuid, until timestamptz)
"""
_TOLD: Final = """
EXISTS (SELECT FROM callback_streak s WHERE s.supplier_id = c.supplier_id AND s.in_a_row > 0)
    AS doubted
"""
# A row that is there is looked for first: a conflict with it would wait for whoever writes it.
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
