"""Turns of the timetable: one instance at a time, failed ones again, and who hears of it."""

from __future__ import annotations

import asyncio

import pytest

from core.reports.ticks import DIED, GAPS, LEASE, MAX_TRIES, Ticks, Turn
from core.runtime import Runtime
from tests.core.support import SetClock, alarms

DAY_S = 86_400


async def taken(runtime: Runtime, every_s: int = DAY_S) -> Turn:
    turn = await runtime.reports.ticks.take("verify_books", every_s)
    assert turn is not None
    return turn


async def none_is_due(runtime: Runtime, every_s: int = DAY_S) -> bool:
    return await runtime.reports.ticks.take("verify_books", every_s) is None


async def test_of_many_at_once_one_has_the_turn(runtime: Runtime, clock: SetClock) -> None:
    clock.go_to_noon()
    for _ in range(2):
        turns = await asyncio.gather(*(runtime.reports.ticks.take("job", DAY_S) for _ in range(5)))
        (turn,) = [turn for turn in turns if turn is not None]
        assert turn.slot.timestamp() % DAY_S == 0
        await runtime.reports.ticks.done(turn)
        assert await runtime.reports.ticks.take("job", DAY_S) is None
        clock.advance(DAY_S)


async def test_a_failed_turn_is_taken_again_after_growing_gaps(
    runtime: Runtime, clock: SetClock
) -> None:
    clock.go_to_noon()
    for gap in GAPS:
        await runtime.reports.ticks.failed(await taken(runtime), "ConnectionError")
        clock.advance(gap.total_seconds() - 1)
        assert await none_is_due(runtime)
        clock.advance(2)
    assert await alarms(runtime) == []
    await runtime.reports.ticks.done(await taken(runtime))
    assert await none_is_due(runtime)
    assert await alarms(runtime) == [], "nobody heard of what mended itself"


async def test_a_job_that_keeps_failing_is_heard_of_until_it_succeeds(
    runtime: Runtime, clock: SetClock
) -> None:
    clock.go_to_noon()
    for gap in (*GAPS, LEASE):
        await runtime.reports.ticks.failed(await taken(runtime), "ConnectionError")
        clock.advance(gap.total_seconds() + 1)
    (alarm,) = await alarms(runtime)
    assert (alarm.kind, alarm.subject, alarm.state, alarm.count) == (
        "job", "verify_books", "standing", 1
    )  # fmt: skip
    facts = {"job": "verify_books", "failures": MAX_TRIES, "fault": "ConnectionError"}
    assert alarm.facts == facts
    clock.advance(8 * 3600)
    assert await none_is_due(runtime), "its slot is used up"
    # The next slot: it counts on, and the alarm is over once it succeeds.
    clock.advance(16 * 3600)
    await runtime.reports.ticks.failed(await taken(runtime), "KeyError")
    clock.advance(GAPS[0].total_seconds() + 1)
    told = {alarm.state: alarm for alarm in await alarms(runtime)}
    assert set(told) == {"renewed", "standing"}, "it is told anew every day"
    assert told["standing"].facts == facts | {"failures": MAX_TRIES + 1, "fault": "KeyError"}
    await runtime.reports.ticks.done(await taken(runtime))
    clock.advance(10)
    (alarm,) = await alarms(runtime)
    assert alarm.state == "over"


async def test_a_frequent_job_fails_over_many_slots(runtime: Runtime, clock: SetClock) -> None:
    for _ in range(MAX_TRIES):
        assert await alarms(runtime) == []
        await runtime.reports.ticks.failed(await taken(runtime, 10), "ConnectionError")
        clock.advance(10)
    assert [alarm.subject for alarm in await alarms(runtime)] == ["verify_books"]


async def test_a_turn_whose_instance_died_has_failed(runtime: Runtime, clock: SetClock) -> None:
    clock.go_to_noon()
    for gap in (*GAPS, LEASE):
        died = await taken(runtime)
        clock.advance(LEASE.total_seconds() - 1)
        assert await none_is_due(runtime), "it may still be running"
        clock.advance(2)
        assert await none_is_due(runtime), "it has failed, and its gap begins"
        await runtime.reports.ticks.done(died)  # too late: it is no longer its turn
        clock.advance(gap.total_seconds() + 1)
    (alarm,) = await alarms(runtime)
    assert alarm.facts["fault"] == DIED


async def test_a_long_job_keeps_its_turn_into_the_next_slot(
    runtime: Runtime, clock: SetClock
) -> None:
    turn = await taken(runtime, 60)
    for _ in range(5):
        clock.advance(LEASE.total_seconds() - 1)
        renewed = await runtime.reports.ticks.renew(turn)
        assert renewed is not None
        turn = renewed
        assert await none_is_due(runtime, 60)
    await runtime.reports.ticks.done(turn)
    await runtime.reports.ticks.done(await taken(runtime, 60))


async def test_a_turn_that_another_instance_took_over_is_not_renewed(
    runtime: Runtime, clock: SetClock
) -> None:
    lost = await taken(runtime, 60)
    clock.advance(LEASE.total_seconds() + 1)
    theirs = await taken(runtime, 60)
    assert await runtime.reports.ticks.renew(lost) is None
    assert await runtime.reports.ticks.renew(theirs) is not None


@pytest.mark.parametrize("end", ["done", "failed"])
async def test_another_instance_sees_the_same(runtime: Runtime, clock: SetClock, end: str) -> None:
    clock.go_to_noon()
    other = Ticks(runtime.system.store, clock, runtime.people.alarms)
    turn = await taken(runtime)
    assert await other.take("verify_books", DAY_S) is None
    if end == "done":
        await runtime.reports.ticks.done(turn)
    else:
        await runtime.reports.ticks.failed(turn, "KeyError")
        clock.advance(GAPS[0].total_seconds() + 1)
    assert (await other.take("verify_books", DAY_S) is None) == (end == "done")
