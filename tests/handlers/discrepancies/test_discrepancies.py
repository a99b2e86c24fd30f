from __future__ import annotations

from typing import Any

from core.delivery.outbox import Say
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.trade.orders import OpenOrder, Order, PaymentSeen, get_attempts, get_order
from handlers.discrepancies.buttons import OnDiscrepancy, TurnDiscrepancies
from handlers.screens import render_say
from tests.handlers.dialogue import press_and_prove, says
from tests.handlers.support import (
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
    opened_alarm,
)


async def see(desk: Desk, order: Order, minor: int) -> None:
    attempts = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    number = attempts[0].attempt_no
    seen = PaymentSeen(order.merchant_id, number, "U1", Money(minor, "CNY"), "reported")
    await desk.runtime.trade.payments.settle_payment(seen, request_id="see")


def reply_to(message_id: int, chat: int) -> dict[str, Any]:
    """The fields of a message that replies to one of ours."""
    ours = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk"}
    there = {"id": chat, "type": "supergroup", "title": "a group"}
    return {
        "reply_to_message": {
            "message_id": message_id, "date": 1_763_000_000, "chat": there, "from": ours,
            "text": "…",
        }
    }  # fmt: skip


async def reason(desk: Desk, text: str) -> Say:
    """Reply to the question in message 51 with a reason; the question with its buttons."""
    return await desk.said(FINANCE, OPS, text, **reply_to(51, OPS))


async def test_only_a_reply_of_who_was_asked_is_a_reason(desk: Desk, order: Order) -> None:
    await see(desk, order, 10100)
    alarm = await opened_alarm(desk, await desk.news())
    listed = one_say(await desk.press(FINANCE, OPS, button_data(alarm), message_id=49))
    card = one_say(await desk.press(FINANCE, OPS, button_data(listed), message_id=50))
    question = one_say(await desk.press(FINANCE, OPS, button_data(card), message_id=51))
    assert question.facts["question"]["reason"] == ""
    assert await desk.say(ADMIN, OPS, "are you sure?", **reply_to(51, OPS)) == []
    assert await desk.say(FINANCE, OPS, "it went back") == []  # no reply
    assert await desk.say(FINANCE, OPS, "it went back", **reply_to(50, OPS)) == []
    forwarded = {
        "forward_origin": {
            "type": "hidden_user", "date": 1_763_000_000, "sender_user_name": "somebody"
        }
    }  # fmt: skip
    assert await desk.say(FINANCE, OPS, "so it is", **reply_to(51, OPS), **forwarded) == []
    command = await desk.said(FINANCE, OPS, "/help", **reply_to(51, OPS))
    assert command.screen == "help"
    assert (await reason(desk, "it went back")).facts["question"]["reason"] == "it went back"
    # A reply to the question is never a command, and comes too late at some time.
    await desk.runtime.system.store.execute("UPDATE approval SET expires_at = created_at")
    late = await reason(desk, "+100")
    assert (late.screen, late.facts["code"]) == ("refusal", "confirmation_expired")


async def test_discrepancies_of_test_orders_are_shown_when_asked_for(
    desk: Desk, shop: tuple[Merchant, App]
) -> None:
    keys = await desk.runtime.parties.merchants.apps.open(
        shop[0], mode="test", name="try", notify_url=None
    )
    opened = await desk.runtime.trade.creation.open(
        (await desk.runtime.supply.market.now()).app_by_key(keys.key_id),
        OpenOrder("TRY-1", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9"),
        request_id="test",
    )
    await see(desk, opened.order, 9900)
    assert await desk.news() == []
    assert (await desk.said(FINANCE, OPS, "差异单")).facts["total"] == 0
    for text in ("差异单 测试", "差异单 test M1001"):
        assert (await desk.said(FINANCE, OPS, text)).facts["total"] == 1
    listed = await desk.said(FINANCE, OPS, "/discrepancies m1001 TEST")
    assert (listed.facts["total"], listed.facts["mode"]) == (1, "test")
    turned = TurnDiscrepancies(1, shop[0].id, test=True).data()
    (page,) = await desk.press(FINANCE, OPS, turned, message_id=60)
    assert isinstance(page, Say)
    assert page.facts["total"] == 1
    card = one_say(await desk.press(FINANCE, OPS, button_data(listed), message_id=61))
    assert (card.screen, card.facts["discrepancy"]["mode"]) == ("discrepancy", "test")
    for screen in (listed, card):
        assert "🧪" in render_say(screen, "zh").html


async def test_from_the_alarm_to_the_end(desk: Desk, order: Order) -> None:
    await see(desk, order, 10100)
    alarm = await opened_alarm(desk, await desk.news())
    listed = one_say(await desk.press(FINANCE, OPS, button_data(alarm), message_id=49))
    assert (listed.screen, listed.reply_to, listed.facts["total"]) == ("discrepancies", 49, 1)
    card = one_say(await desk.press(FINANCE, OPS, button_data(listed), message_id=50))
    assert (card.screen, card.reply_to, card.facts["discrepancy"]["left_minor"]) == (
        "discrepancy",
        50,
        10100,
    )
    assert card.facts["discrepancy"]["supplier_no"] == "S01"
    assert await desk.press(FINANCE, OPS, button_data(card, 2), message_id=51) == []
    assert desk.line.answers[-1].show_alert, "finance completes no orders"
    question = one_say(await desk.press(ADMIN, OPS, button_data(card, 2), message_id=51))
    assert (question.screen, question.edit_message_id) == ("resolve_question", 51)
    back = one_say(await desk.press(ADMIN, OPS, button_data(question), message_id=51))
    assert (back.screen, back.edit_message_id) == ("discrepancy", 51)
    await desk.press(ADMIN, OPS, button_data(back, 2), message_id=51)
    asked, back = says(await desk.say(ADMIN, OPS, "+100 it is his", **reply_to(51, OPS)))
    assert (asked.screen, asked.facts["question"]["reason"]) == (
        "complete_question", "+100 it is his",
    )  # fmt: skip
    assert (back.screen, back.edit_message_id) == ("discrepancy", 51)
    assert await desk.press(FINANCE, OPS, button_data(asked), message_id=52) == []
    assert desk.line.answers[-1].show_alert
    done, proven = await press_and_prove(desk, ADMIN, OPS, button_data(asked), message_id=52)
    assert (done.screen, done.edit_message_id, proven.screen) == ("completed", 52, "proven")
    assert (
        await desk.runtime.system.store.fetchval("SELECT reason FROM completion")
        == "+100 it is his"
    )
    assert (await get_order(desk.runtime.system.store, order.merchant_id, order.id)).state == "paid"
    assert await desk.press(ADMIN, OPS, button_data(asked), message_id=52) == []  # a twin

    listed = await desk.said(FINANCE, OPS, "差异单")
    assert (listed.screen, listed.facts["total"]) == ("discrepancies", 1)
    assert [line["how"] for line in listed.facts["resolved"]] == ["complete"]
    rest = one_say(await desk.press(FINANCE, OPS, button_data(listed), message_id=52))
    assert (rest.facts["discrepancy"]["left_minor"], rest.facts["discrepancy"]["ways"]) == (
        100,
        ["refund_payer", "credit_merchant"],
    )
    await desk.press(FINANCE, OPS, button_data(rest, 1), message_id=51)
    question = await reason(desk, "the payer paid too much")
    assert (question.screen, question.edit_message_id) == ("resolve_question", 51)
    assert question.facts["question"]["reason"] == "the payer paid too much"
    assert await desk.press(ADMIN, OPS, button_data(question), message_id=51) == []
    assert desk.line.answers[-1].show_alert
    back = one_say(await desk.press(FINANCE, OPS, button_data(question, 1), message_id=51))
    assert (back.screen, back.edit_message_id) == ("discrepancy", 51)
    await desk.press(FINANCE, OPS, button_data(back, 1), message_id=51)
    question = await reason(desk, "the payer paid too much")
    said = await press_and_prove(desk, FINANCE, OPS, button_data(question), message_id=51)
    assert [(say.screen, say.edit_message_id) for say in said] == [
        ("resolved", 51), ("proven", None),
    ]  # fmt: skip
    assert said[0].facts["question"]["left_minor"] == 100
    assert await desk.press(FINANCE, OPS, button_data(question), message_id=51) == []  # a twin


async def test_a_merchants_group_sees_its_own_and_no_supplier(desk: Desk, order: Order) -> None:
    await see(desk, order, 9900)
    await desk.news()
    for user_id in (SUQING, OPERATOR):
        refused = await desk.said(user_id, SPRUCE, "/discrepancies")
        assert refused.facts["code"] == "not_permitted"
    listed = await desk.said(FINANCE, SPRUCE, "/discrepancies")
    line = listed.facts["lines"][0]["discrepancy"]
    assert len(listed.facts["lines"]) == 1
    assert (line["order_no"], line["supplier_no"], line["upstream_no"]) == (order.order_no, "", "")
    for chat, text in ((NORTHWIND, "差异单"), (OPS, "差异单 M1002")):
        assert (await desk.said(FINANCE, chat, text)).facts["total"] == 0
    assert (await desk.said(FINANCE, OPS, "差异单 M1001")).facts["total"] == 1
    assert (await desk.said(FINANCE, OPS, "差异单 foo1")).screen == "usage"
    for chat, expected in ((HENGTONG, "merchant_not_here"), (NEW, "group_not_bound")):
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
