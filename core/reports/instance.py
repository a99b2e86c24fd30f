"""This process among all that run the desk: can it write, and does its machine know the time?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.kernel.clock import Clock, SharedClock
from core.people.alarms import Alarms, Trouble
from core.system.store import DATABASE_AWAY, Store

# A machine whose wall clock is further off takes no part. The desk's own time is the database's,
# but certificates and the lines of its log go by the machine's.
CLOCK_OFF_S: Final = 2.0
BEAT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class AlarmClock(Trouble):
    """The clock of one desk is wrong. instance: its name. ahead_s: below 0 where it is slow."""

    instance: str
    ahead_s: float


@dataclass(frozen=True, slots=True)
class Health:
    """What this instance can do now. clock_ahead_s: of its machine, against the database's."""

    writes: bool
    clock_ahead_s: float

    @property
    def clock_right(self) -> bool:
        return abs(self.clock_ahead_s) <= CLOCK_OFF_S


class Instance:
    """One process of the desk. name: tells people which one it is, `host:port` for example."""

    def __init__(self, name: str, store: Store, clock: Clock, alarms: Alarms) -> None:
        self.name = name
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._told_wrong = False

    async def beat(self) -> Health:
        """Write this instance's row, and look at the shared clock by it. Takes BEAT_S at most; a
        clock that is wrong is an alarm until it is right."""
        try:
            return await self._store.in_time(self._beat(), BEAT_S)
        except DATABASE_AWAY:
            return Health(writes=False, clock_ahead_s=0.0)

    async def look(self) -> Health:
        """Look at the shared clock as `beat` does, and write nothing: this process takes no part.
        Raises what the store raises where the database is away."""
        return Health(writes=False, clock_ahead_s=await self._ahead_s(self._read))

    async def _beat(self) -> Health:
        health = Health(writes=True, clock_ahead_s=await self._ahead_s(self._write))
        await self._tell(health)
        return health

    async def _ahead_s(self, now: Callable[[], Awaitable[datetime]]) -> float:
        """now: asks the database what time it is."""
        if not isinstance(self._clock, SharedClock):
            await now()
            return 0.0
        await self._clock.look(now)
        return self._clock.ahead_s

    async def _write(self) -> datetime:
        at: datetime = await self._store.fetchval(_BEAT, self.name)
        return at

    async def _read(self) -> datetime:
        at: datetime = await self._store.fetchval("SELECT clock_timestamp()")
        return at

    async def _tell(self, health: Health) -> None:
        if health.clock_right and not self._told_wrong:
            return
        async with self._store.transaction() as tx:
            if health.clock_right:
                await self._alarms.end(tx, AlarmClock, self.name)
            else:
                trouble = AlarmClock(self.name, round(health.clock_ahead_s, 1))
                await self._alarms.sound(tx, trouble, self.name)
        self._told_wrong = not health.clock_right


_BEAT: Final = """
INSERT INTO instance (name, started_at, seen_at) VALUES ($1, clock_timestamp(), clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()
RETURNING clock_timestamp()
"""
