from __future__ import annotations

from core.orders import Order, get_order
from tests.handlers.desk import FINANCE, OPERATOR, OWNER, SPRUCE, Desk, button_data, one_say


async def state(desk: Desk, order: Order) -> str:
    return (await get_order(desk.runtime.store, order.merchant_id, order.id)).state


async def test_asked_with_a_reason_and_confirmed_by_the_same_person(
    desk: Desk, order: Order
) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 供应商 已确认")
    assert question.screen == "complete_question"
    assert question.facts["reason"] == "供应商 已确认"
    yes = button_data(question)
    assert await desk.press(OWNER, SPRUCE, yes, message_id=300) == []
    assert desk.line.answers[-1].show_alert
    assert await state(desk, order) != "paid"
    done = one_say(await desk.press(OPERATOR, SPRUCE, yes, message_id=300))
    assert (done.screen, done.edit_message_id) == ("completed", 300)
    assert await state(desk, order) == "paid"
    assert await desk.press(OPERATOR, SPRUCE, yes, message_id=300) == []  # twice is once
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
