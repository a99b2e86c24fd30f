"""Updates that are stored are acted on: chats side by side, one in order, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from aiogram import Bot, Dispatcher
from aiogram.types import CallbackQuery, Message
from structlog.testing import capture_logs

from bot.updates import UpdateWorker
from core.accounts.vouchers import Advance, Cause
from core.delivery.inbox import BACK_OFF_S, QUEUE
from core.delivery.outbox import AlarmCard, Fact, Say
from core.kernel.money import Money
from core.runtime import Runtime
from handlers.screens import render_alarm, render_say
from tests.bot.support import TOKEN
from tests.bot.updates import Entrance, message
from tests.core.support import CHAT, FINANCE, NORTHWIND_CHAT, OPERATOR, OPS_CHAT, SUPPORT, SetClock
from tests.demo import eventually

STRANGER, STAFF = 424_242, 777


def press(update_id: int, chat_id: int = CHAT, user_id: int = OPERATOR) -> dict[str, Any]:
    """A pressed button under message 9."""
    person = {"id": user_id, "is_bot": False, "first_name": "x"}
    under = {**message(9, chat_id=chat_id)["message"], "message_id": 9}
    pressed = {"id": "1", "chat_instance": "1", "data": "x", "from": person, "message": under}
    return {"update_id": update_id, "callback_query": pressed}


Handler = Callable[[Any], Awaitable[None]]


def worker(runtime: Runtime, handler: Handler, **more: float) -> UpdateWorker:
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.message.register(handler)
    dispatcher.callback_query.register(handler)
    return UpdateWorker(runtime, dispatcher, Bot(TOKEN), **more)


async def batch(one: UpdateWorker) -> int:
    """Take some and act on them; how many there were."""
    jobs = await one.take(5)
    await asyncio.gather(*(job() for job in jobs))
    return len(jobs)


async def drain(*workers: UpdateWorker) -> None:
    while any(await asyncio.gather(*(batch(w) for w in workers))):
        pass


async def give_up(clock: SetClock, one: UpdateWorker) -> None:
    """Let every pause between two tries of an update pass."""
    for again_s in (*BACK_OFF_S, 0):
        await drain(one)
        clock.advance(again_s)


async def leaving(runtime: Runtime) -> dict[int, list[Fact]]:
    """What waits in the outbox, by chat; it is sent."""
    found: dict[int, list[Fact]] = {}
    while taken := await runtime.delivery.outbox.take(50):
        for one in taken:
            found.setdefault(one.chat_id, []).append(one.fact)
            await runtime.delivery.outbox.sent(one)
    return found


async def refuse(message: Message) -> None:
    """A handler with a fault."""
    raise LookupError(message.text)


async def test_what_is_said_in_private_is_stored_sealed_and_acted_on_as_it_was_said(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        if len(heard) == 1:
            raise LookupError(message.text)

    secret = "s3cr3t-of-a-supplier"
    private = message(7, secret, OPERATOR)
    private["message"]["chat"] = {"id": OPERATOR, "type": "private", "first_name": "x"}
    private["message"]["reply_to_message"] = dict(private["message"])
    assert (await entrance.post(private))[0] == 200
    pressed = {"id": "1", "chat_instance": "1", "data": "x", "from": private["message"]["from"],
               "message": private["message"]}  # fmt: skip
    assert (await entrance.post({"update_id": 8, "callback_query": pressed}))[0] == 200
    assert (await entrance.post({"update_id": 9, "edited_message": private["message"]}))[0] == 200
    rows = await entrance.stored()
    assert [row["chat_id"] for row in rows] == [OPERATOR] * 3
    assert secret not in str(rows)
    assert all(set(row["body"]) == {"update_id", "sealed"} for row in rows)

    worker_ = worker(entrance.runtime, handler)
    with capture_logs() as logs:
        assert await batch(worker_) == 1
        clock.advance(BACK_OFF_S[0])
        assert await batch(worker_) == 1
    assert heard == [secret, secret]
    (row, *_) = await entrance.stored()
    assert row["state"] == "done"
    assert row["fault"].startswith("LookupError at test_updates.py:")
    assert secret not in str(logs) + str(await entrance.stored())
    assert row["body"] == {}, "not even sealed"
    assert (await entrance.post(private))[0] == 200
    assert len(await entrance.stored()) == 3, "it came before"


async def test_what_was_said_in_private_opens_in_no_other_row(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")

    for update_id, person in ((7, OPERATOR), (8, SUPPORT)):
        private = message(update_id, f"said in {update_id}", person)
        private["message"]["chat"] = {"id": person, "type": "private", "first_name": "x"}
        assert (await entrance.post(private))[0] == 200
    before = {row["update_id"]: row["body"]["sealed"] for row in await entrance.stored()}
    for update_id, other in ((7, 8), (8, 7)):
        await entrance.runtime.system.store.execute(
            "UPDATE telegram_update SET body = $2 WHERE update_id = $1",
            update_id,
            {"update_id": update_id, "sealed": before[other]},
        )
    worker_ = worker(entrance.runtime, handler)
    assert await batch(worker_) == 2
    assert heard == []
    for row in await entrance.stored():
        assert row["state"] == "waiting"
        assert row["fault"].startswith("Bug at vault.py:")
    for update_id, sealed in before.items():
        await entrance.runtime.system.store.execute(
            "UPDATE telegram_update SET body = $2 WHERE update_id = $1",
            update_id,
            {"update_id": update_id, "sealed": sealed},
        )
    clock.advance(BACK_OFF_S[0])
    assert await batch(worker_) == 2
    assert sorted(heard) == ["said in 7", "said in 8"]


async def test_a_chat_is_acted_on_in_order_and_chats_side_by_side(entrance: Entrance) -> None:
    heard: list[tuple[int, str]] = []
    both = asyncio.Barrier(2)

    async def handler(message: Message) -> None:
        # Both chats' first ones must be under way at once to come past here.
        if message.text == "0":
            await asyncio.wait_for(both.wait(), 10)
        heard.append((message.chat.id, message.text or ""))

    for number in range(6):
        for place, chat_id in enumerate((CHAT, NORTHWIND_CHAT)):
            update = message(100 - 2 * number - place, str(number), chat_id)
            assert (await entrance.post(update))[0] == 200
    await drain(*(worker(entrance.runtime, handler) for _ in range(3)))
    for chat_id in (CHAT, NORTHWIND_CHAT):
        assert [text for chat, text in heard if chat == chat_id] == list("012345")
    assert {row["state"] for row in await entrance.stored()} == {"done"}


async def test_a_failing_one_is_tried_again_and_parked_and_then_its_chat_goes_on(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        if message.text == "bad" or (message.text == "late" and heard.count("late") < 3):
            raise LookupError(message.text)

    for update_id, text in enumerate(("bad", "late", "good"), start=1):
        assert (await entrance.post(message(update_id, text)))[0] == 200
    with capture_logs() as logs:
        desk = worker(entrance.runtime, handler)
        await drain(desk)
        assert heard == ["bad"], "tried again only after a pause, and the chat waits with it"
        for _ in range(2):
            await give_up(clock, desk)
    assert [log["update_id"] for log in logs] == [1] * QUEUE.most_tries + [2] * 2
    assert heard == ["bad"] * QUEUE.most_tries + ["late"] * 3 + ["good"]
    bad, late, good = await entrance.stored()
    assert (bad["state"], bad["tries"]) == ("parked", QUEUE.most_tries)
    assert "LookupError" in bad["fault"]
    assert (late["state"], late["tries"]) == ("done", 3)
    assert (good["state"], good["tries"]) == ("done", 1)


async def test_who_sent_what_is_parked_is_told_and_so_are_the_ops_groups(
    entrance: Entrance, clock: SetClock
) -> None:
    runtime = entrance.runtime
    await runtime.system.store.execute("DELETE FROM outbox")
    assert (await entrance.post(message(41, "+1000")))[0] == 200
    desk = worker(runtime, refuse)
    with capture_logs():
        await drain(desk)
        assert await leaving(runtime) == {}, "it is tried again first"
        await give_up(clock, desk)
    told = await leaving(runtime)
    assert set(told) == {CHAT, OPS_CHAT}
    (answer,), (alarm,) = told[CHAT], told[OPS_CHAT]
    assert isinstance(answer, Say)
    assert isinstance(alarm, AlarmCard)
    assert answer.reply_to == 41
    sounded = await runtime.people.alarms.get(UUID(alarm.alarm_id))
    group = await runtime.people.groups.find(CHAT)
    assert group is not None
    for language, words in (("en", "Nothing was booked"), ("zh", "未入账")):
        assert words in render_say(answer, language).html
        for part in (group.title, "tg-41", "LookupError", str(QUEUE.most_tries)):
            assert part in render_alarm(sounded, "UTC", language).html


async def test_what_a_parked_message_booked_is_named(entrance: Entrance, clock: SetClock) -> None:
    """Its first line is booked; sent again as a whole, that one would be booked twice."""
    runtime = entrance.runtime
    actor = await runtime.people.access.actor(FINANCE, "x", CHAT, private=False)
    receipt = await runtime.accounts.prepayments.record(
        actor,
        await runtime.parties.merchants.by_no("M1001"),
        Advance(Money(100_000, "CNY"), "advance"),
        Cause(CHAT, 41, 1),
    )
    await runtime.system.store.execute("DELETE FROM outbox")
    assert (await entrance.post(message(41, "+1000\n+2000")))[0] == 200
    with capture_logs():
        await give_up(clock, worker(runtime, refuse))
    (answer,) = (await leaving(runtime))[CHAT]
    assert isinstance(answer, Say)
    for language, words in (("en", "Nothing was booked"), ("zh", "未入账。请重新发送")):
        html = render_say(answer, language).html
        assert receipt.record_no in html
        assert words not in html


async def test_a_press_that_is_parked_does_not_claim_that_nothing_was_done(
    entrance: Entrance, clock: SetClock
) -> None:
    runtime = entrance.runtime
    await runtime.system.store.execute("DELETE FROM outbox")
    assert (await entrance.post(press(1)))[0] == 200
    with capture_logs():
        await give_up(clock, worker(runtime, refuse))
    (answer,) = (await leaving(runtime))[CHAT]
    assert isinstance(answer, Say)
    assert answer.reply_to == 9
    assert "before you press again" in render_say(answer, "en").html


# One thing that a message may not be, wherever it stands: what a newer Telegram may send.
UNREADABLE: tuple[dict[str, Any], ...] = (
    {"message": {"chat": {"id": CHAT}, "text": 7}},
    {"message": {**message(1)["message"], "text": {"new": "form"}}},
    {"edited_message": {**message(1)["message"], "photo": "one"}},
    {"callback_query": {"id": 1, "from": {"id": OPERATOR}, "message": {"chat": {"id": CHAT}}}},
    {"my_chat_member": {"chat": {"id": CHAT}, "new_chat_member": {"status": "enthroned"}}},
    {"channel_post": {"chat": {"id": CHAT, "type": "galaxy"}, "message_id": "x"}},
    {"poll": {"id": "1"}},
)


async def test_what_nobody_can_read_is_parked_at_once_and_its_chat_goes_on(
    entrance: Entrance,
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")

    for update_id, unreadable in enumerate(UNREADABLE, start=1):
        assert (await entrance.post({"update_id": update_id, **unreadable}))[0] == 200
    assert (await entrance.post(message(100, "good")))[0] == 200
    with capture_logs() as logs:
        await drain(worker(entrance.runtime, handler))
    assert heard == ["good"]
    assert [log["event"] for log in logs] == ["update not read"] * len(UNREADABLE)
    *parked, good = await entrance.stored()
    assert {(row["state"], row["tries"]) for row in parked} == {("parked", 1)}
    assert good["state"] == "done"


async def test_ops_hears_of_what_cannot_be_read_in_one_message_for_each_kind(
    entrance: Entrance,
) -> None:
    runtime = entrance.runtime
    await runtime.system.store.execute("DELETE FROM outbox")
    secret = "what somebody wrote"
    for update_id in range(1, 6):
        unreadable = message(update_id)
        unreadable["message"]["text"] = {"form": secret}
        assert (await entrance.post(unreadable))[0] == 200
    with capture_logs() as logs:
        await drain(worker(runtime, refuse))
    told = await leaving(runtime)
    (card,) = [fact for fact in told[OPS_CHAT] if isinstance(fact, AlarmCard)]
    alarm = await runtime.people.alarms.get(UUID(card.alarm_id))
    assert (alarm.kind, alarm.subject, alarm.count) == ("unreadable", "message", 5)
    html = render_alarm(alarm, "UTC", "zh").html
    assert "message.text" in html
    assert secret not in html + str(logs) + str([row["fault"] for row in await entrance.stored()])


async def test_only_who_is_known_is_told_that_a_message_cannot_be_read(entrance: Entrance) -> None:
    runtime = entrance.runtime
    merchant = await runtime.parties.merchants.by_no("M1001")
    await runtime.people.groups.add_staff(CHAT, STAFF, "merchant_staff", merchant.id)
    for user_id, chat_id, told in (
        (OPERATOR, CHAT, True), (OPERATOR, OPERATOR, True),
        (STAFF, CHAT, True), (STRANGER, CHAT, False), (STRANGER, STRANGER, False),
    ):  # fmt: skip
        await runtime.system.store.execute("DELETE FROM outbox")
        await runtime.system.store.execute("DELETE FROM telegram_update")
        unreadable = message(5, chat_id=chat_id)
        unreadable["message"]["from"]["id"] = user_id
        unreadable["message"]["text"] = 7
        assert (await entrance.post(unreadable))[0] == 200
        with capture_logs():
            await drain(worker(runtime, refuse))
        assert [row["state"] for row in await entrance.stored()] == ["parked"]
        answers = (await leaving(runtime)).get(chat_id, [])
        assert bool(answers) == told
        for answer in answers:
            assert isinstance(answer, Say)
            assert answer.reply_to == 5
            assert "plain text" in render_say(answer, "en").html


async def test_whoever_sent_it_what_fails_is_parked_at_last(
    entrance: Entrance, clock: SetClock
) -> None:
    runtime = entrance.runtime
    merchant = await runtime.parties.merchants.by_no("M1001")
    await runtime.people.groups.add_staff(CHAT, STAFF, "merchant_staff", merchant.id)
    await runtime.system.store.execute("DELETE FROM outbox")
    for update_id, user_id in ((5, STAFF), (6, STRANGER)):
        said = message(update_id)
        said["message"]["from"]["id"] = user_id
        assert (await entrance.post(said))[0] == 200
    with capture_logs():
        for _ in range(2):
            await give_up(clock, worker(runtime, refuse))
    assert [row["state"] for row in await entrance.stored()] == ["parked"] * 2
    told = (await leaving(runtime))[CHAT]
    assert [fact.reply_to for fact in told if isinstance(fact, Say)] == [5], "strangers get silence"


async def test_a_press_in_a_group_does_not_wait_for_a_slow_message(entrance: Entrance) -> None:
    pressed = asyncio.Event()
    order: list[str] = []

    async def handler(event: Message | CallbackQuery) -> None:
        if isinstance(event, Message):
            await asyncio.wait_for(pressed.wait(), 10)  # it waits for the press behind it
        order.append(type(event).__name__)
        pressed.set()

    for update in (message(1), press(2)):
        assert (await entrance.post(update))[0] == 200
    await drain(worker(entrance.runtime, handler))
    assert order == ["CallbackQuery", "Message"]


async def test_in_private_what_is_pressed_and_written_keeps_its_order(entrance: Entrance) -> None:
    order: list[str] = []

    async def handler(event: Message | CallbackQuery) -> None:
        order.append(type(event).__name__)

    private = message(1, chat_id=OPERATOR)
    for update in (press(3, OPERATOR), private, press(2, OPERATOR)):
        assert (await entrance.post(update))[0] == 200
    await drain(*(worker(entrance.runtime, handler) for _ in range(3)))
    assert order == ["CallbackQuery", "Message", "CallbackQuery"]


async def test_what_takes_long_is_held_and_acted_on_once(
    entrance: Entrance, clock: SetClock
) -> None:
    """The lease is renewed for as long as it takes, and nobody else takes it meanwhile."""
    heard: list[str] = []
    done = asyncio.Event()

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        await asyncio.wait_for(done.wait(), 10)

    assert (await entrance.post(message(1)))[0] == 200
    holder = worker(entrance.runtime, handler, renew_s=0.01)
    (job,) = await holder.take(5)
    work = asyncio.ensure_future(job())
    for _ in range(4):
        since = clock.now() + QUEUE.lease

        async def renewed(since: datetime = since) -> bool:
            return await _lease(entrance) >= since

        await eventually(renewed, what="the lease is renewed")
        clock.advance(QUEUE.lease.total_seconds() - 1)
        assert await holder.take(5) == []
    done.set()
    await work
    assert len(heard) == 1
    assert [row["state"] for row in await entrance.stored()] == ["done"]


async def test_what_a_killed_process_held_is_taken_within_ten_seconds(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")

    for number, chat_id in enumerate((CHAT, NORTHWIND_CHAT, OPS_CHAT), start=1):
        assert (await entrance.post(message(number, str(number), chat_id)))[0] == 200
    assert len(await worker(entrance.runtime, handler).take(5)) == 3, "and it dies with them"
    clock.advance(7)  # a second more is the pause between two looks
    await drain(worker(entrance.runtime, handler))
    assert sorted(heard) == ["1", "2", "3"]


async def _lease(entrance: Entrance) -> datetime:
    found: datetime = await entrance.runtime.system.store.fetchval(
        "SELECT lease_until FROM telegram_update"
    )
    return found
