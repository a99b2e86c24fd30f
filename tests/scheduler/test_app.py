"""The timetable: one instance of many runs a job, a failing job stops nothing, stop waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta

from structlog.testing import capture_logs

from core.reports.ticks import GAPS, MAX_TRIES
from core.runtime import Runtime
from core.system.leases import Look
from scheduler import Timetable
from scheduler.jobs import JOBS, Job
from tests.core.support import SetClock, alarms

BOUND_S = 20.0
_request: ContextVar[str | None] = ContextVar("request", default=None)


class Counted:
    """A job's work whose runs are counted."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.runs = 0
        self._fault = fault
        self._changed = asyncio.Condition()

    async def work(self, _: Runtime) -> None:
        async with self._changed:
            self.runs += 1
            self._changed.notify_all()
        if self._fault is not None:
            raise self._fault

    async def until(self, runs: int) -> None:
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(lambda: self.runs >= runs)


@asynccontextmanager
async def ticking(
    runtime: Runtime, *jobs: Job, instances: int = 1, look_s: int = 60
) -> AsyncIterator[None]:
    """While entered, the timetables of so many instances tick; at the end what runs has ended."""
    timetables = [Timetable(runtime, jobs, look_s=look_s) for _ in range(instances)]
    for timetable in timetables:
        timetable.start()
    try:
        yield
    finally:
        for timetable in timetables:
            await timetable.stop()


async def test_of_two_instances_one_runs_a_job_per_slot(runtime: Runtime, clock: SetClock) -> None:
    alone, shared = Counted(), Counted()
    jobs = (Job("alone", 1, True, alone.work), Job("shared", 1, False, shared.work))
    # Every look moves the clock by a millisecond: from the middle of a slot on none ends it.
    for slot in (1, 2):
        clock.go_to(clock.now().replace(microsecond=500_000) + timedelta(seconds=1))
        async with ticking(runtime, *jobs, instances=2):
            await shared.until(slot * 3)
        assert alone.runs == slot


async def test_a_job_runs_as_soon_as_something_is_due_for_it(
    runtime: Runtime, clock: SetClock
) -> None:
    due, idle, gate = Counted(), Counted(), asyncio.Event()

    async def slow(runtime: Runtime) -> None:
        await due.work(runtime)
        await gate.wait()

    seldom = 86_400
    jobs = (
        Job("due", seldom, False, slow, "$1::timestamptz > '2000-01-01'"),
        Job("idle", seldom, False, idle.work, "$1::timestamptz < '2000-01-01'"),
    )
    timetable, look = Timetable(runtime, jobs), Look(runtime.system.store, clock)
    timetable.watch(look)
    await look.look()
    assert due.runs == 0, "the timetable has not begun"
    timetable.start()
    try:
        await look.look()
        await due.until(1)
        await look.look()
        assert due.runs == 1, "it runs already"
        gate.set()
        async with asyncio.timeout(BOUND_S):
            while due.runs < 2:
                await look.look()
    finally:
        gate.set()
        await timetable.stop()
    assert idle.runs == 0


async def test_a_days_job_runs_once_a_day_soon_after_whatever_start(
    runtime: Runtime, clock: SetClock
) -> None:
    daily, beat = Counted(), Counted()
    jobs = (Job("daily", 86_400, True, daily.work), Job("beat", 1, False, beat.work))
    clock.go_to_noon()
    for day in (1, 2):
        for _start in range(2):
            async with ticking(runtime, *jobs, look_s=1):
                await daily.until(day)
                await beat.until(beat.runs + 2)
        assert daily.runs == day
        clock.advance(86_400)
    async with ticking(runtime, *jobs, look_s=1):
        await daily.until(3)
        clock.advance(86_400)
        await daily.until(4)


async def test_a_days_job_that_fails_is_tried_again_in_its_slot_also_after_a_restart(
    runtime: Runtime, clock: SetClock
) -> None:
    daily, beat = Counted(ConnectionError("away")), Counted()
    jobs = (Job("verify_books", 86_400, True, daily.work), Job("beat", 1, False, beat.work))
    clock.go_to_noon()
    for tries in range(1, MAX_TRIES + 1):
        async with ticking(runtime, *jobs, look_s=1, instances=2):
            await daily.until(tries)
            await beat.until(beat.runs + 3)
        assert daily.runs == tries
        assert len(await alarms(runtime)) == (1 if tries == MAX_TRIES else 0)
        clock.advance(GAPS[min(tries, len(GAPS)) - 1].total_seconds() + 1)
    async with ticking(runtime, *jobs, look_s=1):
        await beat.until(beat.runs + 3)
    assert daily.runs == MAX_TRIES


async def test_a_failing_job_stops_neither_the_others_nor_itself(runtime: Runtime) -> None:
    bad, good = Counted(ConnectionError("the supplier is away")), Counted()
    with capture_logs() as logs:
        async with ticking(
            runtime, Job("bad", 1, False, bad.work), Job("good", 1, False, good.work)
        ):
            await asyncio.gather(bad.until(2), good.until(2))
    assert {(log["job"], log["log_level"]) for log in logs} == {("bad", "error")}


async def test_stop_waits_for_what_runs_and_begins_nothing_more(runtime: Runtime) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    ended: list[str | None] = []

    async def work(_: Runtime) -> None:
        begun.set()
        await go_on.wait()
        ended.append(_request.get())

    _request.set("whoever started the desk")
    timetable = Timetable(runtime, (Job("long", 1, False, work),))
    timetable.start()
    await asyncio.wait_for(begun.wait(), BOUND_S)
    stopping = asyncio.create_task(timetable.stop())
    await asyncio.sleep(0)  # stop has begun
    assert not stopping.done()
    go_on.set()
    await asyncio.wait_for(stopping, BOUND_S)
    assert ended == [None], "it ended, once, and saw nothing of who started it"


async def test_a_job_whose_turn_another_instance_took_over_is_ended(runtime: Runtime) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(_: Runtime) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    timetable = Timetable(runtime, (Job("long", 1, True, work),), renew_s=0.05)
    timetable.start()
    await asyncio.wait_for(begun.wait(), BOUND_S)
    # As whoever takes over a turn whose lease ran out.
    await runtime.system.store.execute(
        "UPDATE tick SET lease_until = lease_until + interval '1 minute' WHERE job = 'long'"
    )
    await asyncio.wait_for(ended.wait(), BOUND_S)
    await timetable.stop()


async def test_one_that_never_started_can_be_stopped(runtime: Runtime) -> None:
    await Timetable(runtime).stop()


def test_every_job_has_its_own_name_and_a_pace() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(1 <= job.every_s <= 86_400 for job in JOBS)
