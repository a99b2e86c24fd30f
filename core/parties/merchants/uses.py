"""When each app called last: written to the minute, beside the calls and never for one of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from core.kernel.clock import Clock
from core.system.store import DATABASE_AWAY, Store

_LOG = structlog.get_logger(__name__)
# An app's row is written so often at most, by however many processes.
EVERY: Final = timedelta(minutes=1)


class AppUses:
    """Notes who called, in memory, and writes it down while nobody waits."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[UUID, datetime] = {}
        self._waiting: dict[UUID, datetime] = {}
        self._writing = False

    def note(self, app_id: UUID) -> None:
        """Its key called now, and proved it."""
        now = self._clock.now()
        last = self._noted.get(app_id)
        if last is not None and now - last < EVERY:
            return
        self._noted[app_id] = self._waiting[app_id] = now
        if not self._writing:
            self._writing = True
            self._store.leave(self._write())

    async def _write(self) -> None:
        """All that waits in one statement, until nothing does."""
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, {}
                await self._store.execute(_WRITE, list(taken), list(taken.values()), EVERY)
        except DATABASE_AWAY as error:  # the next minute says it again
            _LOG.warning("app_uses_not_written", error=type(error).__name__)
        finally:
            self._writing = False


_WRITE: Final = """
INSERT INTO app_use AS u (app_id, used_at)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS called (app_id, used_at) ORDER BY app_id
ON CONFLICT (app_id) DO UPDATE SET used_at = excluded.used_at
    WHERE u.used_at <= excluded.used_at - $3::interval
"""
