"""Rates and costs in conversation: read, set, charged anew; and who hears of what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier, format_tariff
from core.parties.merchants import App, Merchant
from core.trade.orders import Order, PaymentSeen, get_attempts
from handlers.commands import parse
from handlers.kit.intents import Usage
from handlers.kit.vocabulary import tariff_words
from handlers.rates.words import Rerate, SetCost, SetRate, Since, first_day
from handlers.screens import render_say
from tests.core.support import set_setting
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
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
from texts.days import DaySpan, Mark, NoSuchDay
from texts.tariffs import parse_tariff

Shop = tuple[Merchant, App]
ONE_DAY = DaySpan(Mark(2026, 12, 1), Mark(2026, 12, 1))
TEN_DAYS = DaySpan(Mark(2026, 11, 1), Mark(2026, 11, 10))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("设置费率 alipay_qr 1.2%", SetRate("alipay_qr", "1.2%")),
        ("设置费率M1001 Alipay_QR １．２％", SetRate("alipay_qr", "1.2%", None, "M1001")),
        ("/rate m1001 alipay_qr 1.2 from 2026-12-01",
         SetRate("alipay_qr", "1.2", ONE_DAY, "M1001")),
        ("设置费率 alipay_qr 1.2%从2026-12-01起", SetRate("alipay_qr", "1.2%", ONE_DAY)),
        ("设置费率 alipay_qr 1.2% 自 明天", SetRate("alipay_qr", "1.2%", "tomorrow")),
        ("/rate alipay_qr 1.2% from Tomorrow", SetRate("alipay_qr", "1.2%", "tomorrow")),
        ("/rate alipay_qr 月 1.2%\n>=1000: 1% from today",
         SetRate("alipay_qr", "月 1.2% >=1000: 1%", "today")),
        ("/rate alipay_qr 1.2% from 2026-13-01",
         SetRate("alipay_qr", "1.2%", NoSuchDay("2026-13-01"))),
        ("/rate alipay_qr 1.2% from then", SetRate("alipay_qr", "1.2%", NoSuchDay("then"))),
        ("/rate alipay_qr 1.2% from", SetRate("alipay_qr", "1.2%", NoSuchDay("…"))),
        ("/rate", Usage("rate")),
        ("/rate alipay_qr", Usage("rate")),
        ("/rate 1.2%", Usage("rate")),
        ("/rate alipay_qr from tomorrow", Usage("rate")),
        ("设置费率", Usage("rate")),
        ("设置费率怎么弄", None),
        ("设置成本 c01 0.65%", SetCost("C01", "0.65%")),
        ("/cost C01 0.65% + 0.1 从 2026-12-01", SetCost("C01", "0.65% + 0.1", ONE_DAY)),
        ("/cost 0.65%", Usage("cost")),
        ("/cost C01", Usage("cost")),
        ("重算费率 alipay_qr 1.1% 2026-11-01~2026-11-10", Rerate("alipay_qr", "1.1%", TEN_DAYS)),
        ("/rerate M1001 alipay_qr 1.1% + 1 2026-11-01 to 2026-11-10",
         Rerate("alipay_qr", "1.1% + 1", TEN_DAYS, "M1001")),
        ("/rerate alipay_qr 2026-11-01 ~ 2026-11-10", Rerate("alipay_qr", "", TEN_DAYS)),
        ("重算费率 alipay_qr 1.1% 昨日", Rerate("alipay_qr", "1.1%", "yesterday")),
        ("/rerate alipay_qr 1.1%", Usage("rerate")),
        ("/rerate 2026-11-01", Usage("rerate")),
        ("/rerate", Usage("rerate")),
    ],
)  # fmt: skip
def test_what_is_understood(text: str, intent: object) -> None:
    assert parse(text) == intent


@given(
    st.sampled_from(["/rate ", "设置费率 ", "/cost ", "/rerate ", "重算费率 "]),
    st.text(max_size=40),
)
def test_whatever_follows_is_understood_or_not(command: str, tail: str) -> None:
    parse(command + tail)
    parse(f"{command}M1001 alipay_qr {tail}")


@pytest.mark.parametrize(
    ("since", "day"),
    [
        (None, None), ("today", None), ("tomorrow", date(2026, 11, 22)),
        ("yesterday", date(2026, 11, 20)), (ONE_DAY, date(2026, 12, 1)),
        (DaySpan(Mark(None, 12, 1), Mark(None, 12, 1)), date(2026, 12, 1)),
        (DaySpan(Mark(None, 11, 21), Mark(None, 11, 21)), date(2026, 11, 21)),
        (DaySpan(Mark(None, 11, 20), Mark(None, 11, 20)), date(2027, 11, 20)),
        (DaySpan(Mark(None, 2, 29), Mark(None, 2, 29)), date(2028, 2, 29)),
        (DaySpan(Mark(2026, 12, None), Mark(2026, 12, None)), date(2026, 12, 1)),
        (TEN_DAYS, "date_invalid"), (NoSuchDay("then"), "date_invalid"),
    ],
)  # fmt: skip
def test_from_when(since: Since, day: date | str | None) -> None:
    today = date(2026, 11, 21)
    if isinstance(day, str):
        with pytest.raises(Refusal) as error:
            first_day(since, today)
        assert error.value.code == day
    else:
        assert first_day(since, today) == day


def test_a_tariff_can_be_sent_back_as_it_is_shown() -> None:
    tariff = Tariff((Tier(0, Rate(12000, 10, 5, 5000)), Tier(100_000, Rate(10000))), "volume")
    text = format_tariff(tariff, "CNY")
    assert tariff_words(text, "en") == text
    shown = tariff_words(text, "zh")
    assert shown == "月跑量 1.2% + 0.10 最低 0.05 最高 50; >=1000: 1%"
    assert parse_tariff(shown, "CNY") == tariff


async def test_a_rate_is_set_and_shown_with_its_days(desk: Desk, shop: Shop) -> None:
    merchant, _ = shop
    today = merchant.day_cut.day_of(desk.runtime.system.clock.now())
    later = today + timedelta(days=10)
    said = await desk.said(ADMIN, SPRUCE, f"设置费率 alipay_qr 1% 从 {later}")
    assert said.screen == "rate_set"
    assert (said.facts["before"], said.facts["after"]) == ("1.2%", "1%")
    assert (said.facts["since"], said.facts["from_now"]) == (str(later), False)
    message = desk.message(OWNER, OPS, text="/rate M1001 alipay_qr 月 1.1% min 0.05; >=1万: 0.9%")
    await desk.feed(message=message)
    said = one_say(await desk.news())
    assert said.facts["after"] == "volume 1.1% min 0.05; >=10000: 0.9%"
    assert (said.facts["later"], said.facts["later_since"]) == ("1%", str(later))
    await desk.feed(message=message)  # delivered twice, obeyed once
    assert await desk.news() == []
    store = desk.runtime.system.store
    assert await store.fetchval("SELECT count(*) FROM tariff WHERE actor LIKE 'telegram:%'") == 2
    assert await store.fetchval("SELECT count(*) FROM audit WHERE action = 'rate_set'") == 2

    rates = await desk.said(SUQING, SPRUCE, "产品费率")
    (line,) = (line for line in rates.facts["lines"] if line["code"] == "alipay_qr")
    assert line["tariff"] == "volume 1.1% min 0.05; >=10000: 0.9%"
    assert (line["since"], line["coming_tariff"]) == (str(today), "1%")
    text = render_say(rates, "zh").html
    assert "月跑量 1.1% 最低 0.05; &gt;=10000: 0.9%" in text
    assert "退款不扣减" in text
    assert str(later) in text
    theirs = await desk.said(BEN, NORTHWIND, "/rates")
    assert {line["coming_tariff"] for line in theirs.facts["lines"]} == {""}


REFUSED = (
    (SUQING, SPRUCE, "设置费率 alipay_qr 0.1%", "not_permitted"),
    (FINANCE, OPS, "/rate M1001 alipay_qr 0.1%", "not_permitted"),
    (OPERATOR, OPS, "重算费率 M1001 alipay_qr 0.1% 昨日", "not_permitted"),
    (OPERATOR, OPS, "设置成本 C01 0.1%", "not_permitted"),
    (BEN, NORTHWIND, "产品费率 M1001", "merchant_not_found"),
    (ADMIN, NORTHWIND, "/rate M1001 alipay_qr 1%", "merchant_not_found"),
    (ADMIN, NORTHWIND, "/rerate M1001 alipay_qr 1% 2026-11", "merchant_not_found"),
    (ADMIN, OPS, "/rate alipay_qr 1%", "merchant_needed"),
    (ADMIN, HENGTONG, "/rate alipay_qr 1%", "merchant_not_here"),
    (ADMIN, NEW, "/rate alipay_qr 1%", "group_not_bound"),
    (ADMIN, SPRUCE, "/rate alipay_qr cheap", "tariff_invalid"),
    (ADMIN, SPRUCE, "/rate alipay_qr 1.23456%", "tariff_invalid"),
    (ADMIN, SPRUCE, "/rate gold 1%", "product_not_found"),
    (ADMIN, SPRUCE, "/rate alipay_qr 1% from 2026-01-01", "tariff_in_the_past"),
    (ADMIN, SPRUCE, "/rate alipay_qr 1% from 2026-02-30", "date_invalid"),
    (ADMIN, SPRUCE, "重算费率 alipay_qr 1% 2026-02-30", "date_invalid"),
    (ADMIN, SPRUCE, "重算费率 gold 1% 昨日", "product_not_found"),
    (ADMIN, SPRUCE, "重算费率 alipay_qr 1% 昨日", "rerate_nothing"),
    (ADMIN, SPRUCE, "设置成本 C01 0.6%", "cost_not_here"),
    (ADMIN, HENGTONG, "设置成本 C01 0.6%", "cost_not_here"),
    (ADMIN, OPS, "设置成本 C99 0.6%", "channel_not_found"),
    (ADMIN, OPS, "设置成本 C01 月 0.6%", "tariff_invalid"),
    (ADMIN, OPS, "设置成本 C01 0.6% 从 2026-01-01", "cost_in_the_past"),
)


async def test_refusals_write_nothing(desk: Desk) -> None:
    for user_id, chat_id, text, code in REFUSED:
        said = await desk.said(user_id, chat_id, text)
        assert (said.screen, said.facts["code"]) == ("refusal", code), text
        assert (said.only_for is not None) == (code in ("not_permitted", "cost_not_here")), text
        shown = render_say(said, "zh").html
        if code == "tariff_in_the_past":
            assert "重算费率 M1001 alipay_qr 1% 2026-01-01~" in shown
        if code == "tariff_invalid" and "cheap" in text:
            assert "这一部分无法识别" in shown
    for table in ("tariff", "channel_tariff"):
        assert not await desk.runtime.system.store.fetchval(
            f"SELECT count(*) FROM {table} WHERE actor LIKE 'telegram:%'"
        )


async def test_a_cost_is_set_among_staff(desk: Desk, shop: Shop) -> None:
    await set_setting(desk.runtime, "below_cost_second", value=False)  # of 1.00 it is a loss
    today = (await desk.runtime.supply.channels.costs("C01")).today
    later = today + timedelta(days=3)
    said = await desk.said(ADMIN, OPS, f"设置成本 C01 0.6% + 0.1 从 {later}")
    assert (said.facts["before"], said.facts["after"]) == ("0.65%", "0.6% + 0.10")
    said = await desk.said(OWNER, OWNER, "/cost c01 0.5%; >=1000: 0.4%")  # in private
    assert (said.facts["before"], said.facts["later"]) == ("0.65%", "0.6% + 0.10")
    said = await desk.said(OWNER, OWNER, f"/cost c01 0.7% from {later + timedelta(days=1)}")
    assert (said.facts["before"], said.facts["later"]) == ("0.6% + 0.10", "")
    cost = await desk.runtime.supply.channels.costs("C01")
    assert format_tariff(cost.cost, "CNY") == "0.5%; >=1000: 0.4%"
    assert await desk.runtime.system.store.fetchval(
        "SELECT count(*) FROM cause WHERE holder_id = $1", HOUSE
    ) == 3  # fmt: skip


async def test_past_orders_are_charged_anew_when_it_is_confirmed(desk: Desk, order: Order) -> None:
    (attempt,) = (await get_attempts(desk.runtime.system.store, order.merchant_id, order.id))[:1]
    seen = PaymentSeen(order.merchant_id, attempt.attempt_no, "U1", order.amount, "reported")
    await desk.runtime.trade.payments.settle_payment(seen, request_id="test")
    await desk.news()
    question = await desk.said(ADMIN, SPRUCE, "重算费率 alipay_qr 1.1% 今日")
    assert (question.screen, question.facts["question"]["difference_minor"]) == (
        "rerate_question",
        -10,
    )
    assert "+0.10 CNY" in render_say(question, "zh").html
    yes, no = button_data(question), button_data(question, 1)
    assert await desk.press(OWNER, SPRUCE, yes) == []
    assert desk.line.answers[-1].show_alert
    receipt = one_say(await desk.press(ADMIN, SPRUCE, yes, message_id=90))
    assert (receipt.screen, receipt.edit_message_id) == ("rerated", 90)
    assert receipt.facts["booked_on"] in render_say(receipt, "en").html
    assert await desk.press(ADMIN, SPRUCE, yes, message_id=90) == []
    assert await desk.press(ADMIN, SPRUCE, no, message_id=90) == []
    again = await desk.said(ADMIN, SPRUCE, "重算费率 alipay_qr 1.1% 今日")
    assert again.facts["code"] == "rerate_nothing"
    back = await desk.said(ADMIN, OPS, "重算费率 M1001 alipay_qr 今日")
    asked = back.facts["question"]
    assert (asked["tariff_text"], asked["difference_minor"]) == ("1.2%", 10)
    dropped = one_say(await desk.press(ADMIN, OPS, button_data(back, 1), message_id=91))
    assert (dropped.screen, dropped.edit_message_id) == ("rerate_dropped", 91)


async def test_a_changed_cut_does_not_change_which_day_is_open(desk: Desk, shop: Shop) -> None:
    merchant, _ = shop
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    today = await desk.runtime.reports.bills.open_day(merchant.id)
    theirs = await desk.runtime.reports.bills.open_day(supplier.id)
    # Far in the west it is still yesterday, or in the east tomorrow already, for many hours.
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await desk.said(ADMIN, SPRUCE, f"时区 {zone}")
        await desk.said(ADMIN, HENGTONG, f"时区 {zone}")
        said = await desk.said(ADMIN, SPRUCE, f"/rate alipay_qr 1% 从 {today}")
        assert (said.screen, said.facts["since"]) == ("rate_set", str(today))
        said = await desk.said(ADMIN, SPRUCE, "/rate alipay_qr 1% 从 明天")
        assert said.facts["since"] == str(today + timedelta(days=1))
        said = await desk.said(ADMIN, OPS, "/cost C01 0.6%")
        assert (said.facts["since"], said.facts["from_now"]) == (str(theirs), True)
        said = await desk.said(ADMIN, OPS, "/cost C01 0.7% from tomorrow")
        assert said.facts["since"] == str(theirs + timedelta(days=1))
