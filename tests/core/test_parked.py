"""Messages that cannot be sent: one alarm by chat that counts up, sent again, over when through."""

from __future__ import annotations

import pytest

from core.access import Actor
from core.alarms import Alarm
from core.errors import Refusal
from core.outbox import AlarmCard, Say
from core.outbox.queue import MAX_TRIES
from core.runtime import Runtime
from tests.core.support import CHAT, FINANCE, OPERATOR, OPS_CHAT, SUPPORT, SetClock, alarms


@pytest.fixture
async def quiet(runtime: Runtime) -> Runtime:
    """A runtime whose outbox is empty."""
    await runtime.store.execute("DELETE FROM outbox")
    return runtime


async def park(runtime: Runtime, *names: str, chat_id: int = CHAT) -> None:
    """Messages that Telegram does not take: there for ever."""
    for name in names:
        say = Say(name, {"record_no": name})
        await runtime.outbox.say(runtime.store, chat_id, say)
        (leaving,) = [one for one in await runtime.outbox.take(50) if one.chat_id == chat_id]
        await runtime.outbox.park(leaving, fault="Forbidden: bot was kicked")


async def told(runtime: Runtime) -> list[Alarm]:
    return [alarm for alarm in await alarms(runtime) if alarm.kind == "parked"]


async def person(runtime: Runtime, user_id: int, chat_id: int = OPS_CHAT) -> Actor:
    return await runtime.access.actor(user_id, "x", chat_id, private=False)


async def test_parked_messages_of_a_chat_are_one_alarm_until_all_are_through(
    quiet: Runtime, clock: SetClock
) -> None:
    await park(quiet, "a", "b", "c")
    await park(quiet, "x", chat_id=OPERATOR)
    of_person, of_group = sorted(await told(quiet), key=lambda alarm: alarm.count)
    assert (of_group.subject, of_group.count) == (str(CHAT), 3)
    group = await quiet.groups.find(CHAT)
    assert group is not None
    assert of_group.facts["chat"] == group.title
    assert "kicked" in of_group.facts["fault"]
    assert of_person.count == 1
    assert not of_person.facts["chat"].isdigit(), "people are called by their names"
    shown = await quiet.parked.of_chat(CHAT)
    assert [(m.number, m.topic) for m in shown] == [("c", "say"), ("b", "say"), ("a", "say")]

    assert await quiet.parked.send_again(await person(quiet, FINANCE), CHAT) == 3
    clock.advance(1)
    left = []
    while leaving := [one for one in await quiet.outbox.take(50) if one.chat_id == CHAT]:
        (one,) = leaving
        assert isinstance(one.fact, Say)
        left.append(one.fact.screen)
        if one.fact.screen == "b":
            await quiet.outbox.park(one, fault="still kicked")
        else:
            await quiet.outbox.sent(one)
    assert left == ["a", "b", "c"]
    (alarm,) = await told(quiet)
    assert (alarm.state, alarm.count, alarm.facts["fault"]) == ("standing", 4, "still kicked")

    assert await quiet.parked.send_again(await person(quiet, FINANCE), CHAT) == 1
    clock.advance(1)
    (one,) = [one for one in await quiet.outbox.take(50) if one.chat_id == CHAT]
    await quiet.outbox.sent(one)
    (alarm,) = await told(quiet)
    assert (alarm.id, alarm.state) == (of_group.id, "over")
    assert await quiet.parked.of_chat(CHAT) == []


async def test_what_is_tried_too_often_is_told_as_well(quiet: Runtime, clock: SetClock) -> None:
    await quiet.outbox.say(quiet.store, CHAT, Say("a"))
    for tries in range(1, MAX_TRIES + 1):
        assert await told(quiet) == [], tries
        clock.advance(60)
        (one,) = [one for one in await quiet.outbox.take(50) if one.chat_id == CHAT]
        await quiet.outbox.put_off(one, seconds=1, fault="Bad Gateway")
    (alarm,) = await told(quiet)
    assert (alarm.count, alarm.facts["fault"]) == (1, "Bad Gateway")


async def test_an_alarm_that_cannot_be_told_raises_none(quiet: Runtime) -> None:
    await park(quiet, "a")
    (leaving,) = await quiet.outbox.take(50)
    assert isinstance(leaving.fact, AlarmCard)
    await quiet.outbox.park(leaving, fault="Forbidden: bot was kicked")
    assert await told(quiet) == []
    assert await quiet.store.fetchval("SELECT count(*) FROM alarm") == 1


async def test_whoever_lost_the_lease_parks_nothing(quiet: Runtime, clock: SetClock) -> None:
    await quiet.outbox.say(quiet.store, CHAT, Say("a"))
    (late,) = await quiet.outbox.take(50)
    clock.advance(60)
    (now,) = await quiet.outbox.take(50)
    await quiet.outbox.park(late, fault="x")
    assert await told(quiet) == []
    await quiet.outbox.sent(now)
    assert await quiet.outbox.backlog() == {}


async def test_sending_again_takes_a_right_and_a_chat_of_staff(quiet: Runtime) -> None:
    await park(quiet, "a")
    for actor, code in (
        (await person(quiet, SUPPORT), "not_permitted"),
        (await person(quiet, FINANCE, CHAT), "record_not_found"),
    ):
        with pytest.raises(Refusal) as error:
            await quiet.parked.send_again(actor, CHAT)
        assert error.value.code == code
    assert len(await quiet.parked.of_chat(CHAT)) == 1
