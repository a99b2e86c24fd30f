from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from bot.world import Addresses, apps, seed
from core.delivery.board import Subject
from core.delivery.outbox import Card, Fact, Say
from core.kernel.ids import read_number
from core.trade.orders import Order, PaymentSeen, get_attempts, get_order
from core.trade.orders.near import MAX_NEAR
from handlers.orders.numbers import MAX_SHOWN, numbers_in
from payapi.wire import NewOrder
from tests.conftest import SUPPLIER_KEYS
from tests.core.support import sandbox_supplier
from tests.demo import eventually
from tests.handlers.order_support import SAID_TO, full_width, legal_numbers
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUQING,
    ZHAO,
    Desk,
    button_data,
    one_card,
    one_say,
)  # fmt: skip


async def opened(desk: Desk, number: str) -> Order:
    """An order of M1001 under this number, as its server asks for it."""
    merchant, app = (await apps(desk.runtime))[0]
    asked = NewOrder(
        merchant_order_no=number, amount=10_000, currency="CNY", product="alipay_qr",
        subject="A lamp", client_ip="203.0.113.9",
    )  # fmt: skip
    made = await desk.runtime.trade.creation.open(app, asked.command(), request_id="test")
    return await get_order(desk.runtime.system.store, merchant.id, made.order.id)


@pytest.fixture
async def busy(desk: Desk, tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk with a supplier that answers, so that no channel pauses however many are opened."""
    async with sandbox_supplier(tmp_path) as supplier:
        await seed(desk.runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
        await desk.news()
        yield desk


def cards(facts: list[Fact]) -> list[UUID]:
    """The orders whose cards these are, and nothing else is."""
    assert all(isinstance(fact, Card) for fact in facts), facts
    return [UUID(fact.order_id) for fact in facts if isinstance(fact, Card)]


async def test_a_bare_number_is_answered_with_a_card(desk: Desk, order: Order) -> None:
    for text in (order.order_no, order.order_no.lower(), order.merchant_order_no):
        card = one_card(await desk.say(SUQING, SPRUCE, text))
        assert card.order_id == str(order.id)
        assert card.reply_to == desk.message_id


async def test_bare_words_that_are_no_order_are_talk(desk: Desk, order: Order) -> None:
    assert await desk.say(SUQING, SPRUCE, "20261121") == []
    assert await desk.say(SUQING, SPRUCE, "hello there") == []
    assert await desk.say(BEN, NORTHWIND, order.merchant_order_no) == []
    assert await desk.say(STRANGER, SPRUCE, order.order_no) == []


async def test_another_merchants_order_does_not_exist_here(desk: Desk, order: Order) -> None:
    refusal = await desk.said(BEN, NORTHWIND, order.order_no)
    assert refusal.facts["code"] == "order_not_found"
    assert refusal.only_for is None
    assert (await desk.said(OPERATOR, NORTHWIND, f"查单 {order.order_no}")).facts["code"] == (
        "order_not_found"
    )


async def test_a_command_always_answers(desk: Desk, order: Order) -> None:
    assert one_card(await desk.say(OPERATOR, OPS, f"/order {order.order_no}")).reply_to
    assert (await desk.said(SUQING, SPRUCE, "/order 12345678")).facts["code"] == "order_not_found"
    assert (await desk.said(SUQING, SPRUCE, "查单")).screen == "usage"


async def test_a_reply_finds_the_number_in_the_message_before(desk: Desk, order: Order) -> None:
    asked = desk.message(STRANGER, SPRUCE, text=f"老板，订单号：{order.order_no}，付了没到")
    assert one_card(await desk.say(SUQING, SPRUCE, "查单", reply_to_message=asked)).reply_to


async def test_a_number_in_a_caption_is_found(desk: Desk, order: Order) -> None:
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    message = desk.message(SUQING, SPRUCE, photo=photo, caption=f"这单 {order.order_no} 已付")
    await desk.feed(message=message)
    assert one_card(await desk.news()).order_id == str(order.id)


async def test_each_order_gets_a_card_once(desk: Desk, order: Order) -> None:
    other = await opened(desk, "SPRUCE-2026-0002")
    text = f"{order.order_no}\n{other.merchant_order_no} （{other.order_no}）"
    assert cards(await desk.say(SUQING, SPRUCE, text)) == [order.id, other.id]


async def test_one_unknown_number_does_not_hide_the_others(desk: Desk, order: Order) -> None:
    facts = await desk.say(SUQING, SPRUCE, f"查单 NOBODY-0001 {order.order_no} 谢谢 please")
    assert [type(fact) for fact in facts] == [Say, Card]
    unknown = await desk.said(SUQING, SPRUCE, "查单 NOBODY-0001,NOBODY-2")
    assert unknown.facts["facts"] == {"number": "NOBODY-0001, NOBODY-2"}


async def test_a_hundred_and_twenty_legal_numbers_are_found(busy: Desk) -> None:
    """Created by the API's own model, asked for by a command, and in talk where they stand out."""
    random = Random(1129)
    numbers = list(dict.fromkeys(legal_numbers(random, 130)))
    assert len(numbers) >= 120
    there = {number: (await opened(busy, number)).id for number in numbers}
    in_talk = 0
    for number, order_id in there.items():
        said = random.choice(SAID_TO).format(number)
        assert cards(await busy.say(SUQING, SPRUCE, said)) == [order_id], said
        if numbers_in(f"请帮查一下 {number} 谢谢"):
            in_talk += 1
            sentence = f"请帮查一下 {full_width(number)}，谢谢"
            assert cards(await busy.say(SUQING, SPRUCE, sentence)) == [order_id], number
            assert await busy.say(BEN, NORTHWIND, sentence) == []
    assert in_talk > 50


async def test_short_numbers_are_found_alone_or_labelled_and_nothing_else_speaks(
    busy: Desk,
) -> None:
    there = {
        n: (await opened(busy, n)).id for n in ("00123", "ABC-1", "AB-1", "A_1|2.3", "100", "1000")
    }
    for text, number in (
        ("00123", "00123"), ("ABC-1", "ABC-1"), ("A_1|2.3", "A_1|2.3"), ("单号：100", "100"),
        ("查单 1000", "1000"), ("ABC-1 到了吗", "ABC-1"), ("单号：AB-1", "AB-1"),
    ):  # fmt: skip
        assert cards(await busy.say(SUQING, SPRUCE, text)) == [there[number]], text
    assert cards(await busy.say(SUQING, SPRUCE, "00123, ABC-1")) == [there["00123"], there["ABC-1"]]
    for talk in ("100", "1000", "打款 100 了", "AB-1 怎么样", "+100 收到", "-1000 对吧"):
        facts = await busy.say(SUQING, SPRUCE, talk)
        assert not any(isinstance(fact, Card) for fact in facts), talk


async def test_a_number_of_ours_in_a_sentence(desk: Desk, order: Order) -> None:
    for text in (
        f"请帮查一下 {order.order_no} 谢谢", f"单号：{order.order_no}",
        f"{order.order_no},{order.order_no.lower()}", f"查{order.order_no}一下",
    ):  # fmt: skip
        assert cards(await desk.say(SUQING, SPRUCE, text)) == [order.id]
    refusal = await desk.said(BEN, NORTHWIND, f"请帮查一下 {order.order_no} 谢谢")
    assert refusal.facts["code"] == "order_not_found"
    assert await desk.say(STRANGER, SPRUCE, f"请帮查一下 {order.order_no} 谢谢") == []


async def test_a_merchants_number_that_looks_like_ours_is_found(desk: Desk) -> None:
    """Its letter and its check character are right by chance."""
    number = next(
        text for n in range(1000) if read_number(text := f"S20261121{n:011d}") is not None
    )
    order = await opened(desk, number)
    for text in (number, f"查单 {number}", f"请帮查一下 {number} 谢谢"):
        assert cards(await desk.say(SUQING, SPRUCE, text)) == [order.id]


async def test_a_reply_finds_short_numbers_and_what_is_quoted(desk: Desk, order: Order) -> None:
    short = await opened(desk, "A1")
    asked = desk.message(STRANGER, SPRUCE, text="老板 A1 和别的 2 到了吗")
    assert cards(await desk.say(SUQING, SPRUCE, "查单", reply_to_message=asked)) == [short.id]
    both = desk.message(STRANGER, SPRUCE, text=f"{order.order_no} A1")
    quote = {"text": "A1", "position": 21, "is_manual": True}
    found = await desk.say(SUQING, SPRUCE, "查单", reply_to_message=both, quote=quote)
    assert cards(found) == [short.id]
    nothing = desk.message(STRANGER, SPRUCE, text="老板 B7 到了吗")
    refusal = await desk.said(SUQING, SPRUCE, "查单", reply_to_message=nothing)
    assert refusal.facts["facts"] == {"number": "B7"}


async def test_ten_orders_are_shown_at_a_time(busy: Desk) -> None:
    numbers = [f"SPRUCE-{n:04}" for n in range(12)]
    for number in numbers:
        await opened(busy, number)
    *shown, told = await busy.say(SUQING, SPRUCE, "/order " + " ".join(numbers))
    assert len(cards(shown)) == MAX_SHOWN
    assert isinstance(told, Say)
    assert told.facts["code"] == "too_many_numbers"


async def test_a_suppliers_staff_see_what_their_supplier_knows(desk: Desk, order: Order) -> None:
    """Attempts, refunds and the supplier's own numbers; no order of a merchant, nobody else's."""
    runtime, merchant_id = desk.runtime, order.merchant_id
    attempts = await get_attempts(runtime.system.store, merchant_id, order.id)
    for attempt, number in zip(attempts, ("77001", "77002"), strict=True):
        seen = PaymentSeen(merchant_id, attempt.attempt_no, number, order.amount, "reported")
        await runtime.trade.payments.settle_payment(seen, request_id="test")
    assert [attempt.supplier_no for attempt in attempts] == ["S01", "S02"]
    mine, other = (attempt.attempt_no for attempt in attempts)
    await desk.news()
    for text in (mine, f"这笔 {mine} 查一下", "查单 77001"):
        assert cards(await desk.say(ZHAO, HENGTONG, text)) == [order.id]
    for text in (other, order.order_no, "查单 77002", f"查单 {order.merchant_order_no}"):
        refusal = await desk.said(ZHAO, HENGTONG, text)
        assert refusal.facts["code"] == "order_not_found", text
    assert await desk.say(ZHAO, HENGTONG, order.merchant_order_no) == []
    for asker, chat in ((OPERATOR, OPS), (SUQING, SPRUCE)):
        assert cards(await desk.say(asker, chat, "查单 77002")) == [order.id]
    assert (await desk.said(BEN, NORTHWIND, "查单 77002")).facts["code"] == "order_not_found"
    assert (await desk.said(OPERATOR, HENGTONG, f"补单 {mine} 已确认")).facts["code"] == (
        "order_not_found"
    )


async def test_what_is_asked_for_is_completed_whatever_its_number(desk: Desk) -> None:
    await opened(desk, "00123")
    question = await desk.said(OPERATOR, SPRUCE, "补单 00123 供应商已确认")
    assert question.screen == "complete_question"
    assert question.facts["question"]["merchant_order_no"] == "00123"


async def test_card_buttons(desk: Desk, order: Order) -> None:
    await desk.press(SUQING, SPRUCE, f"card:ask:{order.id.hex}")
    assert desk.toast.startswith("供应商查询结果")
    await desk.press(SUQING, SPRUCE, f"card:complete:{order.id.hex}")
    assert "没有权限" in desk.toast
    await desk.press(OPERATOR, SPRUCE, f"card:notify:{order.id.hex}")
    assert desk.line.answers[-1].show_alert  # nothing was ever told


async def test_staff_have_more_buttons_for_themselves_alone(desk: Desk, order: Order) -> None:
    more = f"card:more:{order.id.hex}"
    for who in (SUQING, FINANCE):  # who may not complete
        assert await desk.press(who, SPRUCE, more) == []
        assert "没有权限" in desk.toast
    assert await desk.press(STRANGER, SPRUCE, more) == []
    mine = one_say(await desk.press(OPERATOR, SPRUCE, more))
    assert (mine.screen, mine.only_for) == ("card_actions", OPERATOR)
    assert [button_data(mine)] == [f"card:complete:{order.id.hex}"]
    await paid(desk, order)
    await desk.news()
    assert one_say(await desk.press(FINANCE, SPRUCE, more)).facts["actions"] == ["refund"]


async def asked_why(desk: Desk, who: int, chat: int, order: Order, deed: str) -> dict[str, Any]:
    """Press a card's button; the fields of a reply to the question that came of it."""
    asked = one_say(await desk.press(who, chat, f"card:{deed}:{order.id.hex}"))
    assert asked.screen == "reason_asked"
    about = Subject("question", asked.ref, order.merchant_id)
    await desk.runtime.delivery.board.posts.posted(chat, 51, about, "")
    ours = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk"}
    question = {**desk.message(who, chat, text="…"), "message_id": 51, "from": ours}
    return {"reply_to_message": question}


async def test_a_completion_from_the_card_asks_for_the_reason(desk: Desk, order: Order) -> None:
    for chat in (SPRUCE, OPS, OPERATOR):
        reply = await asked_why(desk, OPERATOR, chat, order, "complete")
        if chat < 0:
            assert await desk.say(ADMIN, chat, "为什么？", **reply) == []
            assert await desk.say(SUQING, chat, "为什么？", **reply) == []
        question, given = await desk.say(OPERATOR, chat, "供应商已确认", **reply)
        assert isinstance(question, Say)
        assert isinstance(given, Say)
        assert question.screen == "complete_question"
        assert question.facts["question"]["reason"] == "供应商已确认"
        assert question.reply_to == desk.message_id
        assert (given.screen, given.edit_message_id) == ("reason_given", 51)
        late = await desk.said(OPERATOR, chat, "又来", **reply)
        assert late.facts["code"] == "confirmation_expired"
        await desk.runtime.system.store.execute("DELETE FROM post")


async def test_the_reason_may_come_with_evidence(desk: Desk, order: Order) -> None:
    reply = await asked_why(desk, OPERATOR, SPRUCE, order, "complete")
    photo = [{"file_id": "seen", "file_unique_id": "b", "width": 1, "height": 1}]
    message = desk.message(OPERATOR, SPRUCE, photo=photo, caption="到账截图", **reply)
    await desk.feed(message=message)
    question, _ = await desk.news()
    assert isinstance(question, Say)
    assert question.facts["question"]["proof_file_id"] == "seen"


async def test_a_refund_from_the_card_asks_for_the_reason(desk: Desk, order: Order) -> None:
    await paid(desk, order)
    await desk.news()
    await desk.press(OPERATOR, SPRUCE, f"card:refund:{order.id.hex}")
    assert "没有权限" in desk.toast
    reply = await asked_why(desk, FINANCE, SPRUCE, order, "refund")
    for text, screen in (("1,00 用户重复支付", "usage"), ("20", "refusal"), ("500 x", "refusal")):
        assert (await desk.said(FINANCE, SPRUCE, text, **reply)).screen == screen, text
    question, given = await desk.say(FINANCE, SPRUCE, "20 用户重复支付", **reply)
    assert isinstance(question, Say)
    assert isinstance(given, Say)
    assert (question.screen, given.screen) == ("refund_order", "reason_given")
    asked = question.facts["question"]
    assert (asked["refund_minor"], asked["reason"]) == (2000, "用户重复支付")


async def test_forged_button_data_is_harmless(desk: Desk, order: Order) -> None:
    for data in ("card:ask:" + "f" * 32, "card:ask:zz", "bill:x:y", "undo:" + "0" * 32, "?"):
        assert await desk.press(SUQING, SPRUCE, data) == []
    assert await desk.press(BEN, NORTHWIND, f"card:ask:{order.id.hex}") == []
    assert len(desk.line.answers) == 6


async def eyes_and_thumbs(desk: Desk) -> list[tuple[int, str]]:
    """(message, emoji) of all reactions, once they are set."""

    async def quiet() -> bool:
        return desk.reactions.idle

    await eventually(quiet, what="every reaction is set")
    return [(message_id, emoji) for _, message_id, emoji in desk.line.reactions]


async def paid(desk: Desk, order: Order) -> None:
    """A supplier reports the money, and what changed is looked for."""
    (attempt, *_) = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    seen = PaymentSeen(
        order.merchant_id, attempt.attempt_no, f"up-{order.order_no}", order.amount, "reported"
    )
    await desk.runtime.trade.payments.settle_payment(seen, request_id="test")
    await desk.runtime.reports.changes.show()


async def test_a_look_up_is_seen_and_gets_a_thumb_when_all_of_it_is_paid(busy: Desk) -> None:
    one, other = await opened(busy, "SPRUCE-0001"), await opened(busy, "SPRUCE-0002")
    await busy.say(SUQING, SPRUCE, f"{one.order_no} {other.order_no}")
    both = busy.message_id
    assert await eyes_and_thumbs(busy) == [(both, "👀")]
    await busy.say(OPERATOR, OPS, f"/order {one.order_no}")
    single = busy.message_id
    await paid(busy, one)
    assert (await eyes_and_thumbs(busy))[1:] == [(single, "👀"), (single, "👍")]
    await busy.runtime.reports.changes.show()
    await paid(busy, other)
    assert (await eyes_and_thumbs(busy))[3:] == [(both, "👍")]
    await busy.say(SUQING, SPRUCE, one.order_no)
    assert (await eyes_and_thumbs(busy))[-1] == (busy.message_id, "👍")


async def test_a_near_miss_is_hinted_to_who_wrote_it_alone(busy: Desk) -> None:
    order = await opened(busy, "SPRUCE-2026-88310427")
    for user_id, text in (
        (SUQING, f"老板 {order.order_no[:-1].lower()} 到了吗"),
        (OPERATOR, f"查单 {order.merchant_order_no[:-1]}"),
    ):
        hint = await busy.said(user_id, SPRUCE, text)
        assert (hint.screen, hint.only_for) == ("near_miss", user_id), text
        assert [one["slip"] for one in hint.facts["near"]] == ["short"], text


async def test_a_hint_is_given_once_a_minute_and_only_of_what_one_may_see(busy: Desk) -> None:
    order = await opened(busy, "SPRUCE-2026-88310427")
    short = order.order_no[:-1]
    assert (await busy.said(SUQING, SPRUCE, short)).screen == "near_miss"
    assert await busy.say(SUQING, SPRUCE, short) == []
    assert (await busy.said(SUQING, SPRUCE, f"查单 {short}")).facts["code"] == "order_not_found"
    assert await busy.say(BEN, NORTHWIND, short) == []
    assert (await busy.said(BEN, NORTHWIND, f"查单 {short}")).facts["code"] == "order_not_found"
    assert await busy.say(STRANGER, SPRUCE, short) == []
    assert (await busy.said(OPERATOR, OPS, f"查单 {short} 谢谢")).screen == "near_miss"


async def test_the_middle_of_a_series_is_no_near_miss(busy: Desk) -> None:
    for last in range(MAX_NEAR + 1):
        await opened(busy, f"20261121000{last}")
    assert await busy.say(SUQING, SPRUCE, "20261121000") == []
    assert (await busy.said(SUQING, SPRUCE, "202611210001x")).screen == "near_miss"
    assert await busy.say(OPERATOR, SPRUCE, "202611210009") == []


async def test_a_suppliers_staff_are_told_of_attempts_alone(desk: Desk, order: Order) -> None:
    attempts = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    mine, other = (attempt.attempt_no for attempt in attempts)
    hint = await desk.said(ZHAO, HENGTONG, mine[:-1])
    assert [one["number"] for one in hint.facts["near"]] == [mine]
    for text in (other[:-1], order.order_no[:-1]):
        assert await desk.say(OPERATOR, HENGTONG, text) == [], text


async def test_numbers_are_found_under_whatever_is_sent_or_replied_to(busy: Desk) -> None:
    one, other = await opened(busy, "SPRUCE-0001"), await opened(busy, "SPRUCE-0002")
    file = {"file_id": "a", "file_unique_id": "b"}
    photo = [{**file, "width": 1, "height": 1}]
    clip = {**file, "width": 1, "height": 1, "duration": 1}
    numbers = f"{one.order_no}，{other.merchant_order_no}\n谢谢"
    for what in ({"photo": photo}, {"video": clip}, {"document": {**file, "file_name": "a.png"}}):
        await busy.feed(message=busy.message(OPERATOR, OPS, caption=numbers, **what))
        assert cards(await busy.news()) == [one.id, other.id], what
        asked = busy.message(STRANGER, SPRUCE, caption=numbers, **what)
        found = await busy.say(OPERATOR, SPRUCE, "查单", reply_to_message=asked)
        assert cards(found) == [one.id, other.id], what
