"""What leaves: once per thing that waits, one at a time per chat, and never lost."""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core.delivery.outbox import (
    QUEUE,
    Bill,
    Card,
    DeskBill,
    Fact,
    MerchantNews,
    Outbox,
    Say,
    Stored,
    TakeAway,
)
from core.delivery.outbox.chats import LONGEST_CLOSED
from core.delivery.outbox.queue import LIFTED_EVERY, MAX_TRIES, NOBODY, OLD
from core.runtime import Runtime
from core.system.leases import Leases
from core.system.retention import MESSAGES
from tests.core.support import SetClock

ONE, TWO = -1, -2
NOBODYS_CHAT = 0
BILL = Bill(merchant_id="m")
CARD_EDIT = Card("m", "o", edit_message_id=7)


@pytest.fixture
async def quiet(runtime: Runtime, clock: SetClock) -> Runtime:
    """A runtime whose outbox is empty, and which nobody looks on at."""
    await runtime.system.store.execute("DELETE FROM outbox")
    outbox = Outbox(runtime.system.store, clock, runtime.system.ids)
    return replace(runtime, delivery=replace(runtime.delivery, outbox=outbox))


async def put(runtime: Runtime, chat_id: int, fact: Fact, dedupe_key: str | None = None) -> None:
    await runtime.delivery.outbox.say(runtime.system.store, chat_id, fact, dedupe_key=dedupe_key)


async def drained(runtime: Runtime, chat_id: int) -> list[Fact]:
    """What leaves a chat now, in its order; it is sent."""
    went: list[Fact] = []
    while taken := [
        one for one in await runtime.delivery.outbox.take(10) if one.chat_id == chat_id
    ]:
        for one in taken:
            await runtime.delivery.outbox.sent(one)
        went += [one.fact for one in taken]
    return went


async def test_what_waits_is_not_put_in_twice_but_news_while_it_leaves_are(quiet: Runtime) -> None:
    for _ in range(3):
        await put(quiet, ONE, BILL, "bill")
    (leaving,) = await quiet.delivery.outbox.take(10)
    assert leaving.fact == BILL
    for _ in range(3):
        await put(quiet, ONE, BILL, "bill")
    assert await quiet.delivery.outbox.backlog() == {"taken": 1, "waiting": 1}
    # Put off while another waits under its key, the two are one again.
    await quiet.delivery.outbox.put_off(leaving, seconds=0, fault="busy")
    assert await quiet.delivery.outbox.backlog() == {"waiting": 1}
    for _ in range(3):  # and what waits keeps its key
        await put(quiet, ONE, BILL, "bill")
        (leaving,) = await quiet.delivery.outbox.take(10)
        await quiet.delivery.outbox.wait_for_room(leaving, seconds=0)
    assert await quiet.delivery.outbox.backlog() == {"waiting": 1}


async def test_two_that_become_one_keep_the_older_place_and_the_newer_facts(
    quiet: Runtime, clock: SetClock
) -> None:
    checklist, word = (
        Say(Stored("list", {"n": 1}), edit_message_id=5),
        Say(Stored("list", {"n": 2})),
    )
    await put(quiet, ONE, replace(checklist), "list")
    (leaving,) = await quiet.delivery.outbox.take(10)
    await put(quiet, ONE, Card("m", "o", edit_message_id=6), "card")
    await put(quiet, ONE, word, "list")
    await quiet.delivery.outbox.wait_for_room(leaving, seconds=5)
    assert await quiet.delivery.outbox.backlog() == {"waiting": 2}
    clock.advance(6)
    (leaving,) = await quiet.delivery.outbox.take(10)
    assert leaving.fact == word
    await quiet.delivery.outbox.sent(leaving)
    (leaving,) = await quiet.delivery.outbox.take(10)
    assert leaving.fact == Card("m", "o", edit_message_id=6)


async def test_news_do_not_save_a_row_that_always_fails_from_its_end(
    quiet: Runtime, clock: SetClock
) -> None:
    """Or it would be the oldest of its chat for ever, and a twin of it would stay."""
    await quiet.delivery.outbox.chats.back(quiet.system.store, ONE)
    await put(quiet, ONE, Say(Stored("list", {})), "list")
    for tries in range(1, MAX_TRIES + 1):
        (leaving,) = await quiet.delivery.outbox.take(1)
        assert (leaving.tries, leaving.maybe_out) == (tries, tries > 1)
        await put(quiet, ONE, Say(Stored("list", {"n": tries})), "list")
        await quiet.delivery.outbox.put_off(leaving, seconds=5, fault="500", maybe_out=True)
        assert (
            len(await quiet.system.store.fetch("SELECT FROM outbox WHERE state = 'waiting'")) == 1
        )
        clock.advance(6)
    assert await quiet.delivery.outbox.backlog() == {"parked": 1, "waiting": 1}
    (leaving,) = await quiet.delivery.outbox.take(1)
    assert leaving.fact == Say(Stored("list", {"n": MAX_TRIES}))


async def test_who_lost_the_lease_takes_no_news_along(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say(Stored("list", {})), "list")
    (slow,) = await quiet.delivery.outbox.take(1)
    clock.advance(QUEUE.lease.total_seconds())
    (quick,) = await quiet.delivery.outbox.take(1)
    await put(quiet, ONE, Say(Stored("list", {"n": 1})), "list")
    await quiet.delivery.outbox.put_off(slow, seconds=0, fault="too late")
    await quiet.delivery.outbox.sent(quick)
    assert await drained(quiet, ONE) == [Say(Stored("list", {"n": 1}))]


async def test_no_chat_waits_longer_than_it_can_be_closed(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say(Stored("a", {})))
    (leaving,) = await quiet.delivery.outbox.take(1)
    await quiet.delivery.outbox.chats.close(ONE, 1e9)
    await quiet.delivery.outbox.wait_for_room(leaving, seconds=1e12)
    clock.advance(LONGEST_CLOSED.total_seconds() + 1)
    assert await drained(quiet, ONE) == [Say(Stored("a", {}))]


@pytest.mark.parametrize("days", [2, MESSAGES.days + 1])
async def test_twins_are_looked_for_only_while_it_is_known_what_else_was_sent(
    quiet: Runtime, clock: SetClock, days: int
) -> None:
    await put(quiet, ONE, Say(Stored("a", {})))
    (leaving,) = await quiet.delivery.outbox.take(1)
    await quiet.delivery.outbox.put_off(leaving, seconds=1, fault="no answer", maybe_out=True)
    clock.advance(2)
    (leaving,) = await quiet.delivery.outbox.take(1)
    await quiet.delivery.outbox.park(leaving, fault="it was removed")
    clock.advance(days * 86_400)
    async with quiet.system.store.transaction() as tx:
        assert await quiet.delivery.outbox.unpark(tx, ONE, 10) == 1
    (leaving,) = await quiet.delivery.outbox.take(1)
    assert leaving.maybe_out == (days == 2)
    await quiet.delivery.outbox.sent(leaving, message_id=7)
    assert await quiet.delivery.outbox.forget_old() == 0, "it was sent just now"
    clock.advance(MESSAGES.total_seconds() + 1)
    assert await quiet.delivery.outbox.forget_old() == 1


async def test_one_chat_gets_one_at_a_time_in_order(quiet: Runtime, clock: SetClock) -> None:
    for name in ("a", "b", "c"):
        await put(quiet, ONE, Say(Stored(name, {})))
    await put(quiet, TWO, Say(Stored("x", {})))
    taken = await quiet.delivery.outbox.take(10)
    assert [(t.chat_id, t.fact) for t in taken] == [
        (ONE, Say(Stored("a", {}))),
        (TWO, Say(Stored("x", {}))),
    ]
    assert await quiet.delivery.outbox.take(10) == []
    await quiet.delivery.outbox.sent(taken[0])
    (second,) = await quiet.delivery.outbox.take(10)
    assert second.fact == Say(Stored("b", {}))
    # its worker died: due again when the lease is over, before what came after it
    clock.advance(QUEUE.lease.total_seconds() - 1)
    assert await quiet.delivery.outbox.take(10) == []
    clock.advance(1)
    again = {t.chat_id: t for t in await quiet.delivery.outbox.take(10)}
    assert (again[ONE].id, again[ONE].tries, again[ONE].maybe_out) == (second.id, 2, True)
    await quiet.delivery.outbox.sent(again[ONE])
    (third,) = await quiet.delivery.outbox.take(10)
    assert third.fact == Say(Stored("c", {}))


async def test_a_lease_that_is_renewed_does_not_end(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say(Stored("a", {})))
    (slow,) = await quiet.delivery.outbox.take(10)
    for _ in range(5):
        clock.advance(QUEUE.renew_every_s * 2)
        assert await quiet.delivery.outbox.renew(slow)
        assert await quiet.delivery.outbox.take(10) == []
    clock.advance(QUEUE.lease.total_seconds())
    (quick,) = await quiet.delivery.outbox.take(10)
    assert not await quiet.delivery.outbox.renew(slow)
    assert await quiet.delivery.outbox.renew(quick)


async def test_what_is_said_waits_for_what_was_said_before_it_due_or_not(
    quiet: Runtime, clock: SetClock
) -> None:
    for name in ("a", "b"):
        await put(quiet, ONE, Say(Stored(name, {})))
    await put(quiet, ONE, CARD_EDIT, "card")
    (first,) = await quiet.delivery.outbox.take(10)
    await quiet.delivery.outbox.put_off(first, seconds=30, fault="500")
    assert await quiet.delivery.outbox.take(10) == []
    await put(quiet, ONE, Say(Stored("answer", {}), edit_message_id=1))  # somebody pressed a button
    (answer,) = await quiet.delivery.outbox.take(10)
    assert answer.fact == Say(Stored("answer", {}), edit_message_id=1)
    await quiet.delivery.outbox.put_off(answer, seconds=40, fault="500")
    clock.advance(31)
    assert await quiet.delivery.outbox.take(10) == [], "nothing passes an answer"
    clock.advance(10)
    assert await drained(quiet, ONE) == [
        answer.fact,
        Say(Stored("a", {})),
        Say(Stored("b", {})),
        CARD_EDIT,
    ]


async def test_what_is_put_in_for_later_holds_nobody_up(quiet: Runtime, clock: SetClock) -> None:
    """Keys are taken away a minute after they were shown, and the person goes on."""
    outbox = quiet.delivery.outbox
    later = clock.now() + timedelta(seconds=60)
    await outbox.say(quiet.system.store, ONE, TakeAway(1), due_at=later)
    await outbox.say(quiet.system.store, ONE, Say(Stored("later", {})), due_at=later)
    answer = Say(Stored("answer", {}), edit_message_id=1)
    for fact in (answer, Say(Stored("a", {}))):
        await put(quiet, ONE, fact)
    await put(quiet, ONE, CARD_EDIT, "card")
    assert await drained(quiet, ONE) == [answer, Say(Stored("a", {})), CARD_EDIT]
    clock.advance(61)
    await put(quiet, ONE, Say(Stored("b", {})))
    assert await drained(quiet, ONE) == [
        TakeAway(1),
        Say(Stored("later", {})),
        Say(Stored("b", {})),
    ]


async def test_what_nobody_waits_for_gets_on_when_people_never_stop_talking(
    quiet: Runtime, clock: SetClock
) -> None:
    await put(quiet, ONE, BILL, "bill")
    await put(quiet, ONE, CARD_EDIT, "card")
    went: list[Fact] = []
    for _ in range(120):
        await put(quiet, ONE, Say(Stored("talk", {})))
        (leaving,) = await quiet.delivery.outbox.take(10)
        went.append(leaving.fact)
        await quiet.delivery.outbox.sent(leaving)
        clock.advance(1)
    assert 59 < went.index(CARD_EDIT) < 65
    assert went.index(CARD_EDIT) + 9 < went.index(BILL) < went.index(CARD_EDIT) + 15
    assert went.count(Say(Stored("talk", {}))) == 118


async def test_a_closed_chat_gets_nothing_and_the_others_do(
    quiet: Runtime, clock: SetClock
) -> None:
    chats = quiet.delivery.outbox.chats
    for chat_id in (ONE, TWO):
        await put(quiet, chat_id, Say(Stored("a", {})))
        await put(quiet, chat_id, Say(Stored("answer", {}), edit_message_id=1))
    await chats.close(ONE, 20)
    await chats.close(ONE, 5)  # the longer one counts
    assert 19 < await chats.closed_s(ONE) <= 20
    assert await chats.closed_s(TWO) == 0
    assert len(await drained(quiet, TWO)) == 2
    clock.advance(19)
    assert await quiet.delivery.outbox.take(10) == []
    clock.advance(2)
    assert await chats.closed_s(ONE) == 0
    assert ONE in {one.chat_id for one in await quiet.delivery.outbox.take(10)}


async def test_every_chat_gets_its_turn_before_any_gets_its_second(quiet: Runtime) -> None:
    chats = list(range(-4, 5))
    for chat_id in chats:
        for name in ("a", "b", "c"):
            await put(quiet, chat_id, Say(Stored(name, {})))
    went: list[int] = []
    for _ in range(len(chats)):
        taken = await quiet.delivery.outbox.take(2)
        for one in taken:
            await quiet.delivery.outbox.sent(one)
        went += [one.chat_id for one in taken]
    for start in range(0, 18, 9):
        assert sorted(went[start : start + 9]) == chats


async def test_a_take_looks_for_its_turns_once_however_much_waits(
    quiet: Runtime, clock: SetClock
) -> None:
    outbox, leases = quiet.delivery.outbox, Leases(QUEUE, clock, quiet.system.ids)

    async def read_by_a_take(waiting: int) -> int:
        async with quiet.system.store.transaction() as tx:
            for _ in range(waiting):
                for chat_id in range(-5, 0):
                    await outbox.say(tx, chat_id, Say(Stored("a", {})))
        async with quiet.system.store.transaction() as tx:
            before = await tx.fetchval(_READ)
            taken = await leases.take(tx, 5, NOBODYS_CHAT, OLD, LIFTED_EVERY)
            after = await tx.fetchval(_READ)
        assert {row["chat_id"] for row in taken} == set(range(-5, 0))
        clock.advance(QUEUE.lease.total_seconds())
        return int(after - before)

    few = await read_by_a_take(1)
    # So small a table may be read through, but once.
    assert await read_by_a_take(60) <= few + 5 * 61


# How many rows were read in this transaction, in whichever way.
_READ = """
SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'outbox'
"""


async def test_what_moves_waits_in_the_other_chat_in_its_place(quiet: Runtime) -> None:
    await put(quiet, ONE, Say(Stored("a", {}), reply_to=3))
    await put(quiet, TWO, Say(Stored("b", {})))
    taken = {one.chat_id: one for one in await quiet.delivery.outbox.take(10)}
    await quiet.delivery.outbox.move(taken[ONE], TWO, Say(Stored("a", {})))
    await quiet.delivery.outbox.wait_for_room(taken[TWO], seconds=0)
    assert await drained(quiet, TWO) == [Say(Stored("a", {})), Say(Stored("b", {}))]
    assert await quiet.delivery.outbox.backlog() == {}


async def test_news_that_meet_a_waiting_row_leave_with_it_or_after_it(quiet: Runtime) -> None:
    await put(quiet, ONE, Say(Stored("old", {})), dedupe_key="card")
    async with quiet.system.store.transaction() as tx:
        await quiet.delivery.outbox.say(tx, ONE, Say(Stored("new", {})), dedupe_key="card")
        # Whoever took the row now would show what was before this transaction.
        assert await asyncio.create_task(quiet.delivery.outbox.take(10), context=Context()) == []
    assert len(await quiet.delivery.outbox.take(10)) == 1


async def test_who_lost_the_lease_decides_nothing(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say(Stored("a", {})))
    (slow,) = await quiet.delivery.outbox.take(10)
    clock.advance(QUEUE.lease.total_seconds())
    (quick,) = await quiet.delivery.outbox.take(10)
    await quiet.delivery.outbox.sent(quick)
    await quiet.delivery.outbox.put_off(slow, seconds=0, fault="too late")
    clock.advance(QUEUE.lease.total_seconds())
    assert await quiet.delivery.outbox.take(10) == []


async def test_many_workers_take_everything_once(quiet: Runtime) -> None:
    for chat_id in range(1, 9):
        await put(quiet, chat_id, Say(Stored("hello", {})))
    taken = await asyncio.gather(*(quiet.delivery.outbox.take(8) for _ in range(6)))
    chats = [t.chat_id for batch in taken for t in batch]
    while len(chats) < 8 and (more := await quiet.delivery.outbox.take(8)):
        chats += [t.chat_id for t in more]
    assert sorted(chats) == list(range(1, 9))


async def test_what_cannot_leave_is_parked_in_the_end(quiet: Runtime, clock: SetClock) -> None:
    await put(quiet, ONE, Say(Stored("a", {})))
    for _ in range(3):
        (leaving,) = await quiet.delivery.outbox.take(1)
        await quiet.delivery.outbox.wait_for_room(leaving, seconds=5)
        assert await quiet.delivery.outbox.take(1) == []
        clock.advance(6)
    for tries in range(1, MAX_TRIES + 1):
        (leaving,) = await quiet.delivery.outbox.take(1)
        assert leaving.tries == tries
        await quiet.delivery.outbox.put_off(leaving, seconds=5, fault="500")
        clock.advance(6)
    assert await quiet.delivery.outbox.take(1) == []
    assert await quiet.delivery.outbox.backlog() == {"parked": 1}
    await put(quiet, ONE, Say(Stored("b", {})))
    (leaving,) = await quiet.delivery.outbox.take(1)
    await quiet.delivery.outbox.park(leaving, fault="the bot was removed")
    assert await quiet.delivery.outbox.backlog() == {"parked": 2}


async def test_facts_come_out_as_they_went_in(quiet: Runtime) -> None:
    facts: list[Fact] = [
        Card("m", "o", reply_to=5),
        Card("m", "o", edit_message_id=7),
        Bill("m", "2026-11-10", "2026-11-11", reply_to=3),
        DeskBill("2026-11-10", "2026-11-10", "s", reply_to=3),
        DeskBill(),
        Say(
            Stored("receipt", {"minor": 0, "text": "预付", "none": None}),
            only_for=9,
            remember="receipt",
        ),
    ]
    for chat_id, fact in enumerate(facts, start=1):
        await put(quiet, chat_id, fact)
    taken = await quiet.delivery.outbox.take(10)
    assert {t.chat_id: t.fact for t in taken} == dict(enumerate(facts, start=1))


async def test_each_kind_wakes_those_who_serve_it(quiet: Runtime) -> None:
    woken: list[str] = []
    quiet.delivery.outbox.on_news(lambda: woken.append("chats"))
    quiet.delivery.outbox.on_merchant_news(lambda: woken.append("merchants"))
    await put(quiet, ONE, Say(Stored("a", {})))
    assert woken == ["chats"]
    ids = quiet.system.ids
    facts = {"order_no": "P1"}
    news = MerchantNews(
        ids.uuid7(), ids.uuid7(), ids.uuid7(), "order.paid", "http://127.0.0.1:1/", facts, "r"
    )
    async with quiet.system.store.transaction() as tx:
        await quiet.delivery.outbox.tell_merchant(tx, news)
    assert woken == ["chats", "merchants"]


async def test_what_was_written_though_the_answer_was_lost_is_there_once(
    quiet: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write = quiet.system.store, quiet.system.store.execute

    async def written_and_cut_off(sql: str, *args: object) -> int:
        monkeypatch.setattr(store, "execute", write)
        await write(sql, *args)
        raise ConnectionError("the connection was cut")

    monkeypatch.setattr(store, "execute", written_and_cut_off)
    facts: list[tuple[UUID, Fact]] = [(NOBODY, CARD_EDIT), (NOBODY, CARD_EDIT)]
    await quiet.delivery.outbox.say_together(ONE, facts)
    assert await drained(quiet, ONE) == [CARD_EDIT, CARD_EDIT]


async def test_what_is_rolled_back_never_leaves(quiet: Runtime) -> None:
    woken = []
    quiet.delivery.outbox.on_news(lambda: woken.append(True))

    async def half() -> None:
        async with quiet.system.store.transaction() as tx:
            await quiet.delivery.outbox.say(tx, ONE, Say(Stored("a", {})))
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert woken
    assert await quiet.delivery.outbox.backlog() == {}


async def test_what_was_sent_is_forgotten_after_a_week(quiet: Runtime, clock: SetClock) -> None:
    for chat_id, finish in ((ONE, "sent"), (TWO, "parked")):
        await put(quiet, chat_id, Say(Stored(finish, {})))
    for leaving in await quiet.delivery.outbox.take(2):
        if leaving.chat_id == ONE:
            await quiet.delivery.outbox.sent(leaving)
        else:
            await quiet.delivery.outbox.park(leaving, fault="blocked")
    assert await quiet.delivery.outbox.forget_old() == 0
    clock.advance(7 * 86400 + 1)
    assert await quiet.delivery.outbox.forget_old() == 1
    assert await quiet.delivery.outbox.backlog() == {"parked": 1}
