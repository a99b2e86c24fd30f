from __future__ import annotations

from core.money import Money
from core.orders import Order, PaymentSeen, get_attempts, get_order
from handlers.buttons import OnDiscrepancy, TurnDiscrepancies
from tests.handlers.desk import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
)


async def see(desk: Desk, order: Order, minor: int) -> None:
    attempts = await get_attempts(desk.runtime.store, order.merchant_id, order.id)
    number = attempts[0].attempt_no
    seen = PaymentSeen(order.merchant_id, number, "U1", Money(minor, "CNY"), "reported")
    await desk.runtime.settling.settle_payment(seen, request_id="see")


async def test_from_the_alarm_to_the_end(desk: Desk, order: Order) -> None:
    await see(desk, order, 10100)
    alarm = one_say(await desk.news())
    assert alarm.screen == "alarm_discrepancy"
    card = one_say(await desk.press(FINANCE, OPS, button_data(alarm), message_id=50))
    assert (card.screen, card.reply_to, card.facts["left_minor"]) == ("discrepancy", 50, 10100)
    assert card.facts["supplier_no"] == "S01"
    question = one_say(await desk.press(FINANCE, OPS, button_data(card, 2), message_id=51))
    assert (question.screen, question.edit_message_id) == ("resolve_question", 51)
    assert await desk.press(ADMIN, OPS, button_data(question), message_id=51) == []
    assert desk.line.answers[-1].show_alert
    back = one_say(await desk.press(FINANCE, OPS, button_data(question, 1), message_id=51))
    assert (back.screen, back.edit_message_id) == ("discrepancy", 51)
    question = one_say(await desk.press(FINANCE, OPS, button_data(back, 2), message_id=51))
    done = one_say(await desk.press(FINANCE, OPS, button_data(question), message_id=51))
    assert (done.screen, done.edit_message_id, done.facts["used_minor"]) == ("resolved", 51, 10000)
    assert (await get_order(desk.runtime.store, order.merchant_id, order.id)).state == "paid"
    assert await desk.press(FINANCE, OPS, button_data(question), message_id=51) == []  # a twin
    assert desk.line.answers[-1].show_alert

    listed = await desk.said(FINANCE, OPS, "差异单")
    assert (listed.screen, listed.facts["total"]) == ("discrepancies", 1)
    assert [line["how"] for line in listed.facts["resolved"]] == ["complete"]
    rest = one_say(await desk.press(FINANCE, OPS, button_data(listed), message_id=52))
    assert (rest.facts["left_minor"], rest.facts["ways"]) == (
        100,
        ["refund_payer", "credit_merchant"],
    )


async def test_a_merchants_group_sees_its_own_and_no_supplier(desk: Desk, order: Order) -> None:
    await see(desk, order, 9900)
    await desk.news()
    for user_id in (SUQING, OPERATOR):
        refused = await desk.said(user_id, SPRUCE, "/discrepancies")
        assert refused.facts["code"] == "not_permitted"
    listed = await desk.said(FINANCE, SPRUCE, "/discrepancies")
    (line,) = listed.facts["lines"]
    assert (line["order_no"], line["supplier_no"], line["upstream_no"]) == (order.order_no, "", "")
    for chat, text in ((NORTHWIND, "差异单"), (OPS, "差异单 M1002")):
        assert (await desk.said(FINANCE, chat, text)).facts["total"] == 0
    assert (await desk.said(FINANCE, OPS, "差异单 M1001")).facts["total"] == 1
    assert (await desk.said(FINANCE, OPS, "差异单 foo1")).screen == "usage"
    for chat, expected in ((HENGTONG, "merchant_needed"), (NEW, "group_not_bound")):
        assert (await desk.said(FINANCE, chat, "差异单")).facts["code"] == expected
    foreign = await desk.said(FINANCE, NORTHWIND, "差异单 M1001")
    assert foreign.facts["code"] == "merchant_not_found"

    opening = button_data(listed)
    assert await desk.press(FINANCE, NORTHWIND, opening) == []
    assert desk.line.answers[-1].show_alert
    assert await desk.press(OPERATOR, SPRUCE, opening) == []
    turned = one_say(
        await desk.press(
            FINANCE, NORTHWIND, TurnDiscrepancies(1, order.merchant_id).data(), message_id=60
        )
    )
    assert (turned.edit_message_id, turned.facts["total"]) == (60, 0)
    unknown = OnDiscrepancy(order.id, "complete").data()
    assert await desk.press(FINANCE, SPRUCE, unknown) == []
    assert desk.line.answers[-1].show_alert
