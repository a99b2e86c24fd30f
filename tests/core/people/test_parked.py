"""Messages that cannot be sent: one alarm by chat that counts up, sent again, over when through."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from core.delivery.outbox import AlarmCard, Say, Stored
from core.delivery.outbox.queue import MAX_TRIES
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.alarms import Alarm
from core.runtime import Runtime
from tests.core.support import CHAT, FINANCE, OPERATOR, OPS_CHAT, SUPPORT, SetClock


@dataclass
class Post:
    """An outbox that begins empty, to a Telegram that takes alarms alone."""

    runtime: Runtime
    alarm_ids: list[str] = field(default_factory=list)

    async def leave(self, chat_id: int, *, parks: tuple[str, ...], fault: str = "") -> list[str]:
        """Send what is due, screens of `parks` left out; what went to a chat, in its order."""
        outbox, went = self.runtime.delivery.outbox, []
        while leaving := await outbox.take(50):
            for one in leaving:
                if isinstance(one.fact, AlarmCard):
                    self.alarm_ids.append(one.fact.alarm_id)
                    await outbox.sent(one)
                    continue
                assert isinstance(one.fact, Say)
                if one.chat_id == chat_id:
                    went.append(one.fact.screen)
                if one.fact.screen in parks:
                    await outbox.park(one, fault=fault)
                else:
                    await outbox.sent(one)
        return went

    async def park(self, *names: str, chat_id: int = CHAT) -> None:
        for name in names:
            say = Say(Stored(name, {"record_no": name}))
            await self.runtime.delivery.outbox.say(self.runtime.system.store, chat_id, say)
        await self.leave(chat_id, parks=names, fault="Forbidden: bot was kicked")

    async def told(self) -> list[Alarm]:
        """The alarms since the last look, as they are now."""
        told, self.alarm_ids = dict.fromkeys(self.alarm_ids), []
        return [await self.runtime.people.alarms.get(UUID(alarm_id)) for alarm_id in told]


@pytest.fixture
async def post(runtime: Runtime) -> Post:
    await runtime.system.store.execute("DELETE FROM outbox")
    return Post(runtime)


async def person(runtime: Runtime, user_id: int, chat_id: int = OPS_CHAT) -> Actor:
    return await runtime.people.access.actor(user_id, "x", chat_id, private=False)


async def test_parked_messages_of_a_chat_are_one_alarm_until_all_are_through(
    post: Post, clock: SetClock
) -> None:
    parked, finance = post.runtime.people.parked, await person(post.runtime, FINANCE)
    await post.park("a", "b", "c")
    (of_group,) = await post.told()
    assert (of_group.kind, of_group.subject, of_group.count) == ("parked", str(CHAT), 3)
    group = await post.runtime.people.groups.find(CHAT)
    assert group is not None
    assert of_group.facts["chat"] == group.title
    assert "kicked" in of_group.facts["fault"]
    shown = await parked.of_chat(CHAT)
    assert [(m.number, m.topic) for m in shown] == [("c", "say"), ("b", "say"), ("a", "say")]
    await post.park("x", chat_id=OPERATOR)
    (of_person,) = await post.told()
    assert of_person.count == 1
    assert not of_person.facts["chat"].isdigit(), "people are called by their names"

    assert await parked.send_again(finance, CHAT) == 3
    clock.advance(1)
    assert await post.leave(CHAT, parks=("b",), fault="still kicked") == ["a", "b", "c"]
    (alarm,) = await post.told()
    assert (alarm.state, alarm.count, alarm.facts["fault"]) == ("standing", 4, "still kicked")
    assert await parked.send_again(finance, CHAT) == 1
    clock.advance(1)
    assert await post.leave(CHAT, parks=()) == ["b"]
    (alarm,) = await post.told()
    assert (alarm.id, alarm.state) == (of_group.id, "over")
    assert await parked.of_chat(CHAT) == []


async def test_what_is_tried_too_often_is_told_as_well(post: Post, clock: SetClock) -> None:
    outbox = post.runtime.delivery.outbox
    await outbox.say(post.runtime.system.store, CHAT, Say(Stored("a", {})))
    for _ in range(MAX_TRIES):
        (one,) = await outbox.take(50)
        await outbox.put_off(one, seconds=1, fault="Bad Gateway")
        clock.advance(2)
    await post.leave(CHAT, parks=())
    (alarm,) = await post.told()
    assert (alarm.count, alarm.facts["fault"]) == (1, "Bad Gateway")


async def test_an_alarm_that_cannot_be_told_raises_none(post: Post) -> None:
    outbox, store = post.runtime.delivery.outbox, post.runtime.system.store
    await outbox.say(store, CHAT, Say(Stored("a", {})))
    for kind in (Say, AlarmCard):  # the message, then its alarm
        (leaving,) = await outbox.take(50)
        assert isinstance(leaving.fact, kind)
        await outbox.park(leaving, fault="Forbidden: bot was kicked")
    assert await outbox.take(50) == []
    assert await store.fetchval("SELECT count(*) FROM alarm") == 1


async def test_whoever_lost_the_lease_parks_nothing(post: Post, clock: SetClock) -> None:
    outbox = post.runtime.delivery.outbox
    await outbox.say(post.runtime.system.store, CHAT, Say(Stored("a", {})))
    (late,) = await outbox.take(50)
    clock.advance(60)
    (now,) = await outbox.take(50)
    await outbox.park(late, fault="x")
    await outbox.sent(now)
    assert await outbox.backlog() == {}


async def test_sending_again_takes_a_right_and_a_chat_of_staff(post: Post) -> None:
    await post.park("a")
    for user_id, chat_id, code in (
        (SUPPORT, OPS_CHAT, "not_permitted"), (FINANCE, CHAT, "record_not_found"),
    ):  # fmt: skip
        actor = await person(post.runtime, user_id, chat_id)
        with pytest.raises(Refusal) as error:
            await post.runtime.people.parked.send_again(actor, CHAT)
        assert error.value.code == code
    assert len(await post.runtime.people.parked.of_chat(CHAT)) == 1
