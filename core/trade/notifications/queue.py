"""The queue of news for merchants' servers: what waits in which lane, taking it, ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.system.lanes import Lane
from core.system.store import Queries

LEASE: Final = timedelta(seconds=60)  # longer than a try and what is written of it may take
# The next news of an order waits this long for the one before it, then goes anyway.
WAIT_FOR_FORMER: Final = timedelta(minutes=5)
_LOOK_AGAIN: Final = timedelta(seconds=1)
# So far a look goes: what it does not reach this time it reaches the next.
MOST_MERCHANTS: Final = 500
MOST_LANES: Final = 50


@dataclass(frozen=True, slots=True)
class Due:
    """A notification that was taken and is tried now. tries: this one included."""

    merchant_id: UUID
    id: UUID
    lane: int
    webhook_id: str
    app_id: UUID
    order_id: UUID
    type: str
    url: str
    facts: dict[str, Any]
    tries: int
    request_id: str
    created_at: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A try and what comes of it. state: the notification's from now on; due_at: of its next try,
    where it has one. status: none where no answer came. said: how it went, for people."""

    due: Due
    state: str
    due_at: datetime
    at: datetime
    took_ms: int
    status: int | None
    said: str


async def waiting(
    queries: Queries, now: datetime, after: UUID, *, start: int, most_rows: int
) -> dict[Lane, int]:
    """How much is due in which lane, of the merchants after this one; up to most_rows of each.

    start: the lane to begin with, where a merchant has very many; drawn anew for each look.
    """
    rows = await queries.fetch(
        "SELECT merchant_id, lane, waiting FROM waiting_news($1, $2, $3, $4, $5, $6)",
        now,
        after,
        MOST_MERCHANTS,
        start,
        MOST_LANES,
        most_rows,
    )
    return {Lane(row["merchant_id"], row["lane"]): row["waiting"] for row in rows}


async def take(queries: Queries, now: datetime, counts: Mapping[Lane, int]) -> list[Due]:
    """Lease what is due, the oldest of each lane first. counts: how many of which lane at most.

    News that must wait for the one before it is put off instead, so that nobody looks at it again
    and again.
    """
    rows = await queries.fetch(
        _TAKE,
        [lane.holder for lane in counts],
        [lane.name for lane in counts],
        list(counts.values()),
        now,
        now + LEASE,
        now - WAIT_FOR_FORMER,
        now + _LOOK_AGAIN,
    )
    return [Due(**dict(row)) for row in rows if row["lease_until"] is not None]


async def move(queries: Queries, merchant_id: UUID, ended: Sequence[Ended], now: datetime) -> None:
    """Move notifications of one merchant's, and keep nothing of their tries.

    Only whoever still holds the lease decides, here and in `end`: it may have ended, and another
    taken it, or somebody had it sent again meanwhile.
    """
    await queries.execute(
        _MOVE,
        merchant_id,
        [one.due.id for one in ended],
        [one.state for one in ended],
        [one.due_at for one in ended],
        [one.due.lease_until for one in ended],
        now,
    )


async def end(
    queries: Queries, merchant_id: UUID, ended: Sequence[Ended], now: datetime
) -> set[tuple[UUID, datetime]]:
    """Keep tries of one merchant's, and move their notifications. Which are still ours: ids, and
    the ends of the leases."""
    rows = await queries.fetch(
        _END,
        merchant_id,
        [one.due.id for one in ended],
        [one.state for one in ended],
        [one.due_at for one in ended],
        [one.due.lease_until for one in ended],
        now,
        [one.at for one in ended],
        [one.took_ms for one in ended],
        [one.status for one in ended],
        [one.said for one in ended],
    )
    return {(row["id"], row["lease_until"]) for row in rows}


_TAKE: Final = """
WITH head AS (
    SELECT h.* FROM unnest($1::uuid[], $2::bigint[], $3::integer[]) AS wanted (holder, name, most),
    LATERAL (
        SELECT w.merchant_id, w.id, w.order_id, w.created_at FROM notification w
        WHERE w.merchant_id = wanted.holder AND w.lane = wanted.name AND w.state = 'pending'
          AND w.due_at <= $4 AND (w.lease_until IS NULL OR w.lease_until <= $4)
        ORDER BY w.due_at LIMIT wanted.most FOR UPDATE SKIP LOCKED
    ) h
), look AS MATERIALIZED (
    -- One that waits for another is looked at when that is due again, or may have been told. The
    -- order names the index: by the others all that waits of a merchant would be read.
    SELECT h.merchant_id, h.id, (
        SELECT least(f.created_at + ($4 - $6), greatest($7, f.due_at))
        FROM notification f
        WHERE f.merchant_id = h.merchant_id AND f.order_id = h.order_id
          AND f.state = 'pending' AND f.created_at < h.created_at AND f.created_at > $6
        ORDER BY f.merchant_id, f.order_id, f.created_at LIMIT 1
    ) AS later
    FROM head h
)
UPDATE notification n SET
    lease_until = CASE WHEN look.later IS NULL THEN $5::timestamptz END,
    tries = n.tries + CASE WHEN look.later IS NULL THEN 1 ELSE 0 END,
    due_at = coalesce(look.later, n.due_at)
FROM look WHERE n.merchant_id = look.merchant_id AND n.id = look.id
RETURNING n.merchant_id, n.id, n.lane, n.webhook_id, n.app_id, n.order_id, n.type, n.url, n.facts,
          n.tries, n.request_id, n.created_at, n.lease_until
"""
_MOVE: Final = """
UPDATE notification n SET state = t.state, due_at = t.due_at, lease_until = NULL,
    delivered_at = CASE t.state WHEN 'delivered' THEN $6::timestamptz END
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    AS t (id, state, due_at, lease_until)
WHERE n.merchant_id = $1 AND n.id = t.id AND n.state = 'pending' AND n.lease_until = t.lease_until
"""
# Tries are counted on by themselves: `tries` starts anew when somebody sends it again.
_END: Final = """
WITH t AS (
    SELECT * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                         $7::timestamptz[], $8::integer[], $9::smallint[], $10::text[])
        AS t (id, state, due_at, lease_until, at, took_ms, status, said)
), kept AS (
    INSERT INTO notification_try (merchant_id, notification_id, try_no, at, took_ms, status, said)
    SELECT $1, t.id, (SELECT coalesce(max(p.try_no), 0) + 1 FROM notification_try p
                      WHERE p.merchant_id = $1 AND p.notification_id = t.id)
                     + row_number() OVER (PARTITION BY t.id ORDER BY t.at) - 1,
           t.at, t.took_ms, t.status, t.said
    FROM t ON CONFLICT DO NOTHING
)
UPDATE notification n SET state = t.state, due_at = t.due_at, lease_until = NULL,
    delivered_at = CASE t.state WHEN 'delivered' THEN $6::timestamptz END
FROM t
WHERE n.merchant_id = $1 AND n.id = t.id AND n.state = 'pending' AND n.lease_until = t.lease_until
RETURNING n.id, t.lease_until
"""
