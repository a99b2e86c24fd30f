"""What is written on one side is passed to the other, whoever wrote it there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.world import Addresses, apps, seed
from core.delivery.outbox import Card, Copy, EnquiryCard, Fact, Say
from core.kernel.money import Money
from core.trade.orders import OpenOrder, Order, PaymentSeen, get_order
from handlers.enquiries.buttons import TakeEnquiry
from handlers.orders.buttons import OnCard
from tests.conftest import SUPPLIER_KEYS
from tests.core.support import sandbox_supplier
from tests.demo import eventually
from tests.handlers.support import (
    BEN,
    HENGTONG,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUQING,
    ZHAO,
    Desk,
)

BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk"}
PHOTO = [{"file_id": "small", "file_unique_id": "s", "width": 1, "height": 1},
         {"file_id": "large", "file_unique_id": "l", "width": 9, "height": 9}]  # fmt: skip


@pytest.fixture
async def busy(desk: Desk, tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk with a supplier that takes orders."""
    async with sandbox_supplier(tmp_path) as supplier:
        await seed(desk.runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
        await out(desk)
        yield desk


@pytest.fixture
async def sold(busy: Desk) -> Order:
    """An order of M1001 that its supplier took."""
    merchant, app = (await apps(busy.runtime))[0]
    asked = OpenOrder("SPRUCE-77", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9")
    made = await busy.runtime.trade.creation.open(app, asked, request_id="test")
    await out(busy)
    return await get_order(busy.runtime.system.store, merchant.id, made.order.id)


async def out(desk: Desk) -> list[tuple[int, Fact, int]]:
    """All that waits is sent: the chats, the facts, and the messages that they become."""
    outbox, found = desk.runtime.delivery.outbox, []
    while taken := await outbox.take(20):
        for leaving in taken:
            desk.message_id += 1
            edits = isinstance(leaving.fact, EnquiryCard) and leaving.fact.posted
            await outbox.sent(leaving, message_id=None if edits else desk.message_id)
            found.append((leaving.chat_id, leaving.fact, desk.message_id))
    return [one for one in found if isinstance(one[1], EnquiryCard | Copy | Card | Say)]


async def sends(desk: Desk, user_id: int, chat_id: int, **fields: Any) -> list[Any]:
    """Somebody sends something; the chats and facts that come of it."""
    await desk.feed(message=desk.message(user_id, chat_id, **fields))
    return [(chat, fact, message_id) for chat, fact, message_id in await out(desk)]


def ours(chat_id: int, message_id: int, text: str = "…") -> dict[str, Any]:
    """A message of the bot, as a reply quotes it."""
    chat = {"id": chat_id, "type": "supergroup", "title": "a group"}
    return {"message_id": message_id, "date": 0, "chat": chat, "from": BOT, "text": text}


async def asked(desk: Desk, order: Order) -> int:
    """A picture with a number; the question in the supplier's group."""
    found = await sends(desk, SUQING, SPRUCE, photo=PHOTO, caption=f"{order.order_no} 付了")
    (question,) = [message for _, fact, message in found if isinstance(fact, EnquiryCard)]
    return int(question)


async def test_a_picture_with_a_number_is_shown_and_passed(busy: Desk, sold: Order) -> None:
    found = await sends(busy, SUQING, SPRUCE, photo=PHOTO, caption=f"{sold.order_no} 付了")
    assert sorted((chat, type(fact).__name__) for chat, fact, _ in found) == [
        (HENGTONG, "EnquiryCard"), (SPRUCE, "Card"),
    ]  # fmt: skip
    media = await busy.runtime.system.store.fetchval("SELECT media FROM enquiry")
    assert media == [["photo", "large"]]


async def test_a_picture_is_about_what_it_replies_to(busy: Desk, sold: Order) -> None:
    card = ours(SPRUCE, 55, f"⏳ 待支付\n订单 {sold.order_no}\n")
    found = await sends(busy, SUQING, SPRUCE, photo=PHOTO, reply_to_message=card)
    assert [chat for chat, fact, _ in found if isinstance(fact, EnquiryCard)] == [HENGTONG]
    talk = ours(SPRUCE, 56, "+1000")
    assert await sends(busy, OPERATOR, SPRUCE, photo=PHOTO, reply_to_message=talk) == []
    assert await sends(busy, SUQING, SPRUCE, photo=PHOTO) == []


async def test_a_picture_asks_about_orders_and_about_nothing_else(busy: Desk, sold: Order) -> None:
    """What else may be said in passing was answered when it was said."""
    for text in ("100*7.2", "1200÷7.2", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "帐单", "今日帐單"):
        for replied in (ours(SPRUCE, 57, text), busy.message(SUQING, SPRUCE, text=text)):
            found = await sends(busy, OPERATOR, SPRUCE, photo=PHOTO, reply_to_message=replied)
            assert found == [], text


async def test_all_of_an_album_is_passed(busy: Desk, sold: Order) -> None:
    first = {"media_group_id": "13900", "photo": PHOTO}
    await sends(busy, SUQING, SPRUCE, caption=sold.order_no, **first)
    found = await sends(busy, SUQING, SPRUCE, **first)
    assert [(chat, type(fact)) for chat, fact, _ in found] == [(HENGTONG, Copy)]
    other = {"media_group_id": "13901", "photo": PHOTO}
    assert await sends(busy, SUQING, SPRUCE, **other) == []
    assert await sends(busy, STRANGER, SPRUCE, **first) == []
    assert await sends(busy, BEN, NORTHWIND, **first) == []


async def test_an_album_is_one_question_wherever_its_number_stands(busy: Desk, sold: Order) -> None:
    """What came before the number belongs to it, and what comes before it is passed as well."""
    for name in ("a", "b", "c", "d"):
        photo = [{"file_id": name, "file_unique_id": name, "width": 1, "height": 1}]
        caption = {"caption": sold.order_no} if name == "b" else {}
        said = busy.message(SUQING, SPRUCE, photo=photo, media_group_id="13900", **caption)
        await busy.feed(message=said)
        await busy.feed(message=said)
    found = await out(busy)
    assert [chat for chat, fact, _ in found if isinstance(fact, EnquiryCard)] == [HENGTONG]
    assert [fact for _, fact, _ in found if isinstance(fact, Copy)] == []
    media = await busy.runtime.system.store.fetchval("SELECT media FROM enquiry")
    assert media == [["photo", name] for name in "abcd"]


async def test_each_number_of_an_album_has_its_own_question(busy: Desk, sold: Order) -> None:
    """A picture with a number of its own is no part of what the others ask."""
    store = busy.runtime.system.store
    merchant, app = (await apps(busy.runtime))[0]
    asked = OpenOrder("SPRUCE-78", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9")
    made = await busy.runtime.trade.creation.open(app, asked, request_id="other")
    await out(busy)
    album = {"media_group_id": "13900", "photo": PHOTO}
    await sends(busy, SUQING, SPRUCE, caption=sold.order_no, **album)
    found = await sends(busy, SUQING, SPRUCE, caption=made.order.order_no, **album)
    assert sorted(type(fact).__name__ for _, fact, _ in found) == ["Card", "EnquiryCard"]
    found = await sends(busy, SUQING, SPRUCE, **album)
    copies = sorted(fact.caption or "" for _, fact, _ in found if isinstance(fact, Copy))
    order = await get_order(store, merchant.id, made.order.id)
    assert copies == sorted([sold.live_attempt_no or "", order.live_attempt_no or ""])
    # With two suppliers nobody knows whose the next one is.
    await store.execute(
        "UPDATE enquiry SET supplier_id = (SELECT id FROM supplier WHERE id <> supplier_id LIMIT 1)"
        " WHERE order_id = $1",
        order.id,
    )
    assert await sends(busy, SUQING, SPRUCE, **album) == []


async def test_a_picture_with_several_orders_to_chase_goes_to_nobody(
    busy: Desk, sold: Order
) -> None:
    """Each has a supplier of its own, who is to see no other one's receipts."""
    _, app = (await apps(busy.runtime))[0]
    asked = OpenOrder("SPRUCE-79", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9")
    made = await busy.runtime.trade.creation.open(app, asked, request_id="other")
    await out(busy)
    both = f"催单 {sold.order_no} {made.order.order_no}"
    await sends(busy, SUQING, SPRUCE, photo=PHOTO, caption=both)
    rows = await busy.runtime.system.store.fetch("SELECT media FROM enquiry")
    assert [row["media"] for row in rows] == [[], []]


async def test_what_came_back_is_replied_to_by_who_may_ask(busy: Desk, sold: Order) -> None:
    question = await asked(busy, sold)
    found = await sends(
        busy, ZHAO, HENGTONG, text="未到账", reply_to_message=ours(HENGTONG, question)
    )
    (returned,) = [message for _, fact, message in found if isinstance(fact, Copy)]
    quoted = ours(SPRUCE, returned)
    assert await sends(busy, STRANGER, SPRUCE, text="骗子", reply_to_message=quoted) == []
    found = await sends(busy, SUQING, SPRUCE, text="再看看", reply_to_message=quoted)
    assert [chat for chat, fact, _ in found if isinstance(fact, Copy)] == [HENGTONG]


async def test_words_with_a_number_are_shown_alone(busy: Desk, sold: Order) -> None:
    found = await sends(busy, SUQING, SPRUCE, text=f"{sold.order_no} 付了吗")
    assert [type(fact) for _, fact, _ in found] == [Card]


async def test_other_sides_pass_nothing(busy: Desk, sold: Order) -> None:
    for user_id, chat_id in ((STRANGER, SPRUCE), (BEN, NORTHWIND), (ZHAO, HENGTONG)):
        found = await sends(busy, user_id, chat_id, photo=PHOTO, caption=sold.order_no)
        assert not [fact for _, fact, _ in found if isinstance(fact, EnquiryCard)]


async def test_pictures_of_staff_stay_where_they_are(busy: Desk, sold: Order) -> None:
    for chat_id in (OPERATOR, OPS):
        found = await sends(busy, OPERATOR, chat_id, photo=PHOTO, caption=sold.order_no)
        assert [(chat, type(fact)) for chat, fact, _ in found] == [(chat_id, Card)]
        # It is asked about by a command.
        found = await sends(busy, OPERATOR, chat_id, text=f"催单 {sold.order_no}")
        passed = [chat for chat, fact, _ in found if isinstance(fact, EnquiryCard)]
        assert passed == ([HENGTONG] if chat_id == OPERATOR else [])


FILE = {"file_id": "f", "file_unique_id": "f"}


@pytest.mark.parametrize(
    ("kind", "passes"),
    [("video", True), ("document", True), ("animation", False), ("voice", False),
     ("audio", False), ("sticker", False)],
)  # fmt: skip
async def test_what_may_show_a_payment_is_passed_alone(
    busy: Desk, sold: Order, kind: str, passes: bool
) -> None:
    size = {"width": 9, "height": 9}
    file: dict[str, Any] = {**FILE, **size, "duration": 1, "type": "regular"}
    sent = {kind: {**file, "is_animated": False, "is_video": False}}
    if kind == "animation":
        sent["document"] = FILE
    card = ours(SPRUCE, 55, f"⏳ 待支付\n订单 {sold.order_no}\n")
    found = await sends(busy, SUQING, SPRUCE, reply_to_message=card, **sent)
    asks = [chat for chat, fact, _ in found if isinstance(fact, EnquiryCard)]
    assert asks == ([HENGTONG] if passes else [])


async def test_whoever_replies_there_is_heard_and_nobody_else(busy: Desk, sold: Order) -> None:
    question = await asked(busy, sold)
    quoted = ours(HENGTONG, question)
    assert await sends(busy, STRANGER, HENGTONG, text="大家早") == []
    assert (
        await sends(busy, STRANGER, HENGTONG, text="hi", reply_to_message=ours(HENGTONG, 5)) == []
    )
    foreign = {**quoted, "from": {"id": ZHAO, "is_bot": False, "first_name": "x"}}
    assert await sends(busy, STRANGER, HENGTONG, text="hi", reply_to_message=foreign) == []
    found = await sends(busy, STRANGER, HENGTONG, text="未到账", reply_to_message=quoted)
    assert [(chat, type(fact)) for chat, fact, _ in found if chat != HENGTONG] == [(SPRUCE, Copy)]
    found = await sends(busy, ZHAO, HENGTONG, photo=PHOTO, reply_to_message=quoted)
    assert [chat for chat, fact, _ in found if isinstance(fact, Copy)] == [SPRUCE]


async def test_an_answer_that_repeats_the_number_is_an_answer(busy: Desk, sold: Order) -> None:
    question = await asked(busy, sold)
    words = f"{sold.live_attempt_no} 已到账"
    found = await sends(busy, ZHAO, HENGTONG, text=words, reply_to_message=ours(HENGTONG, question))
    assert [type(fact) for chat, fact, _ in found if chat == SPRUCE] == [Copy]
    # A command stays one.
    found = await sends(
        busy, ZHAO, HENGTONG, text=f"/order {sold.live_attempt_no}",
        reply_to_message=ours(HENGTONG, question),
    )  # fmt: skip
    assert [(chat, type(fact)) for chat, fact, _ in found] == [(HENGTONG, Card)]


@pytest.mark.parametrize("kind", ["text", "caption"])
async def test_nobody_is_named_on_the_other_side(busy: Desk, sold: Order, kind: str) -> None:
    question = await asked(busy, sold)
    words = "😀 @suqing_spruce 未到账 苏青"
    entities = [
        {"type": "mention", "offset": 3, "length": 14},
        {"type": "text_mention", "offset": 22, "length": 2,
         "user": {"id": SUQING, "is_bot": False, "first_name": "苏青"}},
    ]  # fmt: skip
    sent: dict[str, Any] = {"text": words, "entities": entities}
    if kind == "caption":
        sent = {"caption": words, "caption_entities": entities, "photo": PHOTO}
    found = await sends(busy, ZHAO, HENGTONG, reply_to_message=ours(HENGTONG, question), **sent)
    (copy,) = [fact for _, fact, _ in found if isinstance(fact, Copy)]
    assert getattr(copy, kind) == "😀 未到账"


async def test_who_only_mentions_somebody_passes_nothing(busy: Desk, sold: Order) -> None:
    quoted = ours(HENGTONG, await asked(busy, sold))
    entities = [{"type": "mention", "offset": 0, "length": 14}]
    sent: dict[str, Any] = {"text": "@suqing_spruce", "entities": entities}
    assert await sends(busy, ZHAO, HENGTONG, reply_to_message=quoted, **sent) == []
    assert await busy.runtime.system.store.fetchval("SELECT state FROM enquiry") == "open"


async def test_a_card_has_its_supplier_asked(busy: Desk, sold: Order) -> None:
    ask = OnCard(sold.id, "chase").data()
    await busy.press(SUQING, SPRUCE, ask, message_id=70)
    assert "催" in busy.toast or "转" in busy.toast
    assert [(chat, type(fact)) for chat, fact, _ in await out(busy)] == [(HENGTONG, EnquiryCard)]
    await busy.press(OPERATOR, SPRUCE, ask, message_id=70)
    assert "秒" in busy.toast
    await busy.press(BEN, NORTHWIND, ask, message_id=70)
    assert await out(busy) == []


async def test_anybody_there_takes_it_and_nobody_elsewhere(busy: Desk, sold: Order) -> None:
    question = await asked(busy, sold)
    enquiry_id = await busy.runtime.system.store.fetchval("SELECT id FROM enquiry")
    take = TakeEnquiry(enquiry_id).data()
    await busy.press(STRANGER, SPRUCE, take)
    assert await busy.runtime.system.store.fetchval("SELECT taken_by_name FROM enquiry") is None
    await busy.press(STRANGER, HENGTONG, take, message_id=question)
    assert busy.toast == "由您处理。"
    await busy.press(ZHAO, HENGTONG, take, message_id=question)
    assert busy.toast == "已有人在处理。"


async def test_a_question_is_seen_at_once_and_a_paid_one_is_marked(busy: Desk, sold: Order) -> None:
    await asked(busy, sold)
    message_id = await busy.runtime.system.store.fetchval("SELECT from_message_id FROM enquiry")
    assert (SPRUCE, message_id, "👀") in await settled(busy)
    enquiry_id = await busy.runtime.system.store.fetchval("SELECT id FROM enquiry")
    await pay(busy, sold)
    async with busy.runtime.system.store.transaction() as tx:
        await busy.runtime.trade.enquiries.settle(tx, [enquiry_id])
    assert (SPRUCE, message_id, "👍") in await settled(busy)


async def settled(desk: Desk) -> list[tuple[int, int, str]]:
    """The reactions, once none is under way."""

    async def idle() -> bool:
        return desk.reactions.idle

    await eventually(idle, what="no reaction is under way")
    return desk.line.reactions


async def pay(desk: Desk, order: Order) -> None:
    assert order.live_attempt_no is not None
    seen = PaymentSeen(order.merchant_id, order.live_attempt_no, "U1", order.amount, "reported")
    await desk.runtime.trade.payments.settle_payment(seen, request_id="see")
