from __future__ import annotations

from datetime import date, timedelta

from core.delivery.outbox import Say
from core.trade.orders import Order, get_order
from handlers.buttons import read_button
from handlers.kit.refusals import already_done
from handlers.orders.buttons import TurnCompletions
from tests.handlers.support import (
    FINANCE,
    NORTHWIND,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
)


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


def around(order: Order) -> tuple[date, date]:
    """Days among which the order's is, in whatever zone."""
    day = order.created_at.date()
    return day - timedelta(days=3), day + timedelta(days=3)


async def test_what_was_completed_is_listed_by_days_and_merchants(desk: Desk, order: Order) -> None:
    assert (await desk.said(OPERATOR, OPS, "补单记录")).facts["count"] == 0
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 供应商已确认")
    await desk.press(OPERATOR, SPRUCE, button_data(question))
    for user_id, chat_id, text in (
        (OPERATOR, OPS, "补单记录"), (FINANCE, OPS, "/completions M1001"),
        (OPERATOR, OPERATOR, "补单记录 今日 M1001"),
    ):  # fmt: skip
        said = await desk.said(user_id, chat_id, text)
        assert (said.screen, said.facts["count"]) == ("completions", 1), text
        assert said.facts["lines"][0]["order_no"] == order.order_no
        assert said.facts["lines"][0]["reason"] == "供应商已确认"
    assert (await desk.said(OPERATOR, OPS, "补单记录 昨日")).facts["count"] == 0
    first = TurnCompletions(*around(order), 1, order.merchant_id)
    page = one_say(await desk.press(OPERATOR, OPS, first.data(), message_id=90))
    assert (page.screen, page.edit_message_id, page.facts["count"]) == ("completions", 90, 1)


async def test_a_list_of_completions_is_refused_where_it_shows_too_much(
    desk: Desk, order: Order
) -> None:
    for user_id, chat_id, text, code in (
        (SUQING, SPRUCE, "/completions", "not_permitted"),
        (OPERATOR, SPRUCE, "/completions", "staff_only"),
        (OPERATOR, OPS, "/completions M9999", "merchant_not_found"),
        (OPERATOR, OPS, "/completions 2026-02-30", "date_invalid"),
    ):
        assert (await desk.said(user_id, chat_id, text)).facts["code"] == code, text
    assert (await desk.said(OPERATOR, OPS, "/completions M1001 M1002")).screen == "usage"
    theirs = TurnCompletions(*around(order), 1, order.merchant_id)
    for chat_id in (SPRUCE, NORTHWIND):
        assert await desk.press(OPERATOR, chat_id, theirs.data()) == []
        assert desk.line.answers[-1].show_alert
    assert read_button(theirs.data()) == theirs
    for data in (f"{theirs.data()}x", "comps:20301301-20301302:1:", "comps:1:1:"):
        assert read_button(data) is None, data
