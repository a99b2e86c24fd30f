"""Turns of the timetable: which instance runs a job, and what becomes of one that fails.

A job has one row. Whoever takes its turn holds it with a lease; a turn whose lease ran out has
failed as one that raised has: its instance died. A failed turn is taken again in its slot, after
growing gaps and a bounded number of times; the row keeps that over restarts. A job that fails as
often as that in a row, in one slot or in several, is an alarm until it succeeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.kernel.clock import Clock
from core.people.alarms import Alarms, Trouble
from core.system.store import Store, Tx

LEASE: Final = timedelta(seconds=60)
# Before each further try in the same slot.
GAPS: Final = tuple(timedelta(seconds=s) for s in (60, 300, 1200, 3600))
MAX_TRIES: Final = len(GAPS) + 1
DIED: Final = "its instance ended"


@dataclass(frozen=True, slots=True)
class AlarmJob(Trouble):
    """The timetable fails. failures: in a row. fault: of what kind the last one was."""

    job: str
    failures: int
    fault: str


@dataclass(frozen=True, slots=True)
class Tick:
    """How a job's newest turn stands. tries: in its slot; failures: in a row, over all slots.

    state: running | done | failed. due_at: when a failed one may be tried again.
    """

    slot: datetime
    state: str
    tries: int
    failures: int
    due_at: datetime
    lease_until: datetime

    def died(self, now: datetime) -> bool:
        """Whether whoever ran it is gone."""
        return self.state == "running" and self.lease_until <= now

    def free(self, slot: datetime, now: datetime) -> bool:
        """Whether it may be taken for a slot. A turn that still runs holds up the next slot."""
        if self.state == "running":
            return False
        if slot > self.slot:
            return True
        return self.state == "failed" and self.tries < MAX_TRIES and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that was taken: it is ended before its lease does, or the lease is renewed."""

    job: str
    slot: datetime
    lease_until: datetime


class Ticks:
    """Gives turns, one at a time for each job."""

    def __init__(self, store: Store, clock: Clock, alarms: Alarms) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms

    async def take(self, job: str, every_s: int) -> Turn | None:
        """The job's turn of the slot that it is now; None where it is not to be run.

        Slots are the multiples of every_s since 1970.
        """
        now = self._clock.now()
        slot = now - timedelta(seconds=int(now.timestamp()) % every_s, microseconds=now.microsecond)
        turn = Turn(job, slot, now + LEASE)
        if await self._store.execute(_FIRST, job, slot, now, turn.lease_until):
            return turn
        tick = _read(await self._store.fetchrow(_LOOK, job))
        if not tick.died(now) and not tick.free(slot, now):
            return None
        async with self._store.transaction() as tx:
            tick = await _locked(tx, job)
            if tick.died(now):
                tick = await self._failed(tx, job, tick, DIED)
            if not tick.free(slot, now):
                return None
            tries = tick.tries + 1 if tick.slot == slot else 1
            await tx.execute(_TAKE, job, slot, tries, turn.lease_until)
            return turn

    async def renew(self, turn: Turn) -> Turn | None:
        """It is still running. None: it is no longer ours, and another instance may run it."""
        renewed = Turn(turn.job, turn.slot, self._clock.now() + LEASE)
        if await self._store.execute(_RENEW, turn.job, turn.lease_until, renewed.lease_until):
            return renewed
        return None

    async def done(self, turn: Turn) -> None:
        """It succeeded: an alarm that stands for the job is over."""
        if await self._store.execute(_DONE_AS_EVER, turn.job, turn.lease_until, MAX_TRIES):
            return
        async with self._store.transaction() as tx:
            tick = await _locked(tx, turn.job)
            if tick.state != "running" or tick.lease_until != turn.lease_until:
                return
            await tx.execute(_DONE, turn.job)
            if tick.failures >= MAX_TRIES:
                await self._alarms.end(tx, AlarmJob, turn.job)

    async def failed(self, turn: Turn, fault: str) -> None:
        """It raised. fault: of what kind, for people; the log has the rest."""
        async with self._store.transaction() as tx:
            tick = await _locked(tx, turn.job)
            if tick.state == "running" and tick.lease_until == turn.lease_until:
                await self._failed(tx, turn.job, tick, fault)

    async def _failed(self, tx: Tx, job: str, tick: Tick, fault: str) -> Tick:
        gap = GAPS[tick.tries - 1] if tick.tries < MAX_TRIES else timedelta()
        row = await tx.fetchrow(_FAILED, job, self._clock.now() + gap)
        after = _read(row)
        if after.failures >= MAX_TRIES:
            await self._alarms.sound(tx, AlarmJob(job, after.failures, fault), job)
        return after


async def _locked(tx: Tx, job: str) -> Tick:
    return _read(await tx.fetchrow(_LOCK, job))


def _read(row: Any) -> Tick:
    return Tick(**dict(row))


_LOOK: Final = "SELECT slot, state, tries, failures, due_at, lease_until FROM tick WHERE job = $1"
_LOCK: Final = f"{_LOOK} FOR UPDATE"
# The first of its slot.
_FIRST: Final = (
    "INSERT INTO tick AS t (job, slot, due_at, lease_until) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (job) DO UPDATE SET slot = excluded.slot, state = 'running', tries = 1,"
    " lease_until = excluded.lease_until WHERE t.slot < excluded.slot AND t.state <> 'running'"
)
_TAKE: Final = (
    "UPDATE tick SET slot = $2, state = 'running', tries = $3, lease_until = $4 WHERE job = $1"
)
_RENEW: Final = (
    "UPDATE tick SET lease_until = $3 WHERE job = $1 AND state = 'running' AND lease_until = $2"
)
_DONE_AS_EVER: Final = (
    "UPDATE tick SET state = 'done', failures = 0"
    " WHERE job = $1 AND state = 'running' AND lease_until = $2 AND failures < $3"
)
_DONE: Final = "UPDATE tick SET state = 'done', failures = 0 WHERE job = $1"
_FAILED: Final = (
    "UPDATE tick SET state = 'failed', failures = failures + 1, due_at = $2 WHERE job = $1"
    " RETURNING slot, state, tries, failures, due_at, lease_until"
)
