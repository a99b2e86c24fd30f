"""The open business days as they were seen last, so that a decision needs no question."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from core.books.calendar import Calendar
from core.books.days import BusinessDay, DayOver, SeenDay
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.system.store import Store

_MAX_DAYS: Final = 4096
_TRIES: Final = 3
_LOOK: Final = (
    "SELECT day, ends_at, rolled_to FROM business_day WHERE holder_id = $1 AND closed_at IS NULL"
)


class OpenDays:
    """Says in which day, and at which instant, something is going to be written. Nobody holds that
    day: the write looks at it again under its lock, and what it finds is `seen` here."""

    def __init__(self, store: Store, clock: Clock, calendar: Calendar) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._seen: dict[UUID, SeenDay] = {}

    async def now(self, holder_id: UUID) -> BusinessDay:
        """The day that seems to be open, at an instant of it that is not rolled up. A day that is
        over is closed first, and the next one opened."""
        for _ in range(_TRIES):
            seen = self._seen.get(holder_id) or await self._look(holder_id)
            try:
                return BusinessDay.of(holder_id, seen, self._clock.now())
            except DayOver:
                await self._calendar.roll(holder_id)
                self._seen.pop(holder_id, None)
        raise Bug(f"a business day would not open: {holder_id}")

    def seen(self, holder_id: UUID, day: SeenDay) -> None:
        """What a write found to be open."""
        if len(self._seen) >= _MAX_DAYS:
            del self._seen[next(iter(self._seen))]
        self._seen[holder_id] = day

    async def _look(self, holder_id: UUID) -> SeenDay:
        row = await self._store.fetchrow(_LOOK, holder_id)
        if row is None:
            raise Bug(f"{holder_id} has no open business day")
        seen = SeenDay(**row)
        self.seen(holder_id, seen)
        return seen
