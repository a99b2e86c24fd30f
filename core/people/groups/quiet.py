"""Hours in which a group is told nothing that it did not ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a time of the day to another one, on the clocks of the group; over midnight where the
    end is the earlier one. They are never the same."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def over_at(self, now: datetime, zone: str) -> datetime | None:
        """When they are over, in UTC; None where it is not quiet at `now`. zone: IANA."""
        clock = ZoneInfo(zone)
        here = now.astimezone(clock)
        today, tomorrow = here.date(), here.date() + timedelta(days=1)
        if self.start < self.end:
            ends_on = today if self.start <= here.time() < self.end else None
        elif here.time() >= self.start:
            ends_on = tomorrow
        else:
            ends_on = today if here.time() < self.end else None
        if ends_on is None:
            return None
        return datetime.combine(ends_on, self.end, clock).astimezone(UTC)
