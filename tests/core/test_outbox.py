"""What leaves: once per thing that waits, one at a time per chat, and never lost."""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import replace

import pytest

from core.outbox import Bill, Card, DeskBill, Fact, Outbox, Say
from core.outbox.queue import MAX_TRIES
from core.runtime import Runtime
from tests.core.support import SetClock

ONE, TWO = -1, -2
BILL = Bill(merchant_id="m")


@pytest.fixture
async def quiet(runtime: Runtime, clock: SetClock) -> Runtime:
    """A runtime whose outbox is empty, and which nobody looks on at."""
    await runtime.store.execute("DELETE FROM outbox")
    return replace(runtime, outbox=Outbox(runtime.store, clock, runtime.ids))


async def put(runtime: Runtime, chat_id: int, fact: Fact, dedupe_key: str | None = None) -> None:
    await runtime.outbox.say(runtime.store, chat_id, fact, dedupe_key=dedupe_key)


async def test_what_waits_is_not_put_in_twice_but_news_while_it_leaves_are(quiet: Runtime) -> None:
    for _ in range(3):
        await put(quiet, ONE, BILL, "bill")
    (leaving,) = await quiet.outbox.take(10)
    assert leaving.fact == BILL
    for _ in range(3):
        await put(quiet, ONE, BILL, "bill")
    assert await quiet.outbox.backlog() == {"taken": 1, "waiting": 1}
    # put off while another waits under its key: both may wait
    await quiet.outbox.put_off(leaving, seconds=0, fault="busy")
    assert await quiet.outbox.backlog() == {"waiting": 2}
    await put(quiet, ONE, BILL, "bill")
    assert await quiet.outbox.backlog() == {"waiting": 2}


async def test_one_chat_gets_one_at_a_time_in_order(quiet: Runtime, clock: SetClock) -> None:
    for name in ("a", "b", "c"):
        await put(quiet, ONE, Say(name))
    await put(quiet, TWO, Say("x"))
    taken = await quiet.outbox.take(10)
    assert [(t.chat_id, t.fact) for t in taken] == [(ONE, Say("a")), (TWO, Say("x"))]
    assert await quiet.outbox.take(10) == []
    await quiet.outbox.sent(taken[0])
    (second,) = await quiet.outbox.take(10)
    assert second.fact == Say("b")
    # its worker died: due again when the lease is over, before what came after it
    clock.advance(29)
    assert await quiet.outbox.take(10) == []
    clock.advance(2)
    again = {t.chat_id: t for t in await quiet.outbox.take(10)}
    assert (again[ONE].id, again[ONE].tries) == (second.id, 2)
    await quiet.outbox.sent(again[ONE])
    (third,) = await quiet.outbox.take(10)
    assert third.fact == Say("c")


async def test_news_that_meet_a_waiting_row_leave_with_it_or_after_it(quiet: Runtime) -> None:
    await put(quiet, ONE, Say("old"), dedupe_key="card")
    async with quiet.store.transaction() as tx:
        await quiet.outbox.say(tx, ONE, Say("new"), dedupe_key="card")
        # Whoever took the row now would show what was before this transaction.
        assert await asyncio.create_task(quiet.outbox.take(10), context=Context()) == []
    assert len(await quiet.outbox.take(10)) == 1


async def test_who_lost_the_lease_decides_nothing(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say("a"))
    (slow,) = await quiet.outbox.take(10)
    clock.advance(31)
    (quick,) = await quiet.outbox.take(10)
    await quiet.outbox.sent(quick)
    await quiet.outbox.put_off(slow, seconds=0, fault="too late")
    clock.advance(31)
    assert await quiet.outbox.take(10) == []


async def test_many_workers_take_everything_once(quiet: Runtime) -> None:
    for chat_id in range(1, 9):
        await put(quiet, chat_id, Say("hello"))
    taken = await asyncio.gather(*(quiet.outbox.take(8) for _ in range(6)))
    chats = [t.chat_id for batch in taken for t in batch]
    while len(chats) < 8 and (more := await quiet.outbox.take(8)):
        chats += [t.chat_id for t in more]
    assert sorted(chats) == list(range(1, 9))


async def test_what_cannot_leave_is_parked_in_the_end(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say("a"))
    for _ in range(3):
        (leaving,) = await quiet.outbox.take(1)
        await quiet.outbox.wait_for_room(leaving, seconds=5)
        assert await quiet.outbox.take(1) == []
        clock.advance(6)
    for tries in range(1, MAX_TRIES + 1):
        (leaving,) = await quiet.outbox.take(1)
        assert leaving.tries == tries
        await quiet.outbox.put_off(leaving, seconds=5, fault="500")
        clock.advance(6)
    assert await quiet.outbox.take(1) == []
    assert await quiet.outbox.backlog() == {"parked": 1}
    await put(quiet, ONE, Say("b"))
    (leaving,) = await quiet.outbox.take(1)
    await quiet.outbox.park(leaving, fault="the bot was removed")
    assert await quiet.outbox.backlog() == {"parked": 2}


async def test_facts_come_out_as_they_went_in(quiet: Runtime) -> None:
    facts: list[Fact] = [
        Card("m", "o", reply_to=5),
        Card("m", "o", edit_message_id=7),
        Bill("m", "2026-11-10", "2026-11-11", reply_to=3),
        DeskBill("2026-11-10", "2026-11-10", "s", reply_to=3),
        Say("receipt", {"minor": 0, "text": "预付", "none": None}, only_for=9, remember="receipt"),
    ]
    for chat_id, fact in enumerate(facts, start=1):
        await put(quiet, chat_id, fact)
    taken = await quiet.outbox.take(10)
    assert {t.chat_id: t.fact for t in taken} == dict(enumerate(facts, start=1))


async def test_what_is_rolled_back_never_leaves(quiet: Runtime) -> None:
    woken = []
    quiet.outbox.on_news(lambda: woken.append(True))

    async def half() -> None:
        async with quiet.store.transaction() as tx:
            await quiet.outbox.say(tx, ONE, Say("a"))
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert woken
    assert await quiet.outbox.backlog() == {}


async def test_what_was_sent_is_forgotten_after_a_week(quiet: Runtime, clock: SetClock) -> None:
    for chat_id, finish in ((ONE, "sent"), (TWO, "parked")):
        await put(quiet, chat_id, Say(finish))
    for leaving in await quiet.outbox.take(2):
        if leaving.chat_id == ONE:
            await quiet.outbox.sent(leaving)
        else:
            await quiet.outbox.park(leaving, fault="blocked")
    assert await quiet.outbox.forget_old() == 0
    clock.advance(7 * 86400 + 1)
    assert await quiet.outbox.forget_old() == 1
    assert await quiet.outbox.backlog() == {"parked": 1}
