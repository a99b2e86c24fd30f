"""What arrives from Telegram: stored raw before it is acknowledged, acted on in order per chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.kernel.clock import Clock
from core.system.store import Queries, Store

# Short, so that what a killed process held is taken soon; whoever acts on an update renews it.
LEASE: Final = timedelta(seconds=6)
BACK_OFF_S: Final = (1, 5, 15, 60)
MAX_TRIES: Final = len(BACK_OFF_S) + 1
KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One raw update that a worker has taken. `tries` also tells whose it is: who takes it after
    the lease has ended counts one more, and what the former holder says no longer counts."""

    bot_id: int
    update_id: int
    chat_id: int
    body: dict[str, Any]
    tries: int
    received_at: datetime


class Inbox:
    """Telegram updates, each kept once by (bot_id, update_id)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._wakers: list[Callable[[], None]] = []

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever an update was stored by this process."""
        self._wakers.append(wake)

    async def put(
        self, bot_id: int, update_id: int, chat_id: int, body: dict[str, Any], *, lane: int = 0
    ) -> bool:
        """Store a raw update. False: it is a redelivery and nothing was written.

        lane: updates of one chat are acted on in order within their lane.
        """
        inserted = await self._store.execute(
            "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, lane, due_at,"
            " received_at) VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
            bot_id,
            update_id,
            chat_id,
            body,
            lane,
            self._clock.now(),
        )
        for wake in self._wakers:
            wake()
        return inserted == 1

    async def take(self, batch: int) -> list[Arrived]:
        """Take the oldest waiting update of each chat's lane, at most `batch`; one of a lane at a
        time.

        Where the oldest one is not due yet, its lane waits with it. Whoever acts on one for longer
        than half a LEASE renews it.
        """
        now = self._clock.now()
        rows = await self._store.fetch(TAKE, now, now + LEASE, batch)
        return [
            Arrived(
                r["bot_id"], r["update_id"], r["chat_id"], r["body"], r["tries"], r["received_at"]
            )
            for r in rows
        ]

    async def renew(self, arrived: Arrived) -> bool:
        """Hold it for another lease. False: somebody else has it, or it is finished."""
        held = await self._store.execute(
            "UPDATE telegram_update SET lease_until = $4"
            " WHERE bot_id = $1 AND update_id = $2 AND state = 'taken' AND tries = $3",
            arrived.bot_id,
            arrived.update_id,
            arrived.tries,
            self._clock.now() + LEASE,
        )
        return held == 1

    async def done(self, arrived: Arrived) -> None:
        """It was acted on."""
        await self._store.execute(
            "UPDATE telegram_update SET state = 'done', lease_until = NULL"
            " WHERE bot_id = $1 AND update_id = $2 AND state = 'taken' AND tries = $3",
            arrived.bot_id,
            arrived.update_id,
            arrived.tries,
        )

    async def failed(self, tx: Queries, arrived: Arrived, fault: str) -> bool:
        """Acting on it failed: it waits for another try, each time longer.

        True: that was the last of MAX_TRIES, and this call parked it.
        """
        if arrived.tries >= MAX_TRIES:
            return await self.park(tx, arrived, fault)
        again_s = BACK_OFF_S[arrived.tries - 1]
        await self._set_down(tx, arrived, "waiting", fault, again_s)
        return False

    async def park(self, tx: Queries, arrived: Arrived, fault: str) -> bool:
        """It can never be acted on: kept for people to see, and its chat goes on.

        False: somebody else has it.
        """
        return await self._set_down(tx, arrived, "parked", fault, 0)

    async def _set_down(
        self, tx: Queries, arrived: Arrived, state: str, fault: str, again_s: int
    ) -> bool:
        touched = await tx.execute(
            "UPDATE telegram_update SET state = $4, due_at = $5, lease_until = NULL, fault = $6"
            " WHERE bot_id = $1 AND update_id = $2 AND state = 'taken' AND tries = $3",
            arrived.bot_id,
            arrived.update_id,
            arrived.tries,
            state,
            self._clock.now() + timedelta(seconds=again_s),
            fault[:500],
        )
        return touched == 1

    async def forget_old(self) -> int:
        """Drop updates that were acted on more than a week ago."""
        return await self._store.execute(
            "DELETE FROM telegram_update WHERE state = 'done' AND received_at < $1",
            self._clock.now() - KEPT,
        )

    async def backlog(self) -> int:
        """How many updates wait."""
        return int(
            await self._store.fetchval(
                "SELECT count(*) FROM telegram_update WHERE state IN ('waiting', 'taken')"
            )
        )


# From lane to lane through the index, one entry each: the length of a backlog costs nothing. What
# is due is looked at again once the row is locked: another may have taken it meanwhile.
TAKE: Final = """
WITH RECURSIVE first AS (
    (
        SELECT chat_id, lane, place, bot_id, update_id, state, due_at, lease_until
        FROM telegram_update WHERE state IN ('waiting', 'taken')
        ORDER BY chat_id, lane, place LIMIT 1
    )
    UNION ALL
    SELECT n.* FROM first f CROSS JOIN LATERAL (
        SELECT chat_id, lane, place, bot_id, update_id, state, due_at, lease_until
        FROM telegram_update
        WHERE state IN ('waiting', 'taken') AND (chat_id, lane) > (f.chat_id, f.lane)
        ORDER BY chat_id, lane, place LIMIT 1
    ) n
), due AS (
    SELECT bot_id, update_id FROM first
    WHERE state = 'waiting' AND due_at <= $1 OR state = 'taken' AND lease_until <= $1
    ORDER BY place LIMIT $3
), free AS (
    SELECT u.bot_id, u.update_id FROM due CROSS JOIN LATERAL (
        SELECT bot_id, update_id FROM telegram_update
        WHERE bot_id = due.bot_id AND update_id = due.update_id
          AND (state = 'waiting' AND due_at <= $1 OR state = 'taken' AND lease_until <= $1)
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ) u
)
UPDATE telegram_update u SET state = 'taken', lease_until = $2, tries = u.tries + 1
FROM free WHERE u.bot_id = free.bot_id AND u.update_id = free.update_id
RETURNING u.bot_id, u.update_id, u.chat_id, u.body, u.tries, u.received_at
"""
