"""What arrives from Telegram: stored raw before it is acknowledged, acted on in order per chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.clock import Clock
from core.store import Queries, Store

# Longer than the longest work: a completion asks a supplier twice, 13 s at most each time.
LEASE: Final = timedelta(seconds=90)
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

    async def put(self, bot_id: int, update_id: int, chat_id: int, body: dict[str, Any]) -> bool:
        """Store a raw update. False: it is a redelivery and nothing was written."""
        inserted = await self._store.execute(
            "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, due_at,"
            " received_at) VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
            bot_id,
            update_id,
            chat_id,
            body,
            self._clock.now(),
        )
        for wake in self._wakers:
            wake()
        return inserted == 1

    async def take(self, batch: int) -> list[Arrived]:
        """Take the oldest waiting update of each chat, at most `batch`; one per chat at a time.

        Where the oldest one is not due yet, its chat waits with it.
        """
        now = self._clock.now()
        rows = await self._store.fetch(_TAKE, now, now + LEASE, batch)
        return [
            Arrived(
                r["bot_id"], r["update_id"], r["chat_id"], r["body"], r["tries"], r["received_at"]
            )
            for r in rows
        ]

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
        parked = arrived.tries >= MAX_TRIES
        again_s = 0 if parked else BACK_OFF_S[arrived.tries - 1]
        touched = await tx.execute(
            "UPDATE telegram_update SET state = $4, due_at = $5, lease_until = NULL, fault = $6"
            " WHERE bot_id = $1 AND update_id = $2 AND state = 'taken' AND tries = $3",
            arrived.bot_id,
            arrived.update_id,
            arrived.tries,
            "parked" if parked else "waiting",
            self._clock.now() + timedelta(seconds=again_s),
            fault[:500],
        )
        return parked and touched == 1

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


_TAKE: Final = """
WITH first AS (
    SELECT DISTINCT ON (chat_id) bot_id, update_id FROM telegram_update
    WHERE state IN ('waiting', 'taken')
    ORDER BY chat_id, received_at, update_id
), due AS (
    SELECT u.bot_id, u.update_id FROM telegram_update u
    JOIN first f ON f.bot_id = u.bot_id AND f.update_id = u.update_id
    WHERE u.state = 'waiting' AND u.due_at <= $1 OR u.state = 'taken' AND u.lease_until <= $1
    ORDER BY u.received_at LIMIT $3 FOR UPDATE OF u SKIP LOCKED
)
UPDATE telegram_update u SET state = 'taken', lease_until = $2, tries = u.tries + 1
FROM due WHERE u.bot_id = due.bot_id AND u.update_id = due.update_id
RETURNING u.bot_id, u.update_id, u.chat_id, u.body, u.tries, u.received_at
"""
