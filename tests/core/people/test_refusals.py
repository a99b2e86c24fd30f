"""Refusals spend one message per person and minute, and none of them is lost."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.delivery.outbox import Say, Stored
from core.people.refusals import KEPT, MAX_HELD, TOLD_EVERY, HeldRefusal
from core.runtime import Runtime
from tests.core.support import CHAT, FINANCE, OPERATOR, SetClock, facts
from tests.sizes import size

STEP_S = 10
MINUTE_S = TOLD_EVERY.total_seconds()
PEOPLE = (FINANCE, OPERATOR)


class Chatter:
    """People whose messages are refused in a group."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.held: list[HeldRefusal] = []
        self._said: list[Say] = []
        self._messages = count(1)
        runtime.people.refusals.on_held(self.held.append)

    async def refused(
        self, user_id: int = FINANCE, *, alone: bool = False, message_id: int | None = None
    ) -> int:
        actor = await self.runtime.people.access.actor(user_id, "x", CHAT, private=False)
        message_id = message_id or next(self._messages)
        say = Say(
            Stored("refusal", {"code": f"c{message_id}", "facts": {}, "line": 0}),
            reply_to=message_id,
            only_for=user_id if alone else None,
        )  # fmt: skip
        await self.runtime.people.refusals.tell(actor, say, f"+{message_id}")
        return message_id

    async def said(self) -> list[Say]:
        self._said += [f for f in await facts(self.runtime, CHAT) if isinstance(f, Say)]
        return self._said

    async def told(self) -> list[int]:
        """The messages that were answered, in the order in which they were."""
        return [message_id for say in await self.said() for message_id in messages_of(say)]


def messages_of(say: Say) -> list[int]:
    one = say.facts.get("told") or [{"facts": say.facts}]
    return [int(told["facts"]["code"][1:]) for told in one]


@pytest.fixture
async def chatter(runtime: Runtime) -> Chatter:
    return Chatter(runtime)


async def test_the_first_is_said_at_once_and_the_others_together(
    chatter: Chatter, clock: SetClock
) -> None:
    due = chatter.runtime.people.refusals.tell_due
    for _ in range(8):
        await chatter.refused()
    assert await chatter.told() == [1]
    assert [held.message_id for held in chatter.held] == [2, 3, 4, 5, 6, 7, 8]
    assert await due(10) == 0
    clock.advance(MINUTE_S + 1)
    assert await due(10) == 1
    _, together = await chatter.said()
    assert (together.screen, together.reply_to) == ("refusals", 8)
    assert [one["quote"] for one in together.facts["told"]] == [f"+{n}" for n in range(2, 9)]
    await chatter.refused()
    assert await due(10) == 0, "the next minute has begun"
    clock.advance(MINUTE_S + 1)
    assert await due(10) == 1
    assert (await chatter.said())[-1].screen == "refusal", "one alone is as it would have been"
    clock.advance(MINUTE_S + 1)
    await chatter.refused()
    assert await chatter.told() == list(range(1, 11))


async def test_people_do_not_take_each_others_minute(chatter: Chatter) -> None:
    await chatter.refused(FINANCE)
    await chatter.refused(OPERATOR)
    assert await chatter.told() == [1, 2]


async def test_what_one_person_alone_may_see_is_not_told_to_all(
    chatter: Chatter, clock: SetClock
) -> None:
    for alone in (False, True, False, True):
        await chatter.refused(alone=alone)
    assert [held.aloud for held in chatter.held] == [False, True, False]
    for _ in range(2):
        clock.advance(MINUTE_S + 1)
        await chatter.runtime.people.refusals.tell_due(10)
    _, aloud, alone_said = await chatter.said()
    assert (aloud.only_for, messages_of(aloud)) == (None, [3])
    assert (alone_said.only_for, messages_of(alone_said)) == (FINANCE, [2, 4])


async def test_one_message_is_answered_once_however_often_it_comes(
    chatter: Chatter, clock: SetClock
) -> None:
    await asyncio.gather(*(chatter.refused(message_id=7) for _ in range(5)))
    await asyncio.gather(*(chatter.refused(message_id=8) for _ in range(5)))
    clock.advance(MINUTE_S + 1)
    tell = chatter.runtime.people.refusals.tell_due
    await asyncio.gather(*(tell(10) for _ in range(4)))  # four desks
    assert await chatter.told() == [7, 8]


async def test_a_flood_is_kept_within_bounds_and_forgotten(
    chatter: Chatter, clock: SetClock
) -> None:
    for _ in range(MAX_HELD + 10):
        await chatter.refused()
    assert len(chatter.held) == MAX_HELD + 9
    clock.advance(MINUTE_S + 1)
    await chatter.runtime.people.refusals.tell_due(10)
    assert len(await chatter.told()) == MAX_HELD + 1
    assert await chatter.runtime.people.refusals.forget_old() == 0
    clock.advance(KEPT.total_seconds() + 1)
    assert await chatter.runtime.people.refusals.forget_old() == MAX_HELD + 1


@settings(
    max_examples=size(8, 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.integers(0, 50)),
        min_size=1, max_size=10,
    )
)  # fmt: skip
async def test_in_any_minute_each_person_costs_one_message_and_hears_of_all(
    runtime: Runtime, clock: SetClock, words: list[tuple[int, bool, int]]
) -> None:
    await runtime.system.store.execute("DELETE FROM refusal")
    await runtime.system.store.execute("DELETE FROM outbox")
    chatter = Chatter(runtime)
    said_at: dict[int, list[float]] = {user_id: [] for user_id in PEOPLE}
    refused: dict[int, set[int]] = {user_id: set() for user_id in PEOPLE}
    seen, elapsed_s = 0, 0.0

    async def look() -> None:
        nonlocal seen
        told = await chatter.said()
        for say in told[seen:]:
            (whose,) = {u for u in PEOPLE if set(messages_of(say)) <= refused[u]}
            said_at[whose].append(elapsed_s)
            assert say.only_for in (None, whose)
        seen = len(told)

    async def passing(seconds: int) -> None:
        nonlocal elapsed_s
        for _ in range(0, seconds, STEP_S):
            clock.advance(STEP_S)
            elapsed_s += STEP_S
            await runtime.people.refusals.tell_due(10)
            await look()

    for user_id, alone, rest_s in words:
        actor_message = await chatter.refused(user_id, alone=alone)
        refused[user_id].add(actor_message)
        await look()
        await passing(rest_s)
    await passing(200)
    for user_id in PEOPLE:
        gaps = [b - a for a, b in zip(said_at[user_id], said_at[user_id][1:], strict=False)]
        assert all(gap >= MINUTE_S for gap in gaps), said_at
    assert sorted(await chatter.told()) == sorted(set().union(*refused.values()))
