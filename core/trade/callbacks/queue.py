"""The queue of believed callbacks: a row for each thing that was told, however often it is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.connectors import Callback, Event
from core.kernel.errors import Bug
from core.kernel.money import Money
from core.system.lanes import Lane
from core.system.store import Queries
from core.trade.orders import Attempt

# What is taken of one merchant is acted on one by one, and a supplier may have to be asked.
LEASE: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A callback that is acted on now. tries: this one included. address: where it came from."""

    merchant_id: UUID
    id: UUID
    event: Event
    tries: int
    address: str
    request_id: str


async def keep(
    queries: Queries,
    callback_id: UUID,
    attempt: Attempt,
    event: Event,
    callback: Callback,
    *,
    at: datetime,
    request_id: str,
) -> bool:
    """Write a callback down; False where the same was told before, at once or ever.

    One that waits is acted on now, and so is one that was given up: the supplier's trying again is
    as good as anybody's.
    """
    row_id = await queries.fetchval(
        _KEEP,
        attempt.merchant_id,
        callback_id,
        attempt.supplier_id,
        attempt.attempt_no,
        callback.address,
        callback.query,
        dict(callback.headers),
        callback.body,
        _pack(event),
        at,
        request_id,
    )
    return bool(row_id == callback_id)


async def waiting(queries: Queries, now: datetime) -> dict[Lane, int]:
    """For each merchant and supplier of whom something is due: one."""
    rows = await queries.fetch(_WAITING, now)
    return {Lane(row["merchant_id"], row["supplier_id"]): 1 for row in rows}


async def take(
    queries: Queries, now: datetime, lanes: Collection[Lane], most: int
) -> dict[Lane, list[Waiting]]:
    """Lease what is due of these merchants and suppliers, `most` of each, in the order in which it
    came."""
    holders, suppliers = [lane.holder for lane in lanes], [lane.name for lane in lanes]
    rows = await queries.fetch(_TAKE, holders, suppliers, most, now, now + LEASE)
    taken: dict[Lane, list[Waiting]] = {}
    for row in sorted(rows, key=lambda r: r["received_at"]):
        waiting = Waiting(
            row["merchant_id"],
            row["id"],
            _unpack(row["event"]),
            row["tries"],
            row["address"],
            row["request_id"],
        )
        taken.setdefault(Lane(row["merchant_id"], row["supplier_id"]), []).append(waiting)
    return taken


async def give_back(queries: Queries, some: Sequence[Waiting], now: datetime) -> None:
    """They were not tried after all: whoever is free may take them."""
    await queries.execute(
        "UPDATE supplier_callback c SET due_at = $4, tries = c.tries - 1"
        " FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS t (merchant_id, id, tries)"
        " WHERE c.merchant_id = t.merchant_id AND c.id = t.id AND c.state = 'waiting'"
        " AND c.tries = t.tries",
        [waiting.merchant_id for waiting in some],
        [waiting.id for waiting in some],
        [waiting.tries for waiting in some],
        now,
    )


async def end(
    queries: Queries, waiting: Waiting, state: str, outcome: str, *, due_at: datetime
) -> bool:
    """Write what came of a try; False where another try is under way. state: done, waiting or
    parked."""
    ended = await queries.fetchval(
        "UPDATE supplier_callback SET state = $3, outcome = $4, due_at = $5"
        " WHERE merchant_id = $1 AND id = $2 AND state = 'waiting' AND tries = $6"
        " RETURNING true",
        waiting.merchant_id,
        waiting.id,
        state,
        outcome[:300],
        due_at,
        waiting.tries,
    )
    return bool(ended)


def _pack(event: Event) -> dict[str, object]:
    return {
        "attempt_no": event.attempt_no,
        "upstream_no": event.upstream_no,
        "state": event.state,
        "paid_minor": event.paid.minor if event.paid else None,
        "currency": event.paid.currency if event.paid else None,
        "hearsay": event.hearsay,
    }


def _unpack(values: dict[str, Any]) -> Event:
    paid_minor, currency, state = values["paid_minor"], values["currency"], values["state"]
    if state not in ("paid", "pending", "failed", "closed"):
        raise Bug(f"a stored callback is {state}")
    paid = Money(paid_minor, currency) if paid_minor is not None else None
    return Event(
        values["attempt_no"], values["upstream_no"], state, paid, hearsay=values["hearsay"]
    )


# One statement, so that twins that come at once make one row. A row that was given up counts as
# tried once: whoever ends it says that its alarm is over.
_KEEP: Final = """
INSERT INTO supplier_callback AS c (merchant_id, id, supplier_id, attempt_no, address, query,
    headers, body, event, due_at, request_id, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)
ON CONFLICT (merchant_id, attempt_no, event) DO UPDATE SET
    tries = CASE c.state WHEN 'parked' THEN 1 ELSE c.tries END,
    due_at = CASE c.state WHEN 'done' THEN c.due_at ELSE least(c.due_at, excluded.due_at) END,
    state = CASE c.state WHEN 'parked' THEN 'waiting' ELSE c.state END
RETURNING id
"""
# From head to head of the index, whatever the backlog.
_WAITING: Final = """
WITH RECURSIVE head AS (
    (SELECT merchant_id, supplier_id FROM supplier_callback WHERE state = 'waiting'
     ORDER BY merchant_id, supplier_id LIMIT 1)
    UNION ALL
    SELECT n.merchant_id, n.supplier_id FROM head h, LATERAL (
        SELECT c.merchant_id, c.supplier_id FROM supplier_callback c
        WHERE c.state = 'waiting'
          AND (c.merchant_id, c.supplier_id) > (h.merchant_id, h.supplier_id)
        ORDER BY c.merchant_id, c.supplier_id LIMIT 1
    ) n
)
SELECT h.merchant_id, h.supplier_id FROM head h
WHERE EXISTS (
    SELECT FROM supplier_callback c
    WHERE c.state = 'waiting' AND c.merchant_id = h.merchant_id
      AND c.supplier_id = h.supplier_id AND c.due_at <= $1
)
"""
_TAKE: Final = """
UPDATE supplier_callback c SET due_at = $5, tries = tries + 1
FROM unnest($1::uuid[], $2::uuid[]) AS lane (merchant_id, supplier_id), LATERAL (
    SELECT w.merchant_id, w.id FROM supplier_callback w
    WHERE w.state = 'waiting' AND w.merchant_id = lane.merchant_id
      AND w.supplier_id = lane.supplier_id AND w.due_at <= $4
    ORDER BY w.due_at LIMIT $3 FOR UPDATE SKIP LOCKED
) due
WHERE c.merchant_id = due.merchant_id AND c.id = due.id
RETURNING c.merchant_id, c.supplier_id, c.id, c.event, c.tries, c.address, c.request_id,
          c.received_at
"""
