"""Balances: of all merchants where staff alone reads, of its own side in a supplier's group."""

from __future__ import annotations

from core.kernel.money import Money
from core.reports.balances import MerchantStands
from core.trade.orders import Order, PaymentSeen, get_attempts
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
    one_say,
)
from tests.handlers.telegram_html import read_html


async def sell(desk: Desk, order: Order) -> None:
    """100.00 of M1001 are paid at S01: 98.80 of it are owed to the merchant."""
    (attempt, *_) = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    seen = PaymentSeen(
        order.merchant_id, attempt.attempt_no, "U1", Money(10_000, "CNY"), "reported", "127.0.0.1"
    )
    await desk.runtime.trade.payments.settle_payment(seen, request_id="x")


async def test_all_merchants_are_one_table_the_most_urgent_first(desk: Desk, order: Order) -> None:
    await desk.say(FINANCE, SPRUCE, "+100")
    await desk.say(FINANCE, NORTHWIND, "+500")
    await sell(desk, order)
    await desk.news()
    for chat_id in (OPS, OPERATOR):
        shown = await desk.said(OPERATOR, chat_id, "/balance")
        assert shown.screen == "balances"
        first, second = shown.facts["lines"]
        assert (first["merchant_no"], first["amount_minor"], first["paid"]) == ("M1001", 10_000, 1)
        assert (first["balance_minor"], first["advanced_minor"]) == (-120, 10_000)
        assert (second["merchant_no"], second["balance_minor"]) == ("M1002", -50_000)
    text = read_html(render_say(await desk.said(OPERATOR, OPS, "/balance"), "zh").html)
    m1001, m1002 = text.index("M1001"), text.index("M1002")
    assert m1001 < m1002
    assert "🟥" in text[m1001:m1002]
    assert "1%" in text[m1001:m1002]
    assert "🟩" in text[m1002:]
    assert "🟥" not in text[m1002:]
    # A merchant that is named, and who sees no statistics over all, get what they got before.
    assert (await desk.said(OPERATOR, OPS, "/balance M1001")).screen == "balance"
    refused = one_say(await desk.say(SUPPORT, OPS, "/balance"))
    assert refused.facts["code"] == "merchant_needed"
    assert (await desk.said(SUQING, SPRUCE, "/balance")).screen == "balance"


async def test_each_merchant_is_of_its_own_day(desk: Desk, order: Order) -> None:
    """A merchant's day may be called by another date than the platform's."""
    store = desk.runtime.system.store
    await store.execute(
        "UPDATE business_day SET day = day + 1 WHERE holder_id = $1 AND closed_at IS NULL",
        order.merchant_id,
    )
    await sell(desk, order)
    await desk.news()
    (line,) = (await desk.said(OPERATOR, OPS, "/balance")).facts["lines"]
    assert (line["merchant_no"], line["amount_minor"], line["paid"]) == ("M1001", 10_000, 1)


async def test_a_suppliers_group_hears_of_its_own_side(desk: Desk, order: Order) -> None:
    await sell(desk, order)
    await desk.news()
    for user_id in (ZHAO, ADMIN):
        shown = await desk.said(user_id, HENGTONG, "查询余额")
        assert (shown.screen, shown.facts["supplier_no"]) == ("supplier_balance", "S01")
        assert (shown.facts["owed_minor"], shown.facts["amount_minor"]) == (9_935, 10_000)
        text = read_html(render_say(shown, "zh").html)
        assert "M1001" not in text
        rates = await desk.said(user_id, HENGTONG, "产品费率")
        assert (rates.screen, rates.facts["supplier_no"]) == ("supplier_rates", "S01")
        assert "C01" in [line["channel_no"] for line in rates.facts["lines"]]
        assert "0.65%" in read_html(render_say(rates, "zh").html)
    for text in ("/balance M1001", "/rates M1001"):
        refused = one_say(await desk.say(ZHAO, HENGTONG, text))
        assert refused.facts["code"] == "merchant_not_found"


def test_what_is_left_is_a_share_of_what_was_advanced() -> None:
    def left(balance: int, advanced: int) -> int | None:
        return MerchantStands("M1", "x", balance, advanced, 0, 0).left_percent

    assert [left(-1_999, 10_000), left(-10_000, 10_000), left(5, 10_000)] == [19, 100, 0]
    assert left(-5, 0) is None
