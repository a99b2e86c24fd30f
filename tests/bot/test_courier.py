"""What leaves for Telegram arrives: once, in order, within the limits, whatever is in the way."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.types import BufferedInputFile
from aiohttp import web

from bot.courier import Courier
from bot.send_limits import Gate
from bot.world import BOT_ID
from core.accounts.vouchers import Advance, Cause
from core.delivery.board import ALARM_REST, CardPost, Subject
from core.delivery.outbox import (
    MAX_QR_BYTES,
    Bill,
    Card,
    DeskBill,
    Fact,
    Picture,
    Say,
    Stored,
    TakeAway,
    TextFile,
)
from core.delivery.outbox.queue import QUEUE
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.people.groups import InTopic, Language, Quiet, QuietHours, Topics
from core.reports.exports import Paper
from core.reports.verify import AlarmBooks
from core.runtime import Runtime
from core.system.store import DATABASE_AWAY
from core.trade.orders import OpenOrder, Order, get_attempts, get_order
from handlers.kit.qr import qr_png
from tests.bot.support import Telegram, bot_at, gone, in_between, on_the_clock
from tests.conftest import Servers
from tests.core.support import (
    CHAT,
    FINANCE,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    SUPPLIER_CHAT,
    SetClock,
)

BASIC = -55
FORUM = -1000000000056


def word(name: str, **more: object) -> Say:
    """A message that can be told from others by its name."""
    facts = {"code": "order_not_found", "facts": {"number": name}, "line": 0}
    return Say(Stored("refusal", facts), **more)  # type: ignore[arg-type]  # the fields of a Say


async def turn(courier: Courier) -> int:
    """Carry one message of each chat that has one; how many there were."""
    jobs = await courier.take(10)
    await asyncio.gather(*(job() for job in jobs))
    return len(jobs)


class Post:
    """An outbox that begins empty, and a courier that empties it."""

    def __init__(self, runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock) -> None:
        self.runtime = runtime
        self.bot = bot
        self.telegram = telegram
        self.clock = clock
        self.courier = Courier(runtime, bot, group_per_min=18)
        self._messages = 100

    async def put(self, fact: Fact, chat_id: int = CHAT, dedupe_key: str | None = None) -> None:
        await self.runtime.delivery.outbox.say(
            self.runtime.system.store, chat_id, fact, dedupe_key=dedupe_key
        )

    async def deliver(self, *couriers: Courier) -> None:
        """Until nothing is due."""
        while any(await asyncio.gather(*(turn(one) for one in couriers or (self.courier,)))):
            pass

    async def say(self, *names: str, chat_id: int = CHAT) -> None:
        for name in names:
            await self.put(word(name), chat_id)
        await self.deliver()

    async def heard(self, chat_id: int = CHAT) -> list[str]:
        """The names of the words that arrived, in the order of the chat."""
        texts = await self.telegram.texts(chat_id)
        return [name for text in texts for name in re.findall(r"W\d+", text)]

    async def bills(self, chat_id: int = CHAT) -> list[dict[str, Any]]:
        """The bills in a group, M1001's where it is not named, oldest first."""
        return [m for m in await self.telegram.transcript(chat_id) if "📒" in m["text"]]

    async def states(self) -> dict[str, int]:
        rows = await self.runtime.system.store.fetch(
            "SELECT state, count(*) AS n FROM outbox GROUP BY state"
        )
        return {row["state"]: row["n"] for row in rows}

    async def next_day(self, *merchants: Merchant) -> None:
        """Their business day is over, and each has a new bill."""
        await self.minute_passes()
        self.clock.advance(86_400)
        for merchant in merchants:
            await self.runtime.ledger.calendar.roll(merchant.id)
            async with self.runtime.system.store.transaction() as tx:
                await self.runtime.people.groups.show_bill(tx, merchant.id)
        await self.deliver()

    async def minute_passes(self) -> None:
        """For the desk, for its limits, and for Telegram."""
        await self.runtime.system.redis.flushdb()
        self.clock.advance(61)
        self.telegram.room.clock.forward(61)

    async def prepay(self, merchant: Merchant, minor: int) -> None:
        """Money moves, and with it the bill; what says so in the chat is left out."""
        self._messages += 1
        actor = await self.runtime.people.access.actor(FINANCE, "x", CHAT, private=False)
        await self.runtime.accounts.prepayments.record(
            actor, merchant, Advance(Money(minor, "CNY"), "advance"), Cause(CHAT, self._messages, 1)
        )
        await self.runtime.system.store.execute("DELETE FROM outbox WHERE topic = 'say'")
        await self.runtime.reports.changes.show()
        self.clock.advance(4)  # a bill rests before it is edited again


@pytest.fixture
async def post(runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock) -> Post:
    await runtime.system.store.execute("DELETE FROM outbox")
    bot.session.middleware(Gate(runtime.delivery.outbox.chats))
    return Post(on_the_clock(runtime, clock), bot, telegram, clock)


@pytest.fixture
async def merchant(post: Post, shop: tuple[Merchant, App]) -> Merchant:
    """M1001, whose live bill waits to be posted in its group."""
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.show_bill(tx, shop[0].id)
    return shop[0]


async def test_a_message_is_sent_and_edited_in_place(post: Post) -> None:
    await post.put(word("W1", remember="receipt", ref="r1"))
    await post.deliver()
    (sent,) = await post.telegram.transcript(CHAT)
    assert "W1" in sent["text"]
    assert not sent["edited"]
    remembered = await post.runtime.system.store.fetchrow(
        "SELECT * FROM post WHERE kind = 'receipt'"
    )
    assert remembered is not None
    assert (remembered["chat_id"], remembered["message_id"]) == (CHAT, sent["id"])
    assert remembered["ref"] == "r1"

    await post.put(word("W2", edit_message_id=sent["id"]))
    await post.deliver()
    (edited,) = await post.telegram.transcript(CHAT)
    assert edited["id"] == sent["id"]
    assert "W2" in edited["text"]
    assert edited["edit_count"] == 1


async def test_an_alarm_is_one_message_that_counts_up_and_ends(post: Post) -> None:
    alarms = post.runtime.people.alarms

    async def sound() -> None:
        async with post.runtime.system.store.transaction() as tx:
            await alarms.sound(tx, AlarmBooks(3, "x"))
        await post.deliver()

    await sound()
    (told,) = await post.telegram.transcript(OPS_CHAT)
    assert "账目不平" in told["text"]
    for _ in range(13):
        await sound()
    (told,) = await post.telegram.transcript(OPS_CHAT)
    assert told["edit_count"] == 0, "a flood is shown once it has rested"
    post.clock.advance(ALARM_REST.total_seconds())
    await post.deliver()
    (told,) = await post.telegram.transcript(OPS_CHAT)
    assert "14 次" in told["text"]
    assert told["edit_count"] == 1

    post.clock.advance(ALARM_REST.total_seconds())
    async with post.runtime.system.store.transaction() as tx:
        await alarms.end(tx, AlarmBooks)
    await post.deliver()
    (told,) = await post.telegram.transcript(OPS_CHAT)
    assert "已解除" in told["text"]
    await sound()
    assert len(await post.telegram.transcript(OPS_CHAT)) == 2


async def test_a_text_leaves_as_a_file_and_a_message_is_taken_away(post: Post) -> None:
    text = "+ 支付\n" * 3000
    await post.put(TextFile("epay.diff", text, Stored("file", {"title": "epay <v2>"})))
    await post.say("W1")
    file, word_ = await post.telegram.transcript(CHAT)
    assert "epay <v2>" in str(file)
    assert "epay.diff" in str(file)
    for _ in range(2):  # the second time there is nothing left to take
        await post.put(TakeAway(word_["id"]))
    await post.deliver()
    assert await post.heard() == []
    assert set(await post.states()) == {"sent"}


async def test_a_text_leaves_as_a_code_to_scan(post: Post) -> None:
    text = "https://pay.example/" + "x" * (MAX_QR_BYTES - 20)
    await post.put(Picture(text, Stored("file", {"title": "scan <me>"})))
    await post.deliver()
    (sent,) = await post.telegram.transcript(CHAT)
    assert "scan <me>" in sent["text"]
    (file,) = sent["files"]
    png = qr_png(text)
    assert (file["kind"], file["size"]) == ("photo", len(png))
    assert file["width"] == file["height"]
    assert png != qr_png(text + "y")
    assert set(await post.states()) == {"sent"}


async def test_an_edit_that_changes_nothing_is_done(post: Post) -> None:
    await post.say("W1")
    (sent,) = await post.telegram.transcript(CHAT)
    await post.put(word("W1", edit_message_id=sent["id"]))
    await post.deliver()
    assert await post.states() == {"sent": 2}


async def test_a_reply_hangs_on_its_question_even_when_that_is_gone(post: Post) -> None:
    asked = await post.telegram.room.say("查单 X", chat_id=CHAT, text_as=OPERATOR)
    await post.put(word("W1", reply_to=asked))
    await post.put(word("W2", reply_to=99_999))
    await post.deliver()
    first, second = [m for m in await post.telegram.transcript(CHAT) if m["from"]["is_bot"]]
    assert first["reply_to"] == asked
    assert second["reply_to"] is None


async def test_the_live_bill_is_posted_once_pinned_and_edited(
    post: Post, merchant: Merchant
) -> None:
    await post.deliver()
    (posted,) = await post.bills()
    assert posted["pinned"]
    assert merchant.merchant_no in posted["text"]
    assert "1,234.00" not in posted["text"]

    await post.prepay(merchant, 123_400)
    await post.deliver()
    (edited,) = await post.bills()
    assert edited["id"] == posted["id"]
    assert "1,234.00" in edited["text"]
    assert edited["edit_count"] == 1

    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.show_bill(tx, merchant.id)
    post.clock.advance(4)
    await post.deliver()
    (same,) = await post.bills()
    assert same["edit_count"] == 1, "nothing changed, so nothing was asked of Telegram"


async def test_a_bill_that_somebody_deleted_is_posted_anew(post: Post, merchant: Merchant) -> None:
    await post.deliver()
    (posted,) = await post.bills()
    await post.bot.delete_message(CHAT, posted["id"])
    await post.prepay(merchant, 123_400)
    await post.deliver()
    (anew,) = await post.bills()
    assert anew["id"] > posted["id"]
    assert anew["pinned"]
    assert "1,234.00" in anew["text"]
    known = await post.runtime.system.store.fetch(
        "SELECT message_id FROM post WHERE kind = 'bill' AND chat_id = $1", CHAT
    )
    assert [row["message_id"] for row in known] == [anew["id"]]


async def test_a_bill_is_still_posted_where_the_bot_may_not_pin(
    post: Post, merchant: Merchant
) -> None:
    await post.telegram.bot_is(CHAT, "member")
    await post.deliver()
    (posted,) = await post.bills()
    assert merchant.merchant_no in posted["text"]
    assert not posted["pinned"]
    assert await post.states() == {"sent": 2}, "nobody is told of a pin that may not be"
    await post.telegram.bot_is(CHAT, "administrator")
    await post.runtime.delivery.board.set_pins(post.runtime.system.store, CHAT)
    await post.deliver()
    (posted,) = await post.bills()
    assert posted["pinned"], "it has the right now"


async def test_a_pin_that_fails_is_tried_again(post: Post, merchant: Merchant) -> None:
    await post.telegram.fault("500", method="pinChatMessage", times=1)
    await post.deliver()
    (posted,) = await post.bills()
    assert not posted["pinned"]
    post.clock.advance(5)
    await post.deliver()
    (posted,) = await post.bills()
    assert posted["pinned"]


async def test_a_bill_that_is_no_longer_the_newest_is_not_pinned_late(
    post: Post, merchant: Merchant
) -> None:
    await post.telegram.fault("500", method="pinChatMessage", times=1)
    await post.deliver()
    await post.next_day(merchant)
    former, present = await post.bills()
    assert (former["pinned"], present["pinned"]) == (False, True)


async def test_of_each_merchant_one_bill_is_pinned_however_many_days_close(
    post: Post, merchant: Merchant
) -> None:
    other = await post.runtime.parties.merchants.by_no("M1002")
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.bind_merchant(tx, CHAT, other.id)
    for _ in range(3):
        await post.next_day(merchant, other)
    pinned = [bill["text"].split(" · ")[1][:5] for bill in await post.bills() if bill["pinned"]]
    assert sorted(pinned) == ["M1001", "M1002"]
    newest = {bill["text"].split(" · ")[1][:5]: bill["id"] for bill in await post.bills()}
    assert {bill["id"] for bill in await post.bills() if bill["pinned"]} == set(newest.values())
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.unbind(tx, CHAT, other.id)
    await post.deliver()
    still = [bill["text"] for bill in await post.bills() if bill["pinned"]]
    assert len(still) == 1
    assert "M1001" in still[0]


async def test_a_new_day_has_its_own_bill_and_the_former_one_is_closed(
    post: Post, merchant: Merchant
) -> None:
    await post.deliver()
    (first,) = await post.bills()
    post.clock.advance(86_400)
    await post.runtime.ledger.calendar.roll(merchant.id)
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.show_bill(tx, merchant.id)
    await post.deliver()
    former, present = await post.bills()
    assert former["id"] == first["id"]
    assert "🟢" in first["text"]
    assert "⚪" in former["text"]
    assert "🟢" in present["text"]
    assert present["pinned"]
    # Closed, it stays what it is: its buttons post other days beside it.
    assert all(button["data"].endswith(":new") for button in former["buttons"][0])


async def test_bills_of_several_days_of_suppliers_and_of_the_platform(
    post: Post, merchant: Merchant
) -> None:
    await post.runtime.system.store.execute("DELETE FROM outbox")
    supplier = await post.runtime.parties.suppliers.by_no("S01")
    day = await post.runtime.reports.bills.open_day(merchant.id)
    first, last = (day - timedelta(days=20)).isoformat(), day.isoformat()
    await post.put(Bill(str(merchant.id), first, last, reply_to=1))
    await post.put(Bill(str(merchant.id), last, last, reply_to=1), OPS_CHAT)
    await post.put(DeskBill(first, last, reply_to=1), OPS_CHAT)
    await post.put(DeskBill(last, last, str(supplier.id), reply_to=1), SUPPLIER_CHAT)
    await post.deliver()
    assert await post.states() == {"sent": 4}
    (theirs,) = await post.bills()
    assert first in theirs["text"]
    ours, whole = await post.telegram.texts(OPS_CHAT)
    assert "M1001" in ours
    assert first in whole
    (sent,) = await post.telegram.transcript(SUPPLIER_CHAT)
    assert "S01" in sent["text"]
    await post.put(
        DeskBill(first, last, str(supplier.id), edit_message_id=sent["id"]), SUPPLIER_CHAT
    )
    await post.deliver()
    (turned,) = await post.telegram.transcript(SUPPLIER_CHAT)
    assert first in turned["text"]
    assert (turned["id"], turned["edit_count"]) == (sent["id"], 1)


@pytest.mark.parametrize("chat_id", [OPS_CHAT, SUPPLIER_CHAT])
async def test_ops_and_suppliers_groups_have_a_live_bill_as_well(
    post: Post, shop: tuple[Merchant, App], chat_id: int
) -> None:
    """One pinned message per day: edited, closed with its day, followed by the next one."""
    runtime = post.runtime
    supplier = await runtime.parties.suppliers.by_no("S01")
    actor = await runtime.people.access.actor(FINANCE, "x", SUPPLIER_CHAT, private=False)

    async def pay_in(number: int) -> None:
        await runtime.accounts.payins.record(
            actor, supplier, Advance(Money(100_000, "CNY"), ""), Cause(SUPPLIER_CHAT, number, 1)
        )
        await runtime.system.store.execute("DELETE FROM outbox WHERE topic = 'say'")
        await runtime.reports.changes.show()
        await post.minute_passes()
        await post.deliver()

    await pay_in(1)
    (posted,) = await post.bills(chat_id)
    assert posted["pinned"]
    assert "🟢" in posted["text"]
    assert "1,000.00" in posted["text"]
    assert all(button["data"].endswith(":new") for button in posted["buttons"][0])
    await pay_in(2)
    (edited,) = await post.bills(chat_id)
    assert (edited["id"], edited["edit_count"]) == (posted["id"], 1)
    assert "2,000.00" in edited["text"]

    post.clock.advance(86_400)
    for holder_id in await runtime.ledger.calendar.due_to_roll():
        await runtime.ledger.calendar.roll(holder_id)
    await runtime.reports.bills.keep_sums(runtime.reports.day_reports.post)
    await post.deliver()
    (closed,) = await post.bills(chat_id)
    assert (closed["id"], closed["pinned"]) == (posted["id"], True)
    assert "⚪" in closed["text"]
    await pay_in(3)
    former, present = await post.bills(chat_id)
    assert (former["id"], former["pinned"], present["pinned"]) == (posted["id"], False, True)
    assert "🟢" in present["text"]

    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.unbind(tx, chat_id)
    await post.deliver()
    ended = [m for m in await post.telegram.transcript(chat_id) if m["id"] == present["id"]]
    assert not ended[0]["pinned"]
    assert ("S01" in ended[0]["text"]) == (chat_id == SUPPLIER_CHAT)
    assert present["text"] != ended[0]["text"]


async def test_an_unbound_group_gets_no_bill(post: Post, merchant: Merchant) -> None:
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.unbind(tx, CHAT)
    assert await post.states() == {}, "what waited is taken out"
    await post.put(Bill(str(merchant.id)))
    await post.deliver()
    assert await post.telegram.transcript(CHAT) == []
    assert await post.states() == {"sent": 1}


async def test_a_group_that_was_taken_off_a_supplier_gets_no_bill_of_it(post: Post) -> None:
    supplier = await post.runtime.parties.suppliers.by_no("S01")
    day = (await post.runtime.reports.bills.open_day(HOUSE)).isoformat()
    await post.put(DeskBill(day, day, str(supplier.id), reply_to=1), SUPPLIER_CHAT)
    await post.put(DeskBill(day, day, reply_to=1), SUPPLIER_CHAT)
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.unbind(tx, SUPPLIER_CHAT)
    await post.deliver()
    assert await post.telegram.transcript(SUPPLIER_CHAT) == []
    assert await post.states() == {"sent": 2}


async def test_a_bill_that_ended_says_so_and_is_pinned_no_longer(
    post: Post, merchant: Merchant
) -> None:
    await post.deliver()
    (bill, *_) = await post.telegram.transcript(CHAT)
    assert bill["pinned"]
    waiting = Bill(str(merchant.id), "2026-01-01", "2026-01-01", reply_to=bill["id"])
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.unbind(tx, CHAT, merchant.id)
    await post.put(waiting)  # asked for before, and rendered only now
    await post.deliver()
    ended, *others = await post.telegram.transcript(CHAT)
    assert "M1001" in ended["text"]
    assert bill["text"] not in ended["text"]
    assert not ended["pinned"]
    assert not [m for m in others if m["from"]["is_bot"] and "2026-01-01" in m["text"]]


async def test_an_orders_card_is_edited_when_it_shows_something_else(
    post: Post, shop: tuple[Merchant, App]
) -> None:
    order = await an_order(post.runtime, shop)
    await post.runtime.system.store.execute("DELETE FROM outbox")
    await post.put(Card(str(order.merchant_id), str(order.id)))
    await post.deliver()
    (posted,) = await post.telegram.transcript(CHAT)
    assert order.order_no in posted["text"]
    for language, edits in ((Language("zh"), 0), (Language("en"), 1), (Language("en"), 1)):
        async with post.runtime.system.store.transaction() as tx:
            await post.runtime.people.groups.put(tx, CHAT, language)
        shown = CardPost(CHAT, posted["id"], order.merchant_id, order.id)
        await post.runtime.delivery.board.show_cards(post.runtime.system.store, [shown])
        await post.deliver()
        (card,) = await post.telegram.transcript(CHAT)
        assert (card["id"], card["edit_count"]) == (posted["id"], edits)
        assert (card["text"] == posted["text"]) == (language == Language("zh"))


async def test_a_supplier_sees_its_attempt_and_nothing_of_the_merchant(
    post: Post, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    order = await an_order(post.runtime, shop)
    await post.runtime.system.store.execute("DELETE FROM outbox")
    store, card = post.runtime.system.store, Card(str(order.merchant_id), str(order.id))
    mine, other = await get_attempts(store, order.merchant_id, order.id)
    assert mine.supplier_no == "S01"
    await post.put(card, SUPPLIER_CHAT)
    await post.deliver()
    (posted,) = await post.telegram.transcript(SUPPLIER_CHAT)
    assert mine.attempt_no in posted["text"]
    assert "100.00 CNY" in posted["text"]
    numbers = [one["copy_text"] for row in posted["buttons"] for one in row]
    assert mine.attempt_no in numbers
    assert {len(one) for row in posted["buttons"] for one in row} == {2}, "nothing to press"
    for secret in (
        shop[0].merchant_no, shop[0].name, order.order_no, order.merchant_order_no, "A lamp",
        other.attempt_no, "S02",
    ):  # fmt: skip
        assert secret not in posted["text"], secret
    async with store.transaction() as tx:
        await post.runtime.people.groups.unbind(tx, SUPPLIER_CHAT)
    for fact in (replace(card, edit_message_id=posted["id"]), card):
        await post.put(fact, SUPPLIER_CHAT)
    await post.deliver()
    (kept,) = await post.telegram.transcript(SUPPLIER_CHAT)
    assert kept["text"] == posted["text"]
    assert await store.fetchval("SELECT count(*) FROM post WHERE kind = 'card'") == 0


async def test_what_changes_while_a_card_is_posted_is_shown(
    post: Post, shop: tuple[Merchant, App]
) -> None:
    order = await an_order(post.runtime, shop)
    await post.runtime.system.store.execute("DELETE FROM outbox")

    async def meanwhile(method: str, _form: dict[str, Any]) -> web.Response | None:
        if method.startswith("send"):
            await post.runtime.people.groups.set_language(CHAT, "en")
        return None

    async with in_between(post.telegram.api, meanwhile) as api, bot_at(api) as bot:
        post.courier = Courier(post.runtime, bot, group_per_min=18)
        await post.put(Card(str(order.merchant_id), str(order.id)))
        await post.deliver()
    (card,) = await post.telegram.transcript(CHAT)
    assert card["edit_count"] == 1


async def test_a_card_that_somebody_deleted_is_forgotten(
    post: Post, shop: tuple[Merchant, App]
) -> None:
    order = await an_order(post.runtime, shop)
    await post.runtime.system.store.execute("DELETE FROM outbox")
    await post.put(Card(str(order.merchant_id), str(order.id)))
    await post.deliver()
    (posted,) = await post.telegram.transcript(CHAT)
    await post.bot.delete_message(CHAT, posted["id"])
    await post.runtime.people.groups.set_language(CHAT, "en")
    await post.put(Card(str(order.merchant_id), str(order.id), edit_message_id=posted["id"]))
    await post.deliver()
    assert (
        await post.runtime.system.store.fetchval("SELECT count(*) FROM post WHERE kind = 'card'")
        == 0
    )
    assert await post.states() == {"sent": 2}


async def test_an_edit_of_a_message_that_is_gone_is_posted_anew(post: Post) -> None:
    await post.say("W1")
    (sent,) = await post.telegram.transcript(CHAT)
    await post.bot.delete_message(CHAT, sent["id"])
    await post.put(word("W2", edit_message_id=sent["id"], remember="receipt", ref="r1"))
    await post.deliver()
    assert await post.heard() == ["W2"]
    (anew,) = [m for m in await post.telegram.transcript(CHAT) if "W2" in m["text"]]
    known = await post.runtime.system.store.fetch("SELECT message_id FROM post WHERE ref = 'r1'")
    assert [row["message_id"] for row in known] == [anew["id"]]


async def test_a_full_group_takes_nothing_from_the_others(post: Post) -> None:
    post.courier = Courier(post.runtime, post.bot, group_per_min=1)
    await post.say("W1")
    await post.runtime.system.redis.delete("paydesk:limit:telegram:all")
    await post.say("W2", "W3", "W4")
    assert await post.heard() == ["W1"]
    assert await post.runtime.system.redis.zcard("paydesk:limit:telegram:all") == 0


async def test_too_many_requests_stop_the_whole_chat_and_no_other(post: Post) -> None:
    await post.telegram.strictly(edits_count=True, chat_closes=True)
    await post.say("W0")
    (first,) = await post.telegram.transcript(CHAT)
    await post.telegram.fault("429", method="sendMessage", retry_after=7)
    await post.say("W1", "W2")
    await post.put(word("W3", edit_message_id=first["id"]))
    await post.put(TakeAway(first["id"]))
    await post.say("W4", chat_id=NORTHWIND_CHAT)
    assert await post.heard() == ["W0"]
    assert await post.heard(NORTHWIND_CHAT) == ["W4"]
    with pytest.raises(TelegramRetryAfter):  # whoever asks, and Telegram does not hear of it
        await post.bot.set_message_reaction(CHAT, first["id"])
    row = await post.runtime.system.store.fetchrow("SELECT * FROM outbox WHERE state = 'waiting'")
    assert row is not None
    assert row["tries"] == 0
    post.clock.advance(8)
    post.telegram.room.clock.forward(8)
    await post.deliver()
    assert await post.heard() == ["W1", "W2"]
    assert set(await post.states()) == {"sent"}


async def test_messages_and_edits_share_the_groups_window(post: Post) -> None:
    post.courier = Courier(post.runtime, post.bot, group_per_min=3)
    await post.say("W1", "W2")
    first, _ = await post.telegram.transcript(CHAT)
    await post.put(word("W9", edit_message_id=first["id"]))
    await post.say("W3", "W4")
    await post.say("W7", chat_id=NORTHWIND_CHAT)
    assert await post.heard() == ["W9", "W2"]
    assert await post.heard(NORTHWIND_CHAT) == ["W7"]
    await post.minute_passes()
    await post.deliver()
    assert await post.heard() == ["W9", "W2", "W3", "W4"]
    tries = await post.runtime.system.store.fetchval("SELECT max(tries) FROM outbox")
    assert tries == 1, "waiting for room is no try"


async def test_what_is_only_shown_leaves_room_for_what_is_said(
    post: Post, merchant: Merchant
) -> None:
    await post.deliver()
    (bill,) = await post.bills()
    await post.say(*(f"W{n}" for n in range(8)))
    await post.prepay(merchant, 123_400)
    post.clock.advance(60)
    await post.deliver()
    assert await post.heard() == [f"W{n}" for n in range(8)]
    assert (await post.bills())[0]["edit_count"] == 1, "the tenth of the window"
    await post.prepay(merchant, 100)
    post.clock.advance(30)
    await post.deliver()
    assert (await post.bills())[0]["edit_count"] == 1
    await post.say(*(f"W{n}" for n in range(8, 14)))
    assert await post.heard() == [f"W{n}" for n in range(14)]
    await post.minute_passes()
    await post.deliver()
    (bill,) = await post.bills()
    assert bill["edit_count"] == 2
    assert "1,235.00" in bill["text"]


async def test_the_nineteenth_message_of_a_minute_waits(post: Post) -> None:
    names = [f"W{n}" for n in range(19)]
    await post.say(*names)
    assert await post.heard() == names[:18]
    await post.minute_passes()
    await post.deliver()
    assert await post.heard() == names


async def test_where_the_bot_was_removed_messages_are_parked(post: Post) -> None:
    await post.telegram.bot_is(CHAT, "kicked")
    await post.put(word("W1"))
    await post.put(word("W2"), OPS_CHAT)
    await post.deliver()
    assert await post.states() == {"parked": 1, "sent": 2}
    assert "有消息发不出去" in "".join(await post.telegram.texts(OPS_CHAT)), "and ops hears of it"
    fault = await post.runtime.system.store.fetchval(
        "SELECT fault FROM outbox WHERE state = 'parked'"
    )
    assert "kicked" in fault
    assert await post.heard(OPS_CHAT) == ["W2"]


async def test_a_group_that_moved_is_followed(post: Post, shop: tuple[Merchant, App]) -> None:
    members = [
        {"user_id": FINANCE, "status": "creator"}, {"user_id": BOT_ID, "status": "administrator"}
    ]  # fmt: skip
    basic = {"id": BASIC, "type": "group", "title": "Basic", "members": members}
    await post.telegram.room.control("chat", {"create": basic})
    groups = post.runtime.people.groups
    await groups.seen(BASIC, chat_type="group", title="Basic", bot_status="administrator")
    async with post.runtime.system.store.transaction() as tx:
        await groups.bind_merchant(tx, BASIC, shop[0].id)
    answer = await post.telegram.room.control("chat", {"chat_id": BASIC, "migrate": True})
    moved_to = answer["chat_id"]

    await post.say("W1", "W2", chat_id=BASIC)
    assert await post.heard(moved_to) == ["W1", "W2"]
    (bill,) = [m for m in await post.telegram.transcript(moved_to) if "📒" in m["text"]]
    assert bill["pinned"]
    moved = await groups.find(moved_to)
    assert moved is not None
    assert moved.merchant_ids == (shop[0].id,)
    # Somebody who still has the old number is led on as well.
    await post.say("W3", chat_id=BASIC)
    assert await post.heard(moved_to) == ["W1", "W2", "W3"]
    assert set(await post.states()) == {"sent"}


async def test_only_one_person_sees_what_is_only_for_them(post: Post) -> None:
    await post.put(word("W1", only_for=OPERATOR))
    await post.deliver()
    (whisper,) = await post.telegram.transcript(CHAT)
    assert whisper["ephemeral_for"] == OPERATOR
    assert "W1" in whisper["text"]


async def test_where_that_is_refused_it_is_a_reply(post: Post) -> None:
    await post.telegram.bot_is(CHAT, "member")
    asked = await post.telegram.room.say("补单", chat_id=CHAT, text_as=OPERATOR)
    await post.put(word("W1", only_for=OPERATOR, reply_to=asked))
    await post.deliver()
    said = [m for m in await post.telegram.transcript(CHAT) if m["from"]["is_bot"]]
    assert [(m["reply_to"], "ephemeral_for" in m) for m in said] == [(asked, False)]


async def test_a_reply_that_all_read_has_the_facts_for_all(post: Post) -> None:
    shown = {
        "rights": ["adjust", "look_up"], "kind": "merchant", "name": "Ben", "topics": ["money"],
    }  # fmt: skip
    theirs = Stored("help", {**shown, "rights": ["look_up"]})
    await post.telegram.bot_is(CHAT, "member")
    await post.put(Say(Stored("help", shown), only_for=OPERATOR, aloud=theirs))
    await post.deliver()
    await post.telegram.bot_is(CHAT, "administrator")
    await post.put(Say(Stored("help", shown), only_for=OPERATOR, aloud=theirs))
    await post.deliver()
    aloud, whispered = [m for m in await post.telegram.transcript(CHAT) if m["from"]["is_bot"]]
    assert ["/adjust" in m["text"] for m in (aloud, whispered)] == [False, True]
    assert ["ephemeral_for" in m for m in (aloud, whispered)] == [False, True]


async def test_in_a_group_with_topics_it_is_shown_where_the_person_wrote(post: Post) -> None:
    members = [
        {"user_id": OPERATOR, "status": "creator"}, {"user_id": BOT_ID, "status": "administrator"}
    ]  # fmt: skip
    forum = {"id": FORUM, "type": "supergroup", "title": "Topics", "is_forum": True,
             "topics": [7], "members": members}  # fmt: skip
    await post.telegram.room.control("chat", {"create": forum})
    await post.put(word("W1", only_for=OPERATOR, thread_id=7), FORUM)
    await post.put(word("W2", only_for=OPERATOR, thread_id=8), FORUM)  # it was closed since
    await post.deliver()
    first, second = await post.telegram.transcript(FORUM)
    assert (first["thread_id"], first["ephemeral_for"]) == (7, OPERATOR)
    assert "W2" in second["text"]


async def forum(post: Post, merchant: Merchant, *topics: int) -> None:
    """A forum of M1001's alone, with these topics."""
    members = [
        {"user_id": OPERATOR, "status": "creator"}, {"user_id": BOT_ID, "status": "administrator"}
    ]  # fmt: skip
    chat = {"id": FORUM, "type": "supergroup", "title": "Topics", "is_forum": True,
            "topics": [*topics], "members": members}  # fmt: skip
    await post.telegram.room.control("chat", {"create": chat})
    groups = post.runtime.people.groups
    await groups.seen(FORUM, chat_type="supergroup", title="Topics", bot_status="administrator")
    async with post.runtime.system.store.transaction() as tx:
        await groups.bind_merchant(tx, FORUM, merchant.id)
        await groups.put(tx, FORUM, InTopic("bills", 7))
        await groups.put(tx, FORUM, InTopic("lookups", 8))
    await post.deliver()


async def in_forum(post: Post) -> list[dict[str, Any]]:
    """What was said there, oldest first; that something was pinned is left out."""
    return [one for one in await post.telegram.transcript(FORUM) if "pinned a" not in one["text"]]


async def test_what_comes_unasked_comes_into_its_topic(
    post: Post, shop: tuple[Merchant, App]
) -> None:
    merchant = shop[0]
    await forum(post, merchant, 7, 8)
    (bill,) = await in_forum(post)
    assert (bill["thread_id"], bill["pinned"]) == (7, True)
    await post.put(word("W1", use="lookups"), FORUM)
    await post.put(word("W2"), FORUM)
    order = await an_order(post.runtime, shop)
    await post.put(Card(str(merchant.id), str(order.id)), FORUM)
    await post.deliver()
    asked = (await in_forum(post))[1]
    await post.put(word("W3", use="bills", reply_to=asked["id"]), FORUM)
    await post.deliver()
    shown = await in_forum(post)
    assert [one.get("thread_id") for one in shown] == [7, 8, None, 8, 8], (
        "a reply stays where it is"
    )
    await post.prepay(merchant, 5_000)
    await post.deliver()
    assert len(await in_forum(post)) == 5, "the bill is edited in its topic"


@pytest.mark.parametrize("fault", ["message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"])
async def test_where_a_topic_is_gone_it_comes_into_the_general_one_and_says_so_once(
    post: Post, shop: tuple[Merchant, App], fault: str
) -> None:
    await forum(post, shop[0], 7, 8)

    async def closed(_method: str, form: dict[str, Any]) -> web.Response | None:
        if str(form.get("message_thread_id")) != "8":
            return None
        refusal = {"ok": False, "error_code": 400, "description": f"Bad Request: {fault}"}
        return web.json_response(refusal, status=400)

    async with in_between(post.telegram.api, closed) as api, bot_at(api) as bot:
        post.courier = Courier(post.runtime, bot, group_per_min=18)
        for name in ("W1", "W2"):
            await post.put(word(name, use="lookups"), FORUM)
        await post.deliver()
    _, *shown = await in_forum(post)
    assert [one.get("thread_id") for one in shown] == [None] * 3
    assert len([one for one in shown if "话题已关闭或删除" in one["text"]]) == 1
    assert await post.heard(FORUM) == ["W1", "W2"]
    assert set(await post.states()) == {"sent"}
    group = await post.runtime.people.groups.find(FORUM)
    assert group is not None
    assert group.topics == Topics(bills=7)


async def test_the_bill_of_a_new_day_waits_for_the_end_of_quiet_hours(
    post: Post, merchant: Merchant
) -> None:
    await post.deliver()
    (first,) = await post.bills()
    zone = ZoneInfo(merchant.day_cut.zone)
    await post.next_day()
    now = post.clock.now().astimezone(zone)
    begun = now.replace(minute=0, second=0, microsecond=0)
    hours = QuietHours(begun.time(), (begun + timedelta(hours=3)).time())
    async with post.runtime.system.store.transaction() as tx:
        await post.runtime.people.groups.put(tx, CHAT, Quiet(hours))
    await post.next_day(merchant)
    assert [one["id"] for one in await post.bills()] == [first["id"]]
    await post.say("W1")
    assert await post.heard() == ["W1"], "answers do not wait for it"
    await post.prepay(merchant, 5_000)
    await post.deliver()
    assert len(await post.bills()) == 1
    for _ in range(4):
        post.clock.advance(3600)
        await post.deliver()
    former, present = await post.bills()
    assert (former["id"], present["pinned"]) == (first["id"], True)


async def test_in_private_nothing_needs_to_be_hidden(post: Post) -> None:
    await post.telegram.room.say("/start", chat_id=OPERATOR, text_as=OPERATOR)
    await post.put(word("W1", only_for=OPERATOR), OPERATOR)
    await post.deliver()
    assert await post.heard(OPERATOR) == ["W1"]


@pytest.mark.parametrize(
    ("status", "said"), [(400, "Bad Request: RICH_NOT_HERE"), (404, "Not Found: method not found")]
)
async def test_where_rich_messages_are_refused_the_bill_is_html(
    post: Post, merchant: Merchant, status: int, said: str
) -> None:
    """A Bot API server of one's own may be older than rich messages."""

    async def poorer(_method: str, form: dict[str, Any]) -> web.Response | None:
        if "rich_message" not in form:
            return None
        refusal = {"ok": False, "error_code": status, "description": said}
        return web.json_response(refusal, status=status)

    async with in_between(post.telegram.api, poorer) as api, bot_at(api) as bot:
        post.courier = Courier(post.runtime, bot, group_per_min=18)
        await post.deliver()
        (posted,) = await post.bills()
        assert merchant.merchant_no in posted["text"]
        assert posted["pinned"]
        await post.prepay(merchant, 123_400)
        await post.deliver()
        (edited,) = await post.bills()
    assert edited["id"] == posted["id"]
    assert "1,234.00" in edited["text"]
    assert set(await post.states()) == {"sent"}


@pytest.mark.parametrize("kind", ["500", "timeout"])
async def test_where_telegram_is_away_it_is_tried_again(post: Post, kind: str) -> None:
    await post.telegram.fault(kind, method="sendMessage", times=2, delay_s=0.01)
    await post.say("W1")
    assert await post.states() == {"waiting": 1}
    post.clock.advance(1.1)
    await post.deliver()
    assert await post.states() == {"waiting": 1}
    post.clock.advance(2.1)
    await post.deliver()
    assert set(await post.states()) == {"sent"}
    assert await post.heard() == ["W1"]


async def test_a_courier_that_died_is_succeeded(post: Post) -> None:
    await post.put(word("W1"))
    (taken,) = await post.runtime.delivery.outbox.take(10)
    await post.deliver()
    assert await post.heard() == []
    post.clock.advance(QUEUE.lease.total_seconds())
    await post.deliver()
    assert await post.heard() == ["W1"]
    assert taken.tries == 1


async def test_a_message_whose_answer_was_lost_is_there_once(post: Post) -> None:
    asked = await post.telegram.room.say("查单 X", chat_id=CHAT, text_as=OPERATOR)
    await post.say("W0")
    await post.telegram.fault("lost_answer", method="sendMessage", times=2)
    await post.say("W1")
    others = [await post.telegram.room.say(f"chat {n}", chat_id=CHAT, text_as=OPERATOR)
              for n in range(3)]  # fmt: skip
    for _ in range(3):
        post.clock.advance(6)
        await post.deliver()
    await post.say("W2")
    assert await post.heard() == ["W0", "W1", "W2"]
    assert set(await post.states()) == {"sent"}
    there = {m["id"] for m in await post.telegram.transcript(CHAT)}
    assert {asked, *others} <= there, "nobody else's messages are touched"


async def test_a_live_bill_whose_answer_was_lost_has_no_twin(
    post: Post, merchant: Merchant
) -> None:
    await post.telegram.fault("lost_answer", method="sendRichMessage")
    await post.deliver()
    post.clock.advance(2)
    await post.deliver()
    (bill,) = await post.bills()
    assert bill["pinned"]
    known = await post.runtime.system.store.fetch("SELECT message_id FROM post WHERE kind = 'bill'")
    assert [row["message_id"] for row in known] == [bill["id"]]
    assert merchant.merchant_no in bill["text"]


async def test_a_twin_that_may_not_be_deleted_says_that_it_is_repeated(post: Post) -> None:
    async def never(method: str, _form: dict[str, Any]) -> web.Response | None:
        if method != "deleteMessage":
            return None
        said = "Bad Request: message can't be deleted for everyone"
        refusal = {"ok": False, "error_code": 400, "description": said}
        return web.json_response(refusal, status=400)

    await post.telegram.fault("lost_answer", method="sendMessage")
    async with in_between(post.telegram.api, never) as api, bot_at(api) as bot:
        post.courier = Courier(post.runtime, bot, group_per_min=18)
        await post.say("W1")
        post.clock.advance(2)
        await post.deliver()
    assert await post.heard() == ["W1"]
    first, _ = await post.telegram.texts(CHAT)
    assert "下方重发" in first


async def test_who_died_after_it_was_remembered_doubles_nothing(post: Post) -> None:
    await post.put(word("W1", remember="receipt", ref="r1"))
    (taken,) = await post.runtime.delivery.outbox.take(10)
    posted = await post.bot.send_message(CHAT, "W1")
    about = Subject("receipt", "r1", taken.merchant_id)
    await post.runtime.delivery.board.posts.posted(CHAT, posted.message_id, about, "digest")
    post.clock.advance(QUEUE.lease.total_seconds())
    await post.deliver()
    assert await post.heard() == ["W1"]
    (shown,) = await post.telegram.texts(CHAT)
    assert shown != "W1", "it shows what it says by now"
    assert set(await post.states()) == {"sent"}


async def test_a_file_on_its_way_is_no_twin(post: Post, merchant: Merchant) -> None:
    await post.runtime.system.store.execute("DELETE FROM outbox")
    runtime, queue = post.runtime, post.runtime.reports.exports.queue
    await post.say("W0")
    await post.telegram.fault("lost_answer", method="sendMessage")
    await post.say("W1")
    actor = await runtime.people.access.actor(FINANCE, "x", CHAT, private=False)
    day = Days.one(await runtime.reports.bills.open_day(merchant.id))
    await runtime.reports.exports.ask(actor, [Paper("excel", "m", merchant.id, day)], reply_to=None)
    taken = await queue.take()
    assert taken is not None
    file = await post.bot.send_document(CHAT, BufferedInputFile(b"x", "x.xlsx"))
    post.clock.advance(2)
    await post.deliver()
    assert await post.heard() == ["W0", "W1", "W1"], "nobody knows yet which is whose"
    await queue.finish(taken, digest="", file_id="", message_id=file.message_id)
    post.clock.advance(3)
    await post.deliver()
    assert await post.heard() == ["W0", "W1"]
    assert file.message_id in {m["id"] for m in await post.telegram.transcript(CHAT)}


async def test_a_row_that_the_desk_cannot_read_is_given_up_and_its_chat_goes_on(post: Post) -> None:
    await post.put(word("W1"))
    await post.runtime.system.store.execute("UPDATE outbox SET topic = 'of_tomorrow'")
    await post.put(word("W2"))
    await post.put(word("W3"), OPS_CHAT)
    for _ in range(3):
        await post.deliver()
        assert await post.heard(OPS_CHAT) == ["W3"]
        post.clock.advance(6)
    await post.deliver()
    assert await post.heard() == ["W2"]
    assert [one.topic for one in await post.runtime.people.parked.of_chat(CHAT)] == ["of_tomorrow"]


async def test_where_the_bot_is_no_longer_nothing_is_called_for_every_change(
    post: Post, merchant: Merchant
) -> None:
    calls: list[str] = []

    async def count(method: str, form: dict[str, Any]) -> web.Response | None:
        if int(form["chat_id"]) == CHAT:
            calls.append(method)
        return None

    await post.deliver()
    await post.telegram.bot_is(CHAT, "kicked")
    async with in_between(post.telegram.api, count) as api, bot_at(api) as bot:
        post.courier = Courier(post.runtime, bot, group_per_min=18)
        for minor in (100, 200, 300):
            await post.prepay(merchant, minor)
            await post.deliver()
        assert calls == ["editMessageText"], "it is told once"
        assert await post.runtime.people.parked.of_chat(CHAT) == [], "and nobody is told of a bill"
        await post.say("W1")
        assert [one.topic for one in await post.runtime.people.parked.of_chat(CHAT)] == ["say"]
        # Added again, and the parked message sent again by hand.
        await post.telegram.bot_is(CHAT, "administrator")
        actor = await post.runtime.people.access.actor(FINANCE, "x", OPS_CHAT, private=False)
        await post.runtime.people.parked.send_again(actor, CHAT)
        await post.deliver()
        await post.prepay(merchant, 400)
        await post.deliver()
    assert await post.heard() == ["W1"]
    assert "10.00" in (await post.bills())[0]["text"]


async def test_one_fact_that_cannot_be_shown_does_not_stop_the_others(post: Post) -> None:
    await post.put(Say(Stored("no_such_screen", {})))
    await post.put(word("W1"), OPS_CHAT)
    await post.deliver()
    assert await post.heard(OPS_CHAT) == ["W1"]
    assert await post.states() == {"sent": 1, "waiting": 1}


async def test_a_database_that_is_away_is_no_fault_of_the_message(
    post: Post, servers: Servers, database: str
) -> None:
    """However often it happens: nothing is parked, and nothing is taken for sent."""
    await post.put(word("W1"))
    for _ in range(5):
        (job,) = await post.courier.take(10)
        async with gone(servers, database):
            with pytest.raises(DATABASE_AWAY):
                await job()
        post.clock.advance(QUEUE.lease.total_seconds())
    await post.deliver()
    assert await post.heard() == ["W1"]
    assert set(await post.states()) == {"sent"}


async def test_couriers_side_by_side_keep_order_and_double_nothing(post: Post) -> None:
    names = [f"W{n}" for n in range(8)]
    chats = (CHAT, NORTHWIND_CHAT, OPS_CHAT)
    for name in names:
        for chat_id in chats:
            await post.put(word(name), chat_id)
    await post.deliver(*(Courier(post.runtime, post.bot, group_per_min=18) for _ in range(4)))
    assert [await post.heard(chat_id) for chat_id in chats] == [names] * 3


async def an_order(runtime: Runtime, shop: tuple[Merchant, App]) -> Order:
    """An order of M1001 whose supplier nobody reaches."""
    merchant, app = shop
    opened = await runtime.trade.creation.open(
        app,
        OpenOrder("COURIER-1", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9"),
        request_id="test",
    )
    return await get_order(runtime.system.store, merchant.id, opened.order.id)
