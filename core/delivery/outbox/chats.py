"""What is known of a chat as a whole: for how long it is closed, and if the bot is out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from core.kernel.clock import Clock
from core.system.store import Queries, Store

_LOG = structlog.get_logger(__name__)
LONGEST_CLOSED: Final = timedelta(hours=1)
# What another process has heard of a closed chat is known here so late at most.
LOOK_S: Final = 1.0


class Chats:
    """The chats to which something leaves."""

    def __init__(
        self, store: Store, clock: Clock, steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        """steady_s: seconds since any moment."""
        self._store = store
        self._clock = clock
        self._steady_s = steady_s
        self._closed: dict[int, datetime] = {}  # chats, and until when
        self._looked_at_s: float | None = None

    async def close(self, chat_id: int, seconds: float) -> None:
        """Telegram takes nothing for this chat for so long, of whatever kind."""
        until = self._clock.now() + min(timedelta(seconds=seconds), LONGEST_CLOSED)
        _LOG.warning("a chat is closed", chat_id=chat_id, seconds=seconds)
        self._closed[chat_id] = max(until, self._closed.get(chat_id, until))
        await self._store.execute(
            "INSERT INTO chat_lane AS l (chat_id, closed_until) VALUES ($1, $2)"
            " ON CONFLICT (chat_id) DO UPDATE"
            " SET closed_until = greatest(l.closed_until, excluded.closed_until)",
            chat_id,
            until,
        )

    async def closed_s(self, chat_id: int) -> float:
        """For how many seconds nothing is to be asked of Telegram for this chat; 0: it is open.
        Few are closed: they are kept in memory, and looked for once in LOOK_S while somebody
        asks."""
        if self._looked_at_s is None or self._steady_s() - self._looked_at_s >= LOOK_S:
            await self._look()
        until = self._closed.get(chat_id)
        return max(0.0, (until - self._clock.now()).total_seconds()) if until else 0.0

    async def _look(self) -> None:
        looked_at_s, now = self._steady_s(), self._clock.now()
        rows = await self._store.fetch(
            "SELECT chat_id, closed_until FROM chat_lane WHERE closed_until > $1", now
        )
        ours = {chat_id: until for chat_id, until in self._closed.items() if until > now}
        self._closed = ours | {row["chat_id"]: row["closed_until"] for row in rows}
        self._looked_at_s = looked_at_s

    async def gone(self, chat_id: int) -> None:
        """The bot was removed or blocked: what changes is not shown there until it is back."""
        await self._store.execute(
            "INSERT INTO chat_lane AS l (chat_id, gone_at) VALUES ($1, $2)"
            " ON CONFLICT (chat_id) DO UPDATE SET gone_at = coalesce(l.gone_at, excluded.gone_at)",
            chat_id,
            self._clock.now(),
        )

    async def back(self, queries: Queries, chat_id: int) -> None:
        """The bot is in the chat again, or somebody wants it to be tried."""
        await queries.execute("UPDATE chat_lane SET gone_at = NULL WHERE chat_id = $1", chat_id)
