from __future__ import annotations

from core.orders import Order
from core.outbox import Card, Say
from tests.handlers.desk import (
    BEN,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUQING,
    Desk,
    one_card,
)  # fmt: skip


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


async def test_several_numbers_get_a_card_each(desk: Desk, order: Order) -> None:
    text = f"{order.order_no}\n{order.merchant_order_no}"
    assert [type(fact) for fact in await desk.say(SUQING, SPRUCE, text)] == [Card, Card]


async def test_one_unknown_number_does_not_hide_the_others(desk: Desk, order: Order) -> None:
    facts = await desk.say(SUQING, SPRUCE, f"查单 NOBODY-0001 {order.order_no}")
    assert [type(fact) for fact in facts] == [Say, Card]


async def test_card_buttons(desk: Desk, order: Order) -> None:
    await desk.press(SUQING, SPRUCE, f"card:ask:{order.id.hex}")
    assert desk.toast.startswith("供应商查询结果")
    await desk.press(OPERATOR, SPRUCE, f"card:complete:{order.id.hex}")
    assert order.order_no in desk.toast
    assert desk.line.answers[-1].show_alert
    await desk.press(SUQING, SPRUCE, f"card:complete:{order.id.hex}")
    assert "没有权限" in desk.toast
    await desk.press(OPERATOR, SPRUCE, f"card:notify:{order.id.hex}")
    assert desk.line.answers[-1].show_alert  # nothing was ever told


async def test_forged_button_data_is_harmless(desk: Desk, order: Order) -> None:
    for data in ("card:ask:" + "f" * 32, "card:ask:zz", "bill:x:y", "undo:" + "0" * 32, "?"):
        assert await desk.press(SUQING, SPRUCE, data) == []
    assert await desk.press(BEN, NORTHWIND, f"card:ask:{order.id.hex}") == []
    assert len(desk.line.answers) == 6
