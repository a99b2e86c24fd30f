"""Alarms: told once, counted up while they stand, ended, told anew after that or after a day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.alarms import PAGE_SIZE, TOLD_AGAIN_AFTER
from core.people.factors import AlarmFactor
from core.reports.verify import AlarmBooks
from core.runtime import Runtime
from tests.core.support import CHAT, FINANCE, OPERATOR, OPS_CHAT, SetClock, alarms


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


async def person(runtime: Runtime, user_id: int, chat_id: int = OPS_CHAT) -> Actor:
    return await runtime.people.access.actor(user_id, f"person {user_id}", chat_id, private=False)


async def test_somebody_takes_it_and_it_stays_theirs_when_it_is_told_anew(
    runtime: Runtime, clock: SetClock
) -> None:
    await sound(runtime, "a")
    (told,) = await alarms(runtime)
    assert (told.taken_by, told.taken_by_name) == (None, "")
    first, second = await person(runtime, FINANCE), await person(runtime, OPERATOR)
    for actor, times in ((first, 2), (second, 1)):
        for _ in range(times):
            await runtime.people.alarms.take(actor, told.id)
        (taken,) = await alarms(runtime)
        assert (taken.taken_by, taken.taken_by_name) == (actor.user_id, actor.name)
        assert await alarms(runtime) == []
    deeds = await runtime.system.store.fetch("SELECT actor, facts FROM audit ORDER BY id")
    taken_deeds = [row for row in deeds if row["facts"].get("alarm") == "books"]
    assert [row["actor"] for row in taken_deeds] == [first.trail_name, second.trail_name]
    clock.advance(TOLD_AGAIN_AFTER.total_seconds())
    await sound(runtime, "a")
    former, anew = await alarms(runtime)
    assert (former.state, anew.state) == ("renewed", "standing")
    assert anew.taken_by == second.user_id
    with pytest.raises(Refusal) as error:
        await runtime.people.alarms.take(first, former.id)
    assert error.value.code == "alarm_over"


async def test_what_the_desk_cannot_see_ends_by_a_persons_word(runtime: Runtime) -> None:
    await sound(runtime, "a")
    async with runtime.system.store.transaction() as tx:
        trouble = AlarmFactor(7, "somebody", tries=5, minutes=15)
        await runtime.people.alarms.sound(tx, trouble, "7")
    of_books, of_factor = await alarms(runtime)
    actor = await person(runtime, FINANCE)
    with pytest.raises(Refusal) as error:
        await runtime.people.alarms.close(actor, of_books.id)
    assert error.value.code == "alarm_ends_itself"
    await runtime.people.alarms.close(actor, of_factor.id)
    (over,) = await alarms(runtime)
    assert (over.id, over.state, over.ended_by_name) == (of_factor.id, "over", actor.name)
    with pytest.raises(Refusal) as error:
        await runtime.people.alarms.close(actor, of_factor.id)
    assert error.value.code == "alarm_over"


async def test_only_staff_among_themselves_take_and_list_alarms(runtime: Runtime) -> None:
    await sound(runtime, "a")
    (told,) = await alarms(runtime)
    for user_id, chat_id in ((FINANCE, CHAT), (9999, OPS_CHAT)):
        actor = await person(runtime, user_id, chat_id)
        for verb in (runtime.people.alarms.take, runtime.people.alarms.close):
            with pytest.raises(Refusal):
                await verb(actor, told.id)
        with pytest.raises(Refusal):
            await runtime.people.alarms.standing(actor, 1)
    assert (await runtime.people.alarms.get(told.id)).taken_by is None


async def test_those_that_stand_are_listed_the_oldest_first(
    runtime: Runtime, clock: SetClock
) -> None:
    actor = await person(runtime, FINANCE)
    empty = await runtime.people.alarms.standing(actor, 1)
    assert (empty.total, empty.pages, empty.lines) == (0, 1, ())
    for number in range(PAGE_SIZE + 2):
        await sound(runtime, f"a{number}")
        clock.advance(60)
    await end(runtime, "a0")
    first = await runtime.people.alarms.standing(actor, 1)
    assert [one.subject for one in first.lines] == [f"a{n}" for n in range(1, PAGE_SIZE + 1)]
    last = await runtime.people.alarms.standing(actor, 7)
    assert (last.page, last.pages, last.first, last.total) == (2, 2, PAGE_SIZE + 1, PAGE_SIZE + 1)
    assert [one.subject for one in last.lines] == [f"a{PAGE_SIZE + 1}"]


async def test_what_is_left_is_said_without_counting_it_anew(runtime: Runtime) -> None:
    await sound(runtime, "a")
    for facts in (AlarmBooks(7, "less"), AlarmBooks(7, "less")):
        async with runtime.system.store.transaction() as tx:
            await runtime.people.alarms.amend(tx, facts, "a")
            await runtime.people.alarms.amend(tx, facts, "of which none stands")
    (told,) = await alarms(runtime)
    assert (told.state, told.count, told.trouble(AlarmBooks)) == ("standing", 1, facts)
