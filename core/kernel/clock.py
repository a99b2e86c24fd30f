"""Time, handed in wherever it is needed, and the business day that a day cut makes of it."""

from __future__ import annotations

import re
import time as time_module
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

from core.kernel.errors import Refusal

_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SHOWN_CHARS: Final = 40
_NOON: Final = time(12, 0)
_ONE_DAY: Final = timedelta(days=1)
# A business day lasts so long, also the one with which a moved cut begins.
SHORTEST_DAY: Final = timedelta(hours=12)
LONGEST_DAY: Final = timedelta(hours=36)
# An answer that takes longer says too little of when its time was true.
LOOK_S: Final = 1.0


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SharedClock:
    """The database's time, which all instances share: leases, expiry and slots need one time.

    Between two looks at it this machine's steady clock goes on; what its wall clock says, or that
    somebody sets it, changes nothing. Time does not run backwards. Until the first look it is the
    machine's own, which says nothing of what comes after.
    """

    def __init__(
        self,
        steady_s: Callable[[], float] = time_module.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """steady_s: seconds since any moment. wall: what this machine takes for the time."""
        self._steady_s = steady_s
        self._wall = wall
        self._base, self._base_s = wall(), steady_s()
        self._last: datetime | None = None  # none before the first look
        self.ahead_s = 0.0

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        at = self._base + timedelta(seconds=self._steady_s() - self._base_s)
        if self._last is None:
            return at
        self._last = max(self._last, at)
        return self._last

    async def look(self, ask: Callable[[], Awaitable[datetime]]) -> bool:
        """Look at the shared clock by asking for its time; whether the answer came soon enough to
        tell anything. `ahead_s` is then how far this machine's wall clock is ahead of it."""
        before_s = self._steady_s()
        shared = await ask()
        after_s = self._steady_s()
        if after_s - before_s > LOOK_S:
            return False
        self._base, self._base_s = shared, (before_s + after_s) / 2
        self._last = self._last or shared
        half = timedelta(seconds=(after_s - before_s) / 2)
        self.ahead_s = (self._wall() - half - shared).total_seconds()
        return True


@dataclass(frozen=True, slots=True)
class DayCut:
    """When a business day begins: a wall-clock time in an IANA zone (日切).

    A business day bears the date of the calendar day that holds most of it: one that is cut after
    noon begins on the evening before its date, all others on it.
    """

    at: time = time(0, 0)
    zone: str = "Asia/Shanghai"

    @property
    def days_ahead(self) -> int:
        """So many dates ahead of the clock is a day when it begins: 1 where it is cut after
        noon."""
        return int(self.at > _NOON)

    def start_of(self, day: date) -> datetime:
        """The instant at which `day` begins, in UTC.

        Where the clocks jump over the cut, the first instant that exists; where they repeat it,
        the first of the two.
        """
        zone = ZoneInfo(self.zone)
        local = datetime.combine(day - self.days_ahead * _ONE_DAY, self.at, zone)
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
            return instant
        # Inside a gap, fold=0 reads the old offset and fold=1 the new one; the gap itself ends
        # where the offset changes, which lies between the two readings.
        low = local.replace(fold=1).astimezone(UTC)
        high = instant
        offset_before = low.astimezone(zone).utcoffset()
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            if middle.astimezone(zone).utcoffset() == offset_before:
                low = middle
            else:
                high = middle
        return high.replace(microsecond=0)

    def day_of(self, instant: datetime) -> date:
        """The business day to which an instant belongs."""
        day = instant.astimezone(ZoneInfo(self.zone)).date()
        if instant < self.start_of(day):
            return day - _ONE_DAY
        if instant >= self.start_of(day + _ONE_DAY):
            return day + _ONE_DAY
        return day

    def end_of(self, day: date, starts_at: datetime) -> datetime:
        """When a day ends that began at this instant: where the next one is cut, but within
        SHORTEST_DAY and LONGEST_DAY. A cut that was moved further is reached in two days."""
        ends_at = self.start_of(day + _ONE_DAY)
        return min(max(ends_at, starts_at + SHORTEST_DAY), starts_at + LONGEST_DAY)


def rfc3339(at: datetime) -> str:
    """'2026-11-21T01:02:03.004Z': the one form in which other programs are told an instant."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: str) -> time:
    """A wall-clock time, 'hh:mm'. Refusals: time_invalid."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise Refusal("time_invalid", text=text[:_SHOWN_CHARS], example="06:00")
    return time(int(found[1]), int(found[2]))


def read_zone(text: str) -> str:
    """The IANA name of a time zone, whatever its letters' case. Refusals: zone_unknown."""
    zone = _zones().get(text.strip().lower())
    if zone is None:
        raise Refusal("zone_unknown", text=text[:_SHOWN_CHARS], example="Europe/Berlin")
    return zone


@cache
def _zones() -> dict[str, str]:
    """Places and UTC; not what means one thing here and another thing elsewhere (localtime)."""
    return {name.lower(): name for name in available_timezones() if "/" in name or name == "UTC"}
