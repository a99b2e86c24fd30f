"""The buttons under the alarm of a refund: who may, asked once, done once, told when it is late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from core.delivery.outbox import Say
from core.delivery.outbox.facts import unpack
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.trade.orders import OpenOrder, PaymentSeen, get_attempts
from core.trade.refunds import Refund
from core.trade.refunds.rows import get_refund
from handlers.approvals.buttons import AnswerApproval
from handlers.refunds.buttons import AnswerRefund, OnRefund
from handlers.screens import render_say
from tests.core.trade.refunds.giver import PRODUCT, Giver, document, sell_at
from tests.handlers.dialogue import press_and_prove
from tests.handlers.orders.test_by_hand import newest, set_to
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    OPERATOR,
    OPS,
    SPRUCE,
    Desk,
    button_data,
    labelled,
    one_say,
    opened_alarm,
)

Refunded = Callable[[str], Awaitable[tuple[Refund, Say]]]


@pytest.fixture
async def refunded(desk: Desk, shop: tuple[Merchant, App]) -> Refunded:
    """Half of a paid order is to be refunded, whose supplier takes no refunds: with the alarm."""
    runtime, (merchant, app) = desk.runtime, shop
    wanted = OpenOrder("SPRUCE-2026-0002", Money(10_000, "CNY"), PRODUCT, "A lamp", "203.0.113.9")
    async with Giver().running() as giver:
        await sell_at(runtime, merchant, giver.url, document(refund=False))
        opened = await runtime.trade.creation.open(app, wanted, request_id="test")
    (attempt, *_) = await get_attempts(runtime.system.store, merchant.id, opened.order.id)
    seen = PaymentSeen(merchant.id, attempt.attempt_no, "U1", Money(10_000, "CNY"), "reported")
    await runtime.trade.payments.settle_payment(seen, request_id="see")

    async def reserve(number: str) -> tuple[Refund, Say]:
        refund = await runtime.trade.refunds.reserve(
            app, merchant.id, opened.order.id, number, Money(5_000, "CNY"), fee_returned=True
        )
        await desk.news()
        refund = await runtime.trade.refund_dispatch.begin(merchant.id, refund.id)
        return refund, await opened_alarm(desk, await desk.news())

    return reserve


async def state_of(desk: Desk, refund: Refund) -> str:
    return (await get_refund(desk.runtime.system.store, refund.merchant_id, refund.id)).state


async def says(desk: Desk, user_id: int, data: str, message_id: int) -> list[Say]:
    pressed = await desk.press(user_id, OPS, data, message_id=message_id)
    return [fact for fact in pressed if isinstance(fact, Say)]


async def test_a_person_says_how_it_ended(desk: Desk, refunded: Refunded) -> None:
    given, alarm = await refunded("R1")
    assert given.state == "manual"
    assert "已退" in str(render_say(alarm, "zh").keyboard)
    for user_id, chat in ((OPERATOR, OPS), (OPERATOR, SPRUCE)):
        assert await desk.press(user_id, chat, button_data(alarm), message_id=50) == []
        assert desk.line.answers[-1].show_alert
    assert await desk.press(9999, OPS, button_data(alarm), message_id=50) == []

    question = one_say(await desk.press(FINANCE, OPS, labelled(alarm, "Refunded"), message_id=50))
    assert (question.screen, question.reply_to) == ("refund_question", 50)
    yes, no = button_data(question), button_data(question, 1)
    for user_id in (ADMIN, OPERATOR):  # somebody else; somebody who may not at all
        assert await desk.press(user_id, OPS, yes, message_id=51) == []
        assert desk.line.answers[-1].show_alert
    assert await state_of(desk, given) == "manual"
    ended, proven = await press_and_prove(desk, FINANCE, OPS, yes, message_id=51)
    assert proven.screen == "proven"
    assert (ended.screen, ended.edit_message_id, ended.facts["question"]["how"]) == (
        "refund_ended",
        51,
        "given",
    )
    assert await state_of(desk, given) == "succeeded"
    for data in (yes, no, button_data(alarm)):  # a redelivered press acts once
        assert await says(desk, FINANCE, data, 51) == []
        assert desk.line.answers[-1].show_alert
    assert "已成功" in desk.toast

    refused, alarm = await refunded("R2")
    question = one_say(
        await desk.press(FINANCE, OPS, labelled(alarm, "Not refunded"), message_id=60)
    )
    (dropped,) = await says(desk, FINANCE, button_data(question, 1), 61)
    assert (dropped.screen, await state_of(desk, refused)) == ("refund_dropped", "manual")
    assert await says(desk, FINANCE, button_data(question, 1), 61) == []
    question = one_say(
        await desk.press(FINANCE, OPS, labelled(alarm, "Not refunded"), message_id=60)
    )
    ended, _ = await press_and_prove(desk, FINANCE, OPS, button_data(question), message_id=62)
    assert (ended.facts["question"]["how"], await state_of(desk, refused)) == (
        "not_given",
        "failed",
    )

    trail = await desk.runtime.system.store.fetch(
        "SELECT actor, chat_id, facts FROM audit WHERE action = 'end_refund' ORDER BY at, id"
    )
    assert [
        (r["actor"], r["chat_id"], r["facts"]["refund_no"], r["facts"]["how"]) for r in trail
    ] == [
        (f"telegram:{FINANCE}", OPS, "R1", "given"),
        (f"telegram:{FINANCE}", OPS, "R2", "not_given"),
    ]
    assert (await desk.runtime.reports.verify.whole()).differences == ()


@pytest.mark.parametrize(
    ("label", "state"), [("Refunded", "succeeded"), ("Not refunded", "failed")]
)
async def test_above_the_threshold_a_second_person_says_so_too(
    desk: Desk, refunded: Refunded, label: str, state: str
) -> None:
    """Its two parts count together, whoever asked for them, and however the first one ended."""
    await set_to(desk, "refund_second", 50)
    first, alarm = await refunded("R1")
    question = one_say(await desk.press(FINANCE, OPS, labelled(alarm, label), message_id=50))
    await press_and_prove(desk, FINANCE, OPS, button_data(question), message_id=51)
    assert await state_of(desk, first) == state, "the threshold itself is not above it"
    second, alarm = await refunded("R2")
    question = one_say(await desk.press(FINANCE, OPS, labelled(alarm, label), message_id=60))
    said = await press_and_prove(desk, FINANCE, OPS, button_data(question), message_id=61)
    assert [(say.screen, say.edit_message_id) for say in said] == [
        ("refund_end_waits", 61), ("proven", None),
    ]  # fmt: skip
    assert await state_of(desk, second) == "manual", "by one person alone"
    yes = AnswerApproval(await newest(desk, "refund_end_second"), yes=True).data()
    for user_id in (FINANCE, OPERATOR):
        assert await says(desk, user_id, yes, 70) == []
        assert desk.line.answers[-1].show_alert
    (ended,) = await says(desk, ADMIN, yes, 70)
    assert (ended.screen, ended.edit_message_id) == ("refund_ended", 61)
    assert ended.facts["approved_by"]
    assert await state_of(desk, second) == state
    assert await says(desk, ADMIN, yes, 70) == [], "a second press"
    assert (await desk.runtime.reports.verify.whole()).differences == ()


@pytest.mark.parametrize(
    ("label", "what"), [("Refunded", "refund_given"), ("Not refunded", "refund_not_given")]
)
async def test_ops_hears_of_an_end_that_one_person_said_elsewhere(
    desk: Desk, refunded: Refunded, label: str, what: str
) -> None:
    refund, alarm = await refunded("R1")
    question = one_say(await desk.press(FINANCE, SPRUCE, labelled(alarm, label), message_id=50))
    await press_and_prove(desk, FINANCE, SPRUCE, button_data(question), message_id=51)
    rows = await desk.runtime.system.store.fetch(
        "SELECT topic, facts FROM outbox WHERE chat_id = $1", OPS
    )
    facts = [unpack(row["topic"], row["facts"]) for row in rows]
    (told,) = (fact for fact in facts if isinstance(fact, Say) and fact.screen == "deed")
    (deed,) = told.facts["deeds"]
    assert (deed["what"], deed["number"]) == (what, refund.order_no)
    assert "50.00" in render_say(told, "zh").html


async def test_it_ended_meanwhile(desk: Desk, refunded: Refunded) -> None:
    """Between the question and the answer: nothing is booked twice, and it is said."""
    refund, alarm = await refunded("R1")
    question = one_say(
        await desk.press(FINANCE, OPS, labelled(alarm, "Not refunded"), message_id=50)
    )
    await desk.runtime.trade.refunds.settle(refund.merchant_id, refund.id, cost_returned=False)
    await desk.news()
    assert await says(desk, FINANCE, button_data(question), 51) == []
    assert "R1" in desk.toast
    assert await state_of(desk, refund) == "succeeded"
    assert (await desk.runtime.reports.verify.whole()).differences == ()


async def test_buttons_that_name_nothing(desk: Desk, refunded: Refunded) -> None:
    refund, _ = await refunded("R1")
    nobody = UUID(int=1)
    for data in (
        OnRefund(refund.merchant_id, nobody, "given").data(),
        OnRefund(nobody, refund.id, "given").data(),
        AnswerRefund(nobody, yes=True).data(),
        AnswerRefund(nobody, yes=False).data(),
        "back:given:xx", "back:given:" + "A" * 30, "back:taken:" + "A" * 43, "backed:yes:zz",
    ):  # fmt: skip
        assert await desk.press(FINANCE, OPS, data, message_id=50) == []
    assert await state_of(desk, refund) == "manual"
