"""The queue of news for merchants' servers: what waits in which lane, taking it, ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system.lanes import Lane
from core.system.leases import Held, Leases, Queue
from core.system.store import Queries, Tx

# So far a look goes: what it does not reach this time it reaches the next.
MOST_MERCHANTS: Final = 500
MOST_LANES: Final = 50
ALL: Final = 2**31 - 1
QUEUE: Final = Queue(
    table="notification",
    key=("merchant_id", "id", "order_created_at"),
    lease=timedelta(seconds=60),  # longer than a try and what is written of it may take
    returns=(
        "lane", "webhook_id", "app_id", "order_id", "type", "url", "facts", "request_id",
        "created_at",
    ),
    lane=(("merchant_id", "uuid"), ("lane", "bigint")),
    # The next news of an order waits for the one before it, five minutes at most. It is looked at
    # when that one is due again, or may have been told. The order names the index: by the others
    # all that waits of a merchant would be read.
    waits="""
        SELECT least(n.created_at + interval '5 minutes', greatest($1 + interval '1 s', n.due_at))
        FROM notification n
        WHERE n.merchant_id = f.merchant_id AND n.order_id = f.order_id
          AND n.order_created_at = f.order_created_at AND n.state = 'pending'
          AND n.created_at < f.created_at AND n.created_at > $1 - interval '5 minutes'
        ORDER BY n.merchant_id, n.order_id, n.created_at LIMIT 1
    """,
    waiting="pending",
    done="delivered",
    parked="exhausted",
    by_due=True,
    month="order_created_at",
)  # fmt: skip


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
    order_created_at: datetime
    held: Held


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


class NewsQueue:
    """What merchants are to be told: a lane for each merchant and server."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._leases = Leases(QUEUE, clock, ids)

    async def waiting(
        self, queries: Queries, after: UUID, *, start: int, most_rows: int, enough: int = ALL
    ) -> tuple[dict[Lane, int], UUID | None]:
        """How much is due in which lane, of the merchants after this one; up to most_rows of each,
        and of no further merchant once there is enough. The merchant to go on after; None: there
        is no other.

        start: the lane to begin with, where a merchant has very many; drawn anew for each look.
        """
        rows = await queries.fetch(
            "SELECT merchant_id, lane, waiting FROM waiting_news($1, $2, $3, $4, $5, $6, $7)",
            self._clock.now(),
            after,
            MOST_MERCHANTS,
            start,
            MOST_LANES,
            most_rows,
            enough,
        )
        waiting = {Lane(row["merchant_id"], row["lane"]): row["waiting"] for row in rows}
        merchants = list(dict.fromkeys(lane.holder for lane in waiting))
        is_cut = len(merchants) == MOST_MERCHANTS or sum(waiting.values()) >= enough
        return waiting, merchants[-1] if is_cut else None

    async def take(self, tx: Tx, counts: Mapping[Lane, int]) -> list[Due]:
        """Lease what is due, the oldest of each lane first. counts: how many of which lane at most.

        News that must wait for the one before it is put off instead, so that nobody looks at it
        again and again.
        """
        await tx.by_index()
        rows = await self._leases.take(
            tx,
            [lane.holder for lane in counts],
            [lane.name for lane in counts],
            list(counts.values()),
        )
        return [
            Due(
                row["merchant_id"],
                row["id"],
                row["lane"],
                row["webhook_id"],
                row["app_id"],
                row["order_id"],
                row["type"],
                row["url"],
                row["facts"],
                row["tries"],
                row["request_id"],
                row["created_at"],
                row["order_created_at"],
                self._leases.held(row),
            )
            for row in rows
        ]

    async def end(self, queries: Queries, ended: Sequence[Ended]) -> list[bool]:
        """Move notifications, and keep nothing of their tries: which were still ours.

        Only whoever still holds one decides: the lease may have ended, and another taken it, or
        somebody had it sent again meanwhile.
        """
        now = self._clock.now()
        return await self._leases.end_all(
            queries,
            [
                (
                    one.due.held,
                    {
                        "state": one.state,
                        "due_at": one.due_at,
                        "delivered_at": now if one.state == QUEUE.done else None,
                        QUEUE.fault: None if one.state == QUEUE.done else one.said,
                    },
                )
                for one in ended
            ],
        )

    async def end_at_once(self, queries: Queries, ended: Sequence[Ended]) -> list[bool]:
        """Keep tries and move their notifications, of all merchants in one statement that waits for
        nobody: of which that was done. Of the others nothing is written: somebody else has them,
        or has locked them."""
        created = [one.due.order_created_at for one in ended]
        rows = await queries.fetch(
            _END,
            [one.due.merchant_id for one in ended],
            [one.due.id for one in ended],
            created,
            [one.due.held.turn for one in ended],
            [one.state for one in ended],
            [one.due_at for one in ended],
            [one.at for one in ended],
            [one.took_ms for one in ended],
            [one.status for one in ended],
            [one.said for one in ended],
            self._clock.now(),
            min(created),
            max(created),
        )
        done = {(row["id"], row["turn"]) for row in rows}
        return [(one.due.id, one.due.held.turn) in done for one in ended]

    async def end_and_keep(self, queries: Queries, ended: Sequence[Ended]) -> list[bool]:
        """Keep tries, and move their notifications: which were still ours."""
        tries = [
            {
                "merchant_id": one.due.merchant_id,
                "notification_id": one.due.id,
                "order_created_at": one.due.order_created_at,
                "at": one.at,
                "took_ms": one.took_ms,
                "status": one.status,
                "said": one.said,
            }
            for one in ended
        ]
        await queries.execute(_KEEP, tries)
        return await self.end(queries, ended)


# $12 and $13: the first and the last instant of the orders, so that no other month is looked at.
_END: Final = """
WITH ours AS MATERIALIZED (
    SELECT t.* FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[],
        $6::timestamptz[], $7::timestamptz[], $8::integer[], $9::smallint[], $10::text[])
        AS t (merchant_id, id, order_created_at, turn, state, due_at, at, took_ms, status, said)
    CROSS JOIN LATERAL (
        SELECT FROM notification n
        WHERE n.merchant_id = t.merchant_id AND n.id = t.id
          AND n.order_created_at = t.order_created_at AND n.order_created_at BETWEEN $12 AND $13
          AND n.state = 'pending' AND n.held_by = t.turn
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ) free
), kept AS (
    INSERT INTO notification_try (merchant_id, notification_id, order_created_at, try_no, at,
        took_ms, status, said)
    SELECT o.merchant_id, o.id, o.order_created_at, (
            SELECT coalesce(max(p.try_no), 0) + 1 FROM notification_try p
            WHERE p.merchant_id = o.merchant_id AND p.notification_id = o.id
              AND p.order_created_at = o.order_created_at
              AND p.order_created_at BETWEEN $12 AND $13
        ), o.at, o.took_ms, o.status, o.said
    FROM ours o
)
UPDATE notification n
SET state = o.state, due_at = o.due_at, held_by = NULL, lease_until = NULL,
    delivered_at = CASE o.state WHEN 'delivered' THEN $11::timestamptz END,
    fault = CASE o.state WHEN 'delivered' THEN NULL ELSE o.said END
FROM ours o
WHERE n.merchant_id = o.merchant_id AND n.id = o.id AND n.order_created_at = o.order_created_at
  AND n.order_created_at BETWEEN $12 AND $13
RETURNING n.id, o.turn
"""
# Tries are counted on by themselves: `tries` starts anew when somebody sends it again.
_KEEP: Final = """
INSERT INTO notification_try (merchant_id, notification_id, order_created_at, try_no, at, took_ms,
    status, said)
SELECT t.merchant_id, t.notification_id, t.order_created_at,
       (SELECT coalesce(max(p.try_no), 0) FROM notification_try p
        WHERE p.merchant_id = t.merchant_id AND p.notification_id = t.notification_id
          AND p.order_created_at = t.order_created_at)
       + row_number() OVER (PARTITION BY t.merchant_id, t.notification_id ORDER BY t.at),
       t.at, t.took_ms, t.status, t.said
FROM jsonb_populate_recordset(NULL::notification_try, $1::jsonb) t
ON CONFLICT DO NOTHING
"""
