"""A question about an order goes to its supplier once, and every answer to whoever asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from core.delivery.board import Subject
from core.delivery.outbox import Copy, EnquiryCard, Fact, Say, unpack
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.trade.enquiries import CHASED_EVERY, MAX_CHASES, EnquiryView, Media, Said, Thread
from core.trade.orders import Opened, OrderKey
from tests.core.support import (
    CHAT,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    SPRUCE_STAFF,
    SUPPLIER_CHAT,
    SUPPLIER_STAFF,
    Desk,
    refused,
    set_setting,
)

CHASED_AFTER = timedelta(minutes=10)
PHOTO = (Media("photo", "file-1"),)


class Talk:
    """A desk, and what leaves it for chats: each fact is out at once, as a message of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.enquiries = desk.runtime.trade.enquiries
        self._message_id = 1000

    async def actor(self, user_id: int = SPRUCE_STAFF, chat_id: int = CHAT) -> Actor:
        return await self.desk.actor(user_id, chat_id)

    def said(self, chat_id: int = CHAT, **more: Any) -> Said:
        """Somebody writes something."""
        self._message_id += 1
        return Said(chat_id, self._message_id, "Su Qing", **more)

    async def ask(self, opened: Opened, said: Said | None = None) -> list[tuple[int, Fact, int]]:
        """A picture of a payment; what became of it."""
        said = said or self.said(media=PHOTO)
        await self.enquiries.ask(await self.actor(), [key_of(opened)], said)
        return await self.news()

    async def answer(
        self, to: int, said: Said | None = None, chat_id: int = SUPPLIER_CHAT, by: int | None = None
    ) -> None:
        thread = await self.enquiries.find_thread(chat_id, to, "")
        assert thread is not None
        of_side = {CHAT: SPRUCE_STAFF, SUPPLIER_CHAT: SUPPLIER_STAFF, OPS_CHAT: OPERATOR}
        actor = await self.actor(by or of_side[chat_id], chat_id)
        await self.enquiries.reply(actor, thread, said or self.said(chat_id))

    async def news(self) -> list[tuple[int, Fact, int]]:
        """What leaves: the chat, the fact, and the message that it becomes."""
        found: list[tuple[int, Fact, int]] = []
        outbox = self.desk.runtime.delivery.outbox
        while taken := await outbox.take(20):
            for leaving in taken:
                self._message_id += 1
                edits = isinstance(leaving.fact, EnquiryCard) and leaving.fact.posted
                await outbox.sent(leaving, message_id=None if edits else self._message_id)
                if isinstance(leaving.fact, EnquiryCard | Copy | Say):
                    found.append((leaving.chat_id, leaving.fact, self._message_id))
        return found

    async def view(self) -> EnquiryView:
        """Of the newest."""
        newest = await self.desk.runtime.system.store.fetchval(
            "SELECT id FROM enquiry ORDER BY asked_at DESC LIMIT 1"
        )
        found = await self.enquiries.view(newest)
        assert found is not None
        return found


def key_of(opened: Opened) -> OrderKey:
    return OrderKey(opened.order.merchant_id, opened.order.id)


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    found = Talk(desk)
    await found.news()
    return found


async def test_a_question_goes_to_the_supplier_once(talk: Talk) -> None:
    opened = await talk.desk.open()
    said = talk.said(media=PHOTO)
    ((chat_id, card, _),) = await talk.ask(opened, said)
    assert (chat_id, type(card)) == (SUPPLIER_CHAT, EnquiryCard)
    view = await talk.view()
    assert view.enquiry.attempt_no == opened.order.live_attempt_no
    assert view.enquiry.media == PHOTO
    assert await talk.ask(opened, said) == [], "delivered again"
    # More of the same goes under it, and words alone say nothing new.
    ((chat_id, copy, _),) = await talk.ask(opened)
    assert isinstance(copy, Copy)
    assert chat_id == SUPPLIER_CHAT
    assert await talk.ask(opened, talk.said()) == []


async def test_each_answer_comes_back_to_the_question(talk: Talk) -> None:
    opened, said = await talk.desk.open(), talk.said(media=PHOTO)
    ((_, _, asked),) = await talk.ask(opened, said)
    answer = talk.said(SUPPLIER_CHAT, text="not yet")
    await talk.answer(asked, answer)
    await talk.answer(asked, answer)  # delivered again
    copies = [one for one in await talk.news() if isinstance(one[1], Copy)]
    ((chat_id, copy, returned),) = copies
    assert isinstance(copy, Copy)
    assert (chat_id, copy.reply_to, copy.text) == (CHAT, said.message_id, "not yet")
    view = await talk.view()
    assert (view.enquiry.state, view.enquiry.taken_by_name) == ("answered", "Su Qing")
    # And what the merchant says to that goes there, under the question; it waits again.
    await talk.answer(returned, chat_id=CHAT)
    (there, shown) = await talk.news()
    assert isinstance(there[1], Copy | EnquiryCard)
    assert {there[0], shown[0]} == {SUPPLIER_CHAT}
    assert (await talk.view()).enquiry.state == "open"


async def test_an_answer_to_what_nobody_noted_is_known_by_its_number(talk: Talk) -> None:
    """The desk died after it had asked, before it noted what its question became."""
    opened = await talk.desk.open()
    await talk.ask(opened)
    text = f"❓ 请核查\n{opened.order.live_attempt_no}\n"
    thread = await talk.enquiries.find_thread(SUPPLIER_CHAT, 999_999, text)
    assert thread == Thread((await talk.view()).enquiry.id, "passed")
    for chat_id, words in ((SUPPLIER_CHAT, "nothing"), (NORTHWIND_CHAT, text), (CHAT, text)):
        assert await talk.enquiries.find_thread(chat_id, 999_999, words) is None


async def test_a_message_that_is_something_else_is_no_question(talk: Talk) -> None:
    """A card of a look-up holds the number as well; what is said of it stays where it is."""
    opened = await talk.desk.open()
    ((_, _, asked),) = await talk.ask(opened)
    enquiry = (await talk.view()).enquiry
    posts = talk.desk.runtime.delivery.board.posts
    card = Subject.card(opened.order.merchant_id, opened.order.id)
    await posts.posted(SUPPLIER_CHAT, 888_888, card, "")
    await posts.posted(SUPPLIER_CHAT, 888_889, Subject.enquiry(enquiry.id), "")
    text = f"{opened.order.live_attempt_no} 待支付"
    assert await talk.enquiries.find_thread(SUPPLIER_CHAT, 888_888, text) is None
    for message_id in (asked, 888_889):
        thread = await talk.enquiries.find_thread(SUPPLIER_CHAT, message_id, text)
        assert thread == Thread(enquiry.id, "passed")


async def test_a_picture_of_orders_of_several_suppliers_goes_to_none_of_them(talk: Talk) -> None:
    one, other = await talk.desk.open(), await talk.desk.open()
    store = talk.desk.runtime.system.store
    second = await store.fetchval("SELECT id FROM supplier WHERE supplier_no <> 'S01' LIMIT 1")
    await store.execute(
        "UPDATE attempt SET supplier_id = $2 WHERE attempt_no = $1",
        other.order.live_attempt_no,
        second,
    )
    said = talk.said(media=PHOTO, album="13900")
    await talk.enquiries.ask(await talk.actor(), [key_of(one), key_of(other)], said)
    rows = await store.fetch("SELECT media, album FROM enquiry")
    assert [(row["media"], row["album"]) for row in rows] == [([], None)] * 2


async def test_a_paid_order_ends_it_on_both_sides(talk: Talk) -> None:
    opened, said = await talk.desk.open(), talk.said(media=PHOTO)
    await talk.ask(opened, said)
    await talk.desk.see(opened, 10_000)
    await talk.desk.runtime.reports.changes.show()
    told = {chat_id: fact for chat_id, fact, _ in await talk.news()}
    paid = told[CHAT]
    assert isinstance(paid, Say)
    assert (paid.screen, paid.reply_to) == ("enquiry_paid", said.message_id)
    assert isinstance(told[SUPPLIER_CHAT], EnquiryCard)
    assert (await talk.view()).enquiry.state == "paid"
    # It is over: nothing is asked or chased about it any more.
    assert await talk.ask(opened) == []
    with pytest.raises(Refusal) as caught:
        await talk.enquiries.chase(await talk.actor(), key_of(opened), talk.said())
    assert refused(caught.value) == "order_state"
    talk.desk.clock.advance(2 * CHASED_AFTER.total_seconds())
    assert await talk.desk.runtime.trade.chases.chase_due(10) == 0


async def test_a_supplier_is_chased_by_people_once_a_minute(talk: Talk) -> None:
    opened, actor = await talk.desk.open(), await talk.actor()
    await talk.enquiries.chase(actor, key_of(opened), talk.said())
    ((chat_id, card, asked),) = await talk.news()
    assert (chat_id, type(card)) == (SUPPLIER_CHAT, EnquiryCard)
    with pytest.raises(Refusal) as caught:
        await talk.enquiries.chase(actor, key_of(opened), talk.said())
    assert refused(caught.value) == "chased_already"
    talk.desk.clock.advance(CHASED_EVERY.total_seconds())
    again = talk.said()
    await talk.enquiries.chase(actor, key_of(opened), again)
    await talk.enquiries.chase(actor, key_of(opened), again)  # delivered again
    ((chat_id, reminder, reminded),) = await talk.news()
    assert isinstance(reminder, Say)
    assert (chat_id, reminder.screen, reminder.reply_to) == (
        SUPPLIER_CHAT, "enquiry_reminder", asked,
    )  # fmt: skip
    await talk.answer(reminded)
    assert (await talk.view()).enquiry.state == "answered"


async def test_asking_again_and_again_does_not_keep_it_from_ops(talk: Talk) -> None:
    opened, actor = await talk.desk.open(), await talk.actor()
    await talk.ask(opened)
    told = []
    for _ in range(2 * (MAX_CHASES + 2)):
        talk.desk.clock.advance(CHASED_AFTER.total_seconds() / 2 + 1)
        await talk.enquiries.chase(actor, key_of(opened), talk.said())
        await talk.desk.runtime.trade.chases.chase_due(10)
        told += [chat for chat, fact, _ in await talk.news() if isinstance(fact, Say)]
    assert told.count(OPS_CHAT) == 1


async def test_what_nobody_answers_is_chased_and_told_to_ops(talk: Talk) -> None:
    opened = await talk.desk.open()
    await talk.ask(opened)
    told = []
    for _ in range(MAX_CHASES + 2):
        talk.desk.clock.advance(CHASED_AFTER.total_seconds() + 1)
        await talk.desk.runtime.trade.chases.chase_due(10)
        told.append([(chat, getattr(fact, "screen", "")) for chat, fact, _ in await talk.news()])
    assert told == [
        *[[(SUPPLIER_CHAT, "enquiry_reminder")]] * MAX_CHASES,
        [(OPS_CHAT, "enquiry_unanswered")],
        [],
    ]


async def test_reminders_wait_for_the_end_of_quiet_hours(talk: Talk) -> None:
    runtime, clock = talk.desk.runtime, talk.desk.clock
    noon = clock.go_to_noon()  # in Shanghai, where the supplier's clocks are
    await runtime.system.store.execute(
        "UPDATE chat_group SET quiet_from = $2, quiet_to = $3 WHERE chat_id = $1",
        SUPPLIER_CHAT,
        time(11, 0),
        time(15, 0),
    )
    await talk.ask(await talk.desk.open())
    clock.advance(CHASED_AFTER.total_seconds() + 1)
    assert await runtime.trade.chases.chase_due(10) == 1
    assert await talk.news() == []
    due = await runtime.system.store.fetchval("SELECT chase_at FROM enquiry")
    assert due - noon == timedelta(hours=3)
    clock.go_to(due)
    await runtime.trade.chases.chase_due(10)
    assert [chat_id for chat_id, _, _ in await talk.news()] == [SUPPLIER_CHAT]


async def test_how_long_a_supplier_may_be_silent_is_a_setting(talk: Talk) -> None:
    await set_setting(talk.desk.runtime, "chase_after", 3)
    await talk.ask(await talk.desk.open())
    for seconds, chased in ((179, 0), (2, 1)):
        talk.desk.clock.advance(seconds)
        assert await talk.desk.runtime.trade.chases.chase_due(10) == chased


async def test_how_soon_a_supplier_answers_is_counted(talk: Talk) -> None:
    began = talk.desk.clock.now()
    for minutes in (2, 4, 60):
        ((_, _, asked),) = await talk.ask(await talk.desk.open())
        talk.desk.clock.advance(60 * minutes)
        for _ in range(2):  # the first counts
            await talk.answer(asked)
        await talk.news()
    await talk.ask(await talk.desk.open())
    times = talk.desk.runtime.reports.statistics.answer_times
    (found,) = await times(began)
    assert (found.supplier_no, found.asked, found.answered) == ("S01", 4, 3)
    assert found.median_s is not None
    assert round(found.median_s) == 240
    assert await times(talk.desk.clock.now()) == ()
    enquiry = (await talk.view()).enquiry
    assert await times(began, enquiry.supplier_id) == (found,)
    assert await times(began, enquiry.merchant_id) == ()


async def test_without_a_group_of_the_supplier_ops_is_told_and_may_answer(talk: Talk) -> None:
    runtime = talk.desk.runtime
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.unbind(tx, SUPPLIER_CHAT)
    opened, said = await talk.desk.open(), talk.said(media=PHOTO)
    ((chat_id, unbound, message_id),) = await talk.ask(opened, said)
    assert isinstance(unbound, Say)
    assert (chat_id, unbound.screen) == (OPS_CHAT, "enquiry_unbound")
    enquiry = (await talk.view()).enquiry
    operator = await talk.actor(OPERATOR, OPS_CHAT)
    with pytest.raises(Refusal) as caught:
        await talk.enquiries.pass_on(operator, enquiry.id)
    assert refused(caught.value) == "supplier_unbound"
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_supplier(tx, SUPPLIER_CHAT, enquiry.supplier_id)
    await talk.enquiries.pass_on(operator, enquiry.id)
    ((chat_id, card, _),) = await talk.news()
    assert (chat_id, type(card)) == (SUPPLIER_CHAT, EnquiryCard)
    await talk.answer(message_id, chat_id=OPS_CHAT)
    assert [chat for chat, fact, _ in await talk.news() if isinstance(fact, Copy)] == [CHAT]
    enquiry = (await talk.view()).enquiry
    assert (enquiry.state, enquiry.taken_by_name) == ("answered", "")


async def test_what_is_no_longer_a_sides_is_not_its_business(talk: Talk) -> None:
    opened = await talk.desk.open()
    ((_, _, asked),) = await talk.ask(opened)
    runtime = talk.desk.runtime
    enquiry = (await talk.view()).enquiry
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.unbind(tx, SUPPLIER_CHAT)
    assert await talk.enquiries.find_thread(SUPPLIER_CHAT, asked, "") is None
    with pytest.raises(Refusal) as caught:
        await talk.enquiries.take(await talk.actor(SUPPLIER_STAFF, SUPPLIER_CHAT), enquiry.id)
    assert refused(caught.value) == "record_not_found"
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_supplier(tx, SUPPLIER_CHAT, enquiry.supplier_id)
        await runtime.people.groups.unbind(tx, CHAT)
    await talk.answer(asked)
    assert [
        fact for chat, fact, _ in await talk.news() if chat == CHAT and isinstance(fact, Copy)
    ] == []


async def test_our_own_people_ask_there_and_answer_in_ops(talk: Talk) -> None:
    ((_, _, asked),) = await talk.ask(await talk.desk.open())
    await talk.answer(asked, by=OPERATOR)
    assert await talk.news() == []
    assert (await talk.view()).enquiry.state == "open"


async def test_who_left_the_staff_hears_nothing_more(talk: Talk) -> None:
    opened, said = await talk.desk.open(), talk.said(OPERATOR)
    actor = await talk.actor(OPERATOR, OPERATOR)
    await talk.enquiries.chase(actor, key_of(opened), said)
    ((_, _, asked),) = await talk.news()
    await talk.answer(asked)
    returned = {chat: message for chat, fact, message in await talk.news()}
    thread = await talk.enquiries.find_thread(OPERATOR, returned[OPERATOR], "")
    assert thread == Thread((await talk.view()).enquiry.id, "returned")
    await talk.desk.runtime.system.store.execute(
        "UPDATE person SET role = NULL, hired_at = NULL WHERE user_id = $1", OPERATOR
    )
    assert await talk.enquiries.find_thread(OPERATOR, returned[OPERATOR], "") is None
    await talk.answer(asked)
    assert [chat for chat, fact, _ in await talk.news() if chat == OPERATOR] == []


async def test_another_picture_takes_no_words_along(talk: Talk) -> None:
    opened = await talk.desk.open()
    await talk.ask(opened)
    ((chat_id, copy, _),) = await talk.ask(opened, talk.said(media=PHOTO, caption="Zhao cheats"))
    assert isinstance(copy, Copy)
    assert (chat_id, copy.caption) == (SUPPLIER_CHAT, opened.order.live_attempt_no)


async def test_a_supplier_that_nobody_asked_is_not_said_to_be_silent(talk: Talk) -> None:
    runtime, clock = talk.desk.runtime, talk.desk.clock
    supplier_id = await runtime.system.store.fetchval(
        "SELECT supplier_id FROM binding WHERE chat_id = $1", SUPPLIER_CHAT
    )

    async def bind() -> None:
        async with runtime.system.store.transaction() as tx:
            await runtime.people.groups.bind_supplier(tx, SUPPLIER_CHAT, supplier_id)

    async def unbind() -> None:
        async with runtime.system.store.transaction() as tx:
            await runtime.people.groups.unbind(tx, SUPPLIER_CHAT)

    async def told() -> list[str]:
        """What ops hears while nobody answers for long."""
        found = []
        for _ in range(MAX_CHASES + 2):
            clock.advance(CHASED_AFTER.total_seconds() + 1)
            await runtime.trade.chases.chase_due(10)
            found += [
                getattr(f, "screen", "") for chat, f, _ in await talk.news() if chat == OPS_CHAT
            ]
        return found

    await unbind()
    await talk.ask(await talk.desk.open())
    assert await told() == []
    await bind()
    operator = await talk.actor(OPERATOR, OPS_CHAT)
    await talk.enquiries.pass_on(operator, (await talk.view()).enquiry.id)
    enquiry = (await talk.view()).enquiry
    assert clock.now() - enquiry.asked_at < timedelta(seconds=1)
    assert await told() == ["enquiry_unanswered"]
    # Its group is taken off while it has time to answer.
    await talk.ask(await talk.desk.open())
    await unbind()
    assert await told() == ["enquiry_unbound"]


async def test_one_person_takes_it(talk: Talk) -> None:
    await talk.ask(await talk.desk.open())
    enquiry_id = (await talk.view()).enquiry.id
    zhao = replace(await talk.actor(SUPPLIER_STAFF, SUPPLIER_CHAT), name="Zhao")
    assert await talk.enquiries.take(zhao, enquiry_id)
    assert not await talk.enquiries.take(replace(zhao, name="Li"), enquiry_id)
    assert (await talk.view()).enquiry.taken_by_name == "Zhao"
    ((chat_id, card, _),) = await talk.news()
    assert (chat_id, type(card)) == (SUPPLIER_CHAT, EnquiryCard)


async def test_who_of_ours_is_there_takes_none_on(talk: Talk) -> None:
    """Who works here is nobody's business at the supplier."""
    await talk.ask(await talk.desk.open())
    enquiry_id = (await talk.view()).enquiry.id
    ours = await talk.actor(OPERATOR, SUPPLIER_CHAT)
    with pytest.raises(Refusal) as error:
        await talk.enquiries.take(ours, enquiry_id)
    assert refused(error.value) == "enquiry_of_supplier"
    assert (await talk.view()).enquiry.taken_by_name == ""


async def test_a_group_that_moved_is_told_in_the_new_one(talk: Talk) -> None:
    opened = await talk.desk.open()
    ((_, _, asked),) = await talk.ask(opened)
    new = -1_000_000_777_001
    await talk.desk.runtime.people.groups.moved(CHAT, new)
    await talk.answer(asked)
    copies = [(chat, fact) for chat, fact, _ in await talk.news() if isinstance(fact, Copy)]
    ((chat_id, copy),) = copies
    assert (chat_id, copy.reply_to) == (new, None)


def test_facts_of_media_are_read_as_they_were_kept() -> None:
    kept = {"items": [["photo", "f1"], ["photo", "f2"]], "caption": "c"}
    fact = unpack("media_group", kept)
    assert getattr(fact, "items", None) == (("photo", "f1"), ("photo", "f2"))
    assert unpack("media_group", {"items": [["photo"]]}).topic == "media_group"
