"""What is known of a chat as a whole: for how long it is closed, and if the bot is out of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from core.kernel.clock import Clock
from core.system.store import Queries, Store

_LOG = structlog.get_logger(__name__)
LONGEST_CLOSED: Final = timedelta(hours=1)


class Chats:
    """The chats to which something leaves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def close(self, chat_id: int, seconds: float) -> None:
        """Telegram takes nothing for this chat for so long, of whatever kind."""
        until = self._clock.now() + min(timedelta(seconds=seconds), LONGEST_CLOSED)
        _LOG.warning("a chat is closed", chat_id=chat_id, seconds=seconds)
        await self._store.execute(
            "INSERT INTO chat_lane AS l (chat_id, closed_until) VALUES ($1, $2)"
            " ON CONFLICT (chat_id) DO UPDATE"
            " SET closed_until = greatest(l.closed_until, excluded.closed_until)",
            chat_id,
            until,
        )

    async def closed_s(self, chat_id: int) -> float:
        """For how many seconds nothing is to be asked of Telegram for this chat; 0: it is open."""
        until = await self._store.fetchval(
            "SELECT closed_until FROM chat_lane WHERE chat_id = $1", chat_id
        )
        return max(0.0, (until - self._clock.now()).total_seconds()) if until else 0.0

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
