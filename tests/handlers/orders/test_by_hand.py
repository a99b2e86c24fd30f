from __future__ import annotations

from core.delivery.outbox import Say
from core.trade.orders import Order, get_order
from handlers.kit.refusals import already_done
from tests.handlers.support import FINANCE, OPERATOR, OWNER, SPRUCE, Desk, button_data, one_say


async def state(desk: Desk, order: Order) -> str:
    return (await get_order(desk.runtime.system.store, order.merchant_id, order.id)).state


async def test_asked_with_a_reason_and_confirmed_by_the_same_person(
    desk: Desk, order: Order
) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 供应商 已确认")
    assert question.screen == "complete_question"
    assert question.facts["question"]["reason"] == "供应商 已确认"
    yes = button_data(question)
    assert await desk.press(OWNER, SPRUCE, yes, message_id=300) == []
    assert desk.line.answers[-1].show_alert
    assert await state(desk, order) != "paid"
    done = one_say(await desk.press(OPERATOR, SPRUCE, yes, message_id=300))
    assert (done.screen, done.edit_message_id) == ("completed", 300)
    assert await state(desk, order) == "paid"
    assert await desk.press(OPERATOR, SPRUCE, yes, message_id=300) == []  # twice is once
    assert desk.toast == already_done("zh")
    assert await state(desk, order) == "paid"


async def test_dropped(desk: Desk, order: Order) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"/complete {order.order_no} test")
    dropped = one_say(await desk.press(OPERATOR, SPRUCE, button_data(question, 1)))
    assert dropped.screen == "complete_dropped"
    assert await desk.press(OPERATOR, SPRUCE, button_data(question)) == []
    assert await state(desk, order) != "paid"


async def test_refusals(desk: Desk, order: Order) -> None:
    no_reason = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no}")
    assert no_reason.facts["code"] == "reason_missing"
    assert (await desk.said(OPERATOR, SPRUCE, "补单")).screen == "usage"
    no_right = await desk.said(FINANCE, SPRUCE, f"补单 {order.order_no} x")
    assert no_right.facts["code"] == "not_permitted"
    unknown = await desk.said(OPERATOR, SPRUCE, "补单 12345678 x")
    assert unknown.facts["code"] == "order_not_found"


async def test_a_picture_with_the_command_as_its_caption_is_evidence(
    desk: Desk, order: Order
) -> None:
    photo = [
        {"file_id": f"photo-{size}", "file_unique_id": size, "width": side, "height": side}
        for size, side in (("small", 9), ("large", 90))
    ]
    image = {"file_id": "image", "file_unique_id": "i", "mime_type": "image/png"}
    for sent, kept in (({"photo": photo}, "photo-large"), ({"document": image}, "image")):
        caption = f"补单 {order.order_no} 已到账"
        await desk.feed(message=desk.message(OPERATOR, SPRUCE, caption=caption, **sent))
        question = one_say(await desk.news())
        assert (question.screen, question.facts["question"]["proof_file_id"]) == (
            "complete_question",
            kept,
        )


async def test_a_wrong_completion_is_reversed_by_a_second_person(desk: Desk, order: Order) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} x")
    await desk.press(OPERATOR, SPRUCE, button_data(question))
    for user_id, chat_id, text, expected in (
        (OPERATOR, SPRUCE, f"/uncomplete {order.order_no} x", "not_permitted"),
        (FINANCE, SPRUCE, f"撤销补单 {order.order_no}", "reason_missing"),
        (FINANCE, FINANCE, f"撤销补单 {order.order_no} x", "group_needed"),
    ):
        assert (await desk.said(user_id, chat_id, text)).facts["code"] == expected
    assert (await desk.said(FINANCE, SPRUCE, "撤销补单")).screen == "usage"
    asked = await desk.said(FINANCE, SPRUCE, f"撤销补单 {order.order_no} 未到账")
    assert asked.screen == "uncomplete_question"
    assert await desk.press(FINANCE, SPRUCE, button_data(asked)) == []
    assert desk.line.answers[-1].show_alert
    dropped = one_say(await desk.press(FINANCE, SPRUCE, button_data(asked, 1), message_id=70))
    assert (dropped.screen, dropped.edit_message_id) == ("uncomplete_dropped", 70)
    asked = await desk.said(FINANCE, SPRUCE, f"/uncomplete {order.order_no} 未到账")
    done, ops = await desk.press(OWNER, SPRUCE, button_data(asked), message_id=71)
    assert isinstance(done, Say)
    assert isinstance(ops, Say)
    assert (done.screen, done.edit_message_id, ops.screen) == ("uncompleted", 71, "uncompleted")
    disputed = await get_order(desk.runtime.system.store, order.merchant_id, order.id)
    assert disputed.disputed
    again = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 已到账")
    assert (again.screen, again.facts["question"]["disputed"]) == ("complete_question", True)
