"""The two queues of what leaves. Rows commit with their cause; workers take them with a lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.clock import Clock
from core.ids import Ids
from core.outbox.facts import Fact, News, pack, unpack
from core.store import Queries, Store, Tx

NOBODY: Final = UUID(int=0)  # the merchant of a message that concerns none
LEASE: Final = timedelta(seconds=30)  # longer than two calls of the Bot API may take
MAX_TRIES: Final = 12
KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A fact that a worker has taken and must finish, put off or park before the lease ends."""

    merchant_id: UUID
    id: UUID
    chat_id: int
    fact: Fact
    tries: int
    lease_until: datetime


class Outbox:
    """Facts for Telegram, and news for merchants' servers.

    wake: called after something was put in, so that a worker need not wait for its next look.
    A worker that is woken before the commit simply looks again a moment later.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._wakers: list[Callable[[], None]] = []
        self._on_parked: list[Callable[[Tx, Leaving, str], Awaitable[None]]] = []
        self._on_through: list[Callable[[Tx, int], Awaitable[None]]] = []

    def look_on(
        self,
        parked: Callable[[Tx, Leaving, str], Awaitable[None]],
        through: Callable[[Tx, int], Awaitable[None]],
    ) -> None:
        """Have `parked` called with each message that is given up, and why, and `through` with the
        chat of each that is sent after it was: in the same transaction."""
        self._on_parked.append(parked)
        self._on_through.append(through)

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever something was put in by this process."""
        self._wakers.append(wake)

    def _wake(self) -> None:
        for wake in self._wakers:
            wake()

    async def say(
        self,
        tx: Queries,
        chat_id: int,
        fact: Fact,
        *,
        merchant_id: UUID = NOBODY,
        dedupe_key: str | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Put a fact in. With a dedupe_key, one that still waits under it is enough."""
        now = self._clock.now()
        await tx.execute(
            "INSERT INTO outbox (merchant_id, id, chat_id, topic, facts, dedupe_key, due_at,"
            " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT"
            # The waiting row is touched, not only found: it stays locked until we commit, so
            # that nobody shows the state of before and takes our news along with it.
            " (merchant_id, dedupe_key) WHERE state = 'waiting' AND dedupe_key IS NOT NULL"
            " DO UPDATE SET due_at = least(outbox.due_at, excluded.due_at)",
            merchant_id,
            self._ids.uuid7(),
            chat_id,
            fact.topic,
            pack(fact),
            dedupe_key,
            due_at or now,
            now,
        )
        self._wake()

    async def tell_merchant(
        self,
        tx: Tx,
        *,
        merchant_id: UUID,
        app_id: UUID,
        order_id: UUID,
        news: News,
        url: str,
        facts: dict[str, Any],
        request_id: str,
        due_at: datetime | None = None,
    ) -> None:
        """News for a merchant's server; its body is written from the facts, the same every time.

        An address that answered 410 is not told anything until somebody sends again by hand.
        """
        silenced = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM silenced_url"
            " WHERE merchant_id = $1 AND app_id = $2 AND url = $3)",
            merchant_id,
            app_id,
            url,
        )
        if silenced:
            return
        notification_id = self._ids.uuid7()
        now = self._clock.now()
        await tx.execute(
            "INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, type, url,"
            " facts, due_at, request_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            merchant_id,
            notification_id,
            f"msg_{notification_id.hex}",
            app_id,
            order_id,
            news,
            url,
            facts,
            due_at or now,
            request_id,
            now,
        )
        self._wake()

    async def drop_untold(self, tx: Tx, merchant_id: UUID, order_id: UUID) -> None:
        """An order that ended is paid after all: news of its end that nobody was told is void."""
        await tx.execute(
            "UPDATE notification SET state = 'dropped' WHERE merchant_id = $1 AND order_id = $2"
            " AND state = 'pending' AND tries = 0"
            " AND type IN ('order.expired', 'order.closed', 'order.failed')",
            merchant_id,
            order_id,
        )

    async def take(self, batch: int) -> list[Leaving]:
        """Take due facts, the oldest first, at most one per chat and never two of one chat at
        once: an edit must not overtake the message before it. A lease that ended is due again."""
        now = self._clock.now()
        rows = await self._store.fetch(_TAKE, now, now + LEASE, batch)
        return [
            Leaving(
                r["merchant_id"],
                r["id"],
                r["chat_id"],
                unpack(r["topic"], r["facts"]),
                r["tries"],
                r["lease_until"],
            )
            for r in rows
        ]

    async def sent(self, leaving: Leaving) -> None:
        """It is out."""
        async with self._store.transaction() as tx:
            row = await self._finish(tx, leaving, "state = 'sent'")
            if row is not None and row["again"]:
                for through in self._on_through:
                    await through(tx, leaving.chat_id)

    async def put_off(self, leaving: Leaving, *, seconds: float, fault: str) -> None:
        """It could not leave now. After MAX_TRIES it is parked, for people to see."""
        if leaving.tries >= MAX_TRIES:
            await self.park(leaving, fault=fault)
            return
        await self._finish(
            self._store,
            leaving,
            "state = 'waiting', due_at = $4, fault = $5, dedupe_key = NULL",
            self._clock.now() + timedelta(seconds=seconds),
            fault[:500],
        )

    async def wait_for_room(self, leaving: Leaving, *, seconds: float) -> None:
        """The chat's budget is used up: later, and this does not count as a try.

        Never before what this chat has waited for longer: people read from top to bottom.
        """
        await self._finish(
            self._store,
            leaving,
            "state = 'waiting', tries = tries - 1, dedupe_key = NULL,"
            " due_at = greatest($4, (SELECT max(due_at) FROM outbox e"
            " WHERE e.chat_id = $5 AND e.state = 'waiting' AND e.id < $2))",
            self._clock.now() + timedelta(seconds=seconds),
            leaving.chat_id,
        )

    async def park(self, leaving: Leaving, *, fault: str) -> None:
        """It can never leave (kicked, blocked, wrong). Kept, for people to see."""
        async with self._store.transaction() as tx:
            change = "state = 'parked', fault = $4, dedupe_key = NULL"
            if await self._finish(tx, leaving, change, fault[:500]) is not None:
                for parked in self._on_parked:
                    await parked(tx, leaving, fault)

    async def unpark(self, tx: Tx, chat_id: int, limit: int) -> int:
        """Have what was parked of a chat sent again, the oldest first; how many."""
        count = await tx.execute(_UNPARK, chat_id, self._clock.now(), limit)
        self._wake()
        return count

    async def _finish(
        self, queries: Queries, leaving: Leaving, change: str, *values: object
    ) -> asyncpg.Record | None:
        """Only whoever still holds the lease decides: it may have ended, and another taken it."""
        return await queries.fetchrow(
            f"UPDATE outbox SET lease_until = NULL, {change}"  # noqa: S608 (our own words)
            " WHERE merchant_id = $1 AND id = $2 AND state = 'taken' AND lease_until = $3"
            " RETURNING again",
            leaving.merchant_id,
            leaving.id,
            leaving.lease_until,
            *values,
        )

    async def forget_old(self) -> int:
        """Drop what was sent more than a week ago. What was parked stays, for people to see."""
        return await self._store.execute(
            "DELETE FROM outbox WHERE state = 'sent' AND created_at < $1", self._clock.now() - KEPT
        )

    async def backlog(self) -> dict[str, int]:
        """How many rows wait or are parked, for /metrics."""
        rows = await self._store.fetch(
            "SELECT state, count(*) AS n FROM outbox WHERE state <> 'sent' GROUP BY state"
        )
        return {row["state"]: row["n"] for row in rows}


# `busy` holds the chats of which a row is under way; `first` the oldest due row of each other.
_TAKE: Final = """
WITH busy AS (
    SELECT chat_id FROM outbox WHERE state = 'taken' AND lease_until > $1
), first AS (
    SELECT DISTINCT ON (chat_id) merchant_id, id, due_at FROM outbox
    WHERE (state = 'waiting' AND due_at <= $1 OR state = 'taken' AND lease_until <= $1)
      AND chat_id NOT IN (SELECT chat_id FROM busy)
    ORDER BY chat_id, due_at, id
), due AS (
    SELECT o.merchant_id, o.id FROM outbox o
    JOIN first f ON f.merchant_id = o.merchant_id AND f.id = o.id
    WHERE o.state = 'waiting' OR o.state = 'taken' AND o.lease_until <= $1
    ORDER BY o.due_at LIMIT $3 FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox o SET state = 'taken', lease_until = $2, tries = o.tries + 1
FROM due WHERE o.merchant_id = due.merchant_id AND o.id = due.id
RETURNING o.merchant_id, o.id, o.chat_id, o.topic, o.facts, o.tries, o.lease_until
"""
# One after another, as they were put in: a moment apart, or the queue would take them in any order.
_UNPARK: Final = """
UPDATE outbox o SET state = 'waiting', again = true, tries = 0,
    due_at = $2::timestamptz + n.place * interval '1 microsecond'
FROM (
    SELECT merchant_id, id, row_number() OVER (ORDER BY created_at, id) AS place FROM (
        SELECT merchant_id, id, created_at FROM outbox WHERE chat_id = $1 AND state = 'parked'
        ORDER BY created_at, id LIMIT $3 FOR UPDATE
    ) oldest
) n
WHERE o.merchant_id = n.merchant_id AND o.id = n.id
"""
