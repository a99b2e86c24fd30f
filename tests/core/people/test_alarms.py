"""Alarms: told once, counted up while they stand, ended, told anew after that or after a day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.people.alarms import TOLD_AGAIN_AFTER
from core.reports.verify import AlarmBooks
from core.runtime import Runtime
from tests.core.support import OPS_CHAT, SetClock, alarms


async def sound(runtime: Runtime, subject: str, *, times: int = 1, first: str = "x") -> None:
    async with runtime.system.store.transaction() as tx:
        await runtime.people.alarms.sound(tx, AlarmBooks(1, first), subject, times=times)


async def end(runtime: Runtime, subject: str) -> None:
    async with runtime.system.store.transaction() as tx:
        await runtime.people.alarms.end(tx, AlarmBooks, subject)


@pytest.fixture
async def runtime(runtime: Runtime) -> Runtime:
    await runtime.system.store.execute("DELETE FROM outbox")
    return runtime


async def test_what_stands_counts_up_and_what_is_over_begins_anew(
    runtime: Runtime, clock: SetClock
) -> None:
    await sound(runtime, "a", first="one")
    (first,) = await alarms(runtime)
    assert (first.state, first.count, first.facts["first"]) == ("standing", 1, "one")
    clock.advance(100)
    await sound(runtime, "a", times=3, first="two")
    await sound(runtime, "b")
    again, other = await alarms(runtime)
    assert (again.id, again.count, again.facts["first"]) == (first.id, 4, "two")
    assert again.first_at == first.first_at
    assert again.last_at - again.first_at >= timedelta(seconds=100)
    assert (other.subject, other.count) == ("b", 1)

    await end(runtime, "a")
    (over,) = await alarms(runtime)
    assert (over.id, over.state, over.count) == (first.id, "over", 4)
    await end(runtime, "a")
    assert await alarms(runtime) == [], "what is over cannot end"
    await sound(runtime, "a")
    (anew,) = await alarms(runtime)
    assert anew.id != first.id
    assert (anew.state, anew.count) == ("standing", 1)


async def test_after_a_day_it_is_told_anew(runtime: Runtime, clock: SetClock) -> None:
    await sound(runtime, "a")
    (first,) = await alarms(runtime)
    clock.advance(TOLD_AGAIN_AFTER.total_seconds() - 60)
    await sound(runtime, "a")
    assert [a.id for a in await alarms(runtime)] == [first.id]
    clock.advance(60)
    await sound(runtime, "a")
    former, anew = await alarms(runtime)
    assert (former.id, former.state, former.count) == (first.id, "renewed", 2)
    assert (anew.state, anew.count) == ("standing", 1)


async def test_it_commits_with_its_cause(runtime: Runtime) -> None:
    async def fail() -> None:
        async with runtime.system.store.transaction() as tx:
            await runtime.people.alarms.sound(tx, AlarmBooks(1, "x"), "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await alarms(runtime) == []
    assert not await runtime.system.store.fetchval("SELECT EXISTS (SELECT FROM alarm)")


async def test_many_at_once_are_one_alarm(runtime: Runtime) -> None:
    await asyncio.gather(*(sound(runtime, "a") for _ in range(8)))
    (one,) = await alarms(runtime)
    assert one.count == 8


async def test_only_ops_groups_are_told(runtime: Runtime) -> None:
    await sound(runtime, "a")
    assert [(one.chat_id, one.fact.topic) for one in await runtime.delivery.outbox.take(50)] == [
        (OPS_CHAT, "alarm")
    ]


async def test_none_is_found_that_is_not_there(runtime: Runtime) -> None:
    with pytest.raises(Refusal) as error:
        await runtime.people.alarms.get(UUID(int=7))
    assert error.value.code == "record_not_found"
