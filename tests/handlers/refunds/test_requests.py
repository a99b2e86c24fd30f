"""Refunds that people ask for: shown, proven in private, above a threshold approved by another."""

from __future__ import annotations

import pytest

from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.trade.orders import Order, PaymentSeen, get_attempts, get_order
from core.trade.refunds import Refund
from core.trade.refunds.rows import read_refund
from handlers.approvals.buttons import AnswerApproval
from handlers.refunds.words import RefundOrder
from handlers.refunds.words import read_refund as read_words
from tests.handlers.dialogue import code, press_and_prove, restarted, says
from tests.handlers.orders.test_by_hand import newest, set_to
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    OPERATOR,
    OPS,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
)


@pytest.fixture
async def paid(desk: Desk, order: Order, shop: tuple[Merchant, App]) -> Order:
    """An order of 100.00 whose money a supplier has, and that takes refunds where it is reached:
    nobody reaches it here."""
    store, merchant = desk.runtime.system.store, shop[0]
    (attempt, *_) = await get_attempts(store, merchant.id, order.id)
    seen = PaymentSeen(merchant.id, attempt.attempt_no, "U1", Money(10_000, "CNY"), "reported")
    await desk.runtime.trade.payments.settle_payment(seen, request_id="see")
    await desk.news()
    return await get_order(store, merchant.id, order.id)


async def refunds(desk: Desk) -> list[Refund]:
    rows = await desk.runtime.system.store.fetch("SELECT * FROM refund ORDER BY at")
    return [read_refund(row) for row in rows]


async def asked(desk: Desk, order: Order, text: str = "20 用户重复支付") -> str:
    """Finance asks for a refund in the merchant's group; what its yes carries."""
    return button_data(await desk.said(FINANCE, SPRUCE, f"退款 {order.order_no} {text}"))


async def waits(desk: Desk, order: Order) -> AnswerApproval:
    """Finance has asked for what takes a second person, and has proven it; its yes."""
    await set_to(desk, "refund_second", 19)
    said = await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, order))
    assert [say.screen for say in said] == ["refund_waits", "proven"]
    assert await refunds(desk) == [], "by one person alone"
    return AnswerApproval(await newest(desk, "refund_second"), yes=True)


@pytest.mark.parametrize(
    ("text", "units", "reason"),
    [
        ("P1 paid twice", None, "paid twice"),
        ("P1 20 paid twice", 20, "paid twice"),
        ("P1 1.5万 元 paid twice", 15_000, "paid twice"),
        ("P1 20元 3号 重复", 20, "3号 重复"),
        ("P1 3号重复", None, "3号重复"),
        ("P1", None, ""),
    ],
)
def test_an_amount_may_stand_before_the_reason(text: str, units: int | None, reason: str) -> None:
    meant = read_words(text.split())
    assert isinstance(meant, RefundOrder)
    assert (meant.amount and meant.amount.units, meant.reason) == (units, reason)


@pytest.mark.parametrize("text", ["", "P1 -20 x", "P1 12.34.5 x", "P1 +20 x", "P1 20- x"])
def test_what_looks_like_an_amount_is_never_a_reason(text: str) -> None:
    assert read_words(text.split()) is None


async def test_a_part_is_refunded_by_who_asked_and_proved_it(desk: Desk, paid: Order) -> None:
    question = await desk.said(FINANCE, SPRUCE, f"退款 {paid.order_no} 20 用户重复支付")
    shown = question.facts["question"]
    assert (question.screen, shown["refund_minor"], shown["left_minor"]) == (
        "refund_order", 2_000, 10_000,
    )  # fmt: skip
    assert (shown["by_supplier"], shown["reason"]) == (True, "用户重复支付")
    yes = button_data(question)
    assert await desk.press(ADMIN, SPRUCE, yes) == []
    assert await refunds(desk) == []
    reserved, sent, proven = await press_and_prove(desk, FINANCE, SPRUCE, yes, message_id=300)
    assert (reserved.screen, reserved.facts["state"]) == ("refund_requested", "created")
    assert (sent.screen, sent.edit_message_id) == ("refund_requested", 300)
    assert proven.screen == "proven"
    (refund,) = await refunds(desk)
    assert (refund.amount, refund.actor) == (Money(2_000, "CNY"), f"telegram:{FINANCE}")
    assert (refund.fee_returned, refund.fee_back_minor) == (True, 24)
    assert sent.facts["state"] == refund.state
    assert await desk.press(FINANCE, SPRUCE, yes, message_id=300) == []  # twice is once
    assert len(await refunds(desk)) == 1


async def test_without_an_amount_all_that_is_left_goes_back(desk: Desk, paid: Order) -> None:
    await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid))
    said = await desk.said(FINANCE, OPS, f"/refund {paid.order_no} 全部退")
    shown = said.facts["question"]
    assert (shown["refund_minor"], shown["refunded_minor"]) == (8_000, 2_000)
    await press_and_prove(desk, FINANCE, OPS, button_data(said))
    assert [one.amount.minor for one in await refunds(desk)] == [2_000, 8_000]
    nothing = await desk.said(FINANCE, OPS, f"/refund {paid.order_no} x")
    assert code(nothing) == "refund_over_amount"


async def test_what_is_refused_before_anybody_is_asked(desk: Desk, paid: Order) -> None:
    number = paid.order_no
    for user_id, text, expected in (
        (OPERATOR, f"退款 {number} 20 x", "not_permitted"),
        (SUQING, f"退款 {number} 20 x", "not_permitted"),
        (FINANCE, f"退款 {number} 20", "reason_missing"),
        (FINANCE, f"退款 {number} 100.01 x", "refund_over_amount"),
        (FINANCE, f"退款 {number} 0 x", "field_invalid"),
        (FINANCE, f"退款 {number} 20 usd x", "currency_other"),
        (FINANCE, f"退款 {number} 0.001 x", "amount_invalid"),
        (FINANCE, "退款 12345678 20 x", "order_not_found"),
    ):
        assert code(await desk.said(user_id, SPRUCE, text)) == expected, text
    assert (await desk.said(FINANCE, SPRUCE, f"退款 {number} -20 x")).screen == "usage"
    assert await desk.say(FINANCE, SPRUCE, "退款了吗") == [], "talk"


async def test_it_is_dropped(desk: Desk, paid: Order) -> None:
    question = await desk.said(FINANCE, SPRUCE, f"退款 {paid.order_no} 20 x")
    dropped = one_say(await desk.press(FINANCE, SPRUCE, button_data(question, 1)))
    assert dropped.screen == "refund_order_dropped"
    assert await desk.press(FINANCE, SPRUCE, button_data(question)) == []
    assert await refunds(desk) == []


async def test_above_the_threshold_a_second_person_decides(desk: Desk, paid: Order) -> None:
    yes = await waits(desk, paid)
    for user_id, chat_id in ((FINANCE, OPS), (OPERATOR, OPS), (ADMIN, SPRUCE)):
        assert says(await desk.press(user_id, chat_id, yes.data())) == []
        assert desk.line.answers[-1].show_alert
    assert await refunds(desk) == []
    reserved, sent = says(await desk.press(ADMIN, OPS, yes.data()))
    assert reserved.screen == sent.screen == "refund_requested"
    assert sent.facts["approved_by"]
    (refund,) = await refunds(desk)
    assert refund.actor == f"telegram:{FINANCE}"
    await desk.press(ADMIN, OPS, yes.data())
    assert len(await refunds(desk)) == 1


async def test_parts_of_an_order_are_no_way_around_it(desk: Desk, paid: Order) -> None:
    await set_to(desk, "refund_second", 25)
    await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid))
    assert [one.amount.minor for one in await refunds(desk)] == [2_000]
    said = await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid, "5.01 用户要求"))
    assert [say.screen for say in said] == ["refund_waits", "proven"]
    assert len(await refunds(desk)) == 1, "by one person alone"
    yes = AnswerApproval(await newest(desk, "refund_second"), yes=True)
    assert says(await desk.press(FINANCE, OPS, yes.data())) == []
    assert len(says(await desk.press(ADMIN, OPS, yes.data()))) == 2
    assert [one.amount.minor for one in await refunds(desk)] == [2_000, 501]


async def fails(desk: Desk) -> None:
    """The newest refund ends as failed, as one person may say alone."""
    refund = (await refunds(desk))[-1]
    await desk.runtime.trade.refunds.release(refund.merchant_id, refund.id, "not given back")
    await desk.news()


async def test_a_refund_that_failed_counts_for_the_threshold_and_the_cap(
    desk: Desk, paid: Order
) -> None:
    """Its supplier may have given the money back all the same."""
    await set_to(desk, "refund_second", 25)
    await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid))
    await fails(desk)
    said = await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid))
    assert [say.screen for say in said] == ["refund_waits", "proven"]
    assert len(await refunds(desk)) == 1, "by one person alone"
    await set_to(desk, "refund_daily", 30)
    over = await desk.said(FINANCE, SPRUCE, f"退款 {paid.order_no} 20 x")
    assert (code(over), over.facts["facts"]["left"]) == ("daily_cap", "10.00 CNY")


async def test_a_second_person_says_no(desk: Desk, paid: Order) -> None:
    yes = await waits(desk, paid)
    (dropped,) = says(
        await desk.press(ADMIN, OPS, AnswerApproval(yes.approval_id, yes=False).data())
    )
    assert dropped.screen == "refund_order_dropped"
    assert says(await desk.press(ADMIN, OPS, yes.data())) == []
    assert await refunds(desk) == []


async def test_an_approval_is_of_the_order_and_its_refunds_as_they_were(
    desk: Desk, paid: Order, shop: tuple[Merchant, App]
) -> None:
    yes = await waits(desk, paid)
    await desk.runtime.trade.refunds.reserve(
        shop[1], paid.merchant_id, paid.id, "API-1", Money(100, "CNY"), fee_returned=True
    )
    assert says(await desk.press(ADMIN, OPS, yes.data())) == []
    assert desk.line.answers[-1].show_alert
    assert [refund.refund_no for refund in await refunds(desk)] == ["API-1"]


async def test_a_desk_that_begins_anew_goes_on_in_the_middle_of_each(
    desk: Desk, paid: Order
) -> None:
    yes = await waits(desk, paid)
    restarted(desk)
    await desk.press(ADMIN, OPS, yes.data())
    assert len(await refunds(desk)) == 1


async def test_nobody_refunds_more_in_a_day_than_their_cap(desk: Desk, paid: Order) -> None:
    await set_to(desk, "refund_daily", 30)
    over = await desk.said(FINANCE, SPRUCE, f"退款 {paid.order_no} 30.01 x")
    assert (code(over), over.facts["facts"]["left"]) == ("daily_cap", "30.00 CNY")
    await press_and_prove(desk, FINANCE, SPRUCE, await asked(desk, paid))
    over = await desk.said(FINANCE, SPRUCE, f"退款 {paid.order_no} 20 x")
    assert (code(over), over.facts["facts"]["left"]) == ("daily_cap", "10.00 CNY")
    other = await desk.said(ADMIN, SPRUCE, f"退款 {paid.order_no} 20 x")
    assert other.screen == "refund_order", "a cap is of one person"
