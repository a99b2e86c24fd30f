from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal

import pytest

from bot.painter import Painter
from core.delivery.outbox import Bill, DeskBill, Fact
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.trade.orders import ByHand, Order
from handlers.bills.buttons import OtherVouchers, TurnCompleted, TurnVouchers
from handlers.kit.day_buttons import TurnBill
from handlers.screens import render_say
from tests.core.support import completing, nothing
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
    button_data,
    one_say,
)


def one(facts: list[Fact]) -> Any:
    (fact,) = facts
    return fact


async def code(desk: Desk, user_id: int, chat_id: int, text: str) -> str:
    """The refusal that this is answered with."""
    return str((await desk.said(user_id, chat_id, text)).facts["code"])


async def test_bills_of_days_and_of_ranges(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    today = await desk.runtime.reports.bills.open_day(merchant.id)
    yesterday, month = today - timedelta(days=1), today.replace(day=1)
    before = Days.month(month - timedelta(days=1))
    wanted = {
        "今日账单": (today, today), "/bill": (today, today), "昨日账单": (yesterday, yesterday),
        "本月账单": (month, today), "上月账单": (before.first, before.last),
        "账单 2026-11-01": (date(2026, 11, 1), date(2026, 11, 1)),
        "/bill 2026-10 M1001": (date(2026, 10, 1), date(2026, 10, 31)),
        "账单 2026-11-01~2026-11-20": (date(2026, 11, 1), date(2026, 11, 20)),
    }  # fmt: skip
    for text, (first, last) in wanted.items():
        bill = one(await desk.say(SUQING, SPRUCE, text))
        assert bill == Bill(
            str(merchant.id), first.isoformat(), last.isoformat(), reply_to=desk.message_id
        )
    yearless = one(await desk.say(SUQING, SPRUCE, f"账单 {yesterday:%m-%d}"))
    assert yearless.first == yesterday.isoformat()


async def test_days_that_cannot_be_are_refused_for_all_to_see(desk: Desk) -> None:
    for text, refusal in (
        ("账单 2026-02-30", "date_invalid"), ("账单 02-30", "date_invalid"),
        ("/bill 2026-11-20~2026-11-01", "range_reversed"),
        ("/bill 2024-01-01~2026-11-01", "range_too_long"),
        ("预付明细 2026-13-01", "date_invalid"), ("/prepaid 11-20~11-01", "range_reversed"),
    ):  # fmt: skip
        said = await desk.said(SUQING, SPRUCE, text)
        assert (said.facts["code"], said.only_for) == (refusal, None)


async def test_only_what_may_be_seen(desk: Desk) -> None:
    assert await code(desk, BEN, NORTHWIND, "账单 M1001") == "merchant_not_found"
    assert await code(desk, ZHAO, HENGTONG, "账单 M1001") == "merchant_not_found"
    assert await code(desk, SUQING, SPRUCE, "账单 S01") == "supplier_not_found"
    assert await code(desk, ZHAO, HENGTONG, "账单 S02") == "supplier_not_found"
    assert await code(desk, OPERATOR, NEW, "账单") == "group_not_bound"
    assert await code(desk, OPERATOR, OPS, "账单 M9999") == "merchant_not_found"
    assert await code(desk, OPERATOR, OPS, "账单 S99") == "supplier_not_found"
    assert await desk.say(STRANGER, OPS, "账单") == []
    assert one(await desk.say(OPERATOR, OPS, "账单 M1001")).reply_to


async def test_the_platforms_bill_is_finances(desk: Desk) -> None:
    today = (await desk.runtime.reports.bills.open_day(HOUSE)).isoformat()
    for chat_id in (OPS, FINANCE):
        found = one(await desk.say(FINANCE, chat_id, "今日账单"))
        assert found == DeskBill(today, today, reply_to=desk.message_id, currency="CNY")
    assert await code(desk, FINANCE, OPS, "账单 USDT") == "currency_not_here"
    await desk.say(OPERATOR, SPRUCE, "+100u/7.2")
    handed_out = one(await desk.say(FINANCE, OPS, "账单 USDT"))
    assert (handed_out.supplier_id, handed_out.currency) == (None, "USDT")
    for user_id in (OPERATOR, SUPPORT):
        assert await code(desk, user_id, OPS, "账单") == "not_permitted"
    assert one(await desk.say(ADMIN, ADMIN, "/bill M1001")).merchant_id
    data = TurnBill("p", HOUSE, "yesterday").data()
    turned = one(await desk.press(FINANCE, OPS, data, message_id=40))
    assert (turned.supplier_id, turned.edit_message_id) == (None, 40)
    for user_id, chat_id in ((OPERATOR, OPS), (FINANCE, SPRUCE), (SUQING, SPRUCE)):
        assert await desk.press(user_id, chat_id, data) == []


async def test_a_suppliers_people_read_its_bill(desk: Desk) -> None:
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    for user_id, chat_id, text in (
        (ZHAO, HENGTONG, "账单"), (FINANCE, HENGTONG, "/bill"), (FINANCE, OPS, "账单 S01"),
        (SUPPORT, SUPPORT, "/bill s01"),
    ):  # fmt: skip
        bill = one(await desk.say(user_id, chat_id, text))
        assert isinstance(bill, DeskBill)
        assert bill.supplier_id == str(supplier.id)
    data = TurnBill("s", supplier.id, "this_month").data()
    assert one(await desk.press(ZHAO, HENGTONG, data)).first.endswith("-01")
    assert await desk.press(SUQING, SPRUCE, data) == []
    history = await desk.said(ZHAO, HENGTONG, "/prepaid")
    assert (history.facts["holder"], history.facts["count"]) == ("s", 0)


async def test_bill_buttons(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    today = await desk.runtime.reports.bills.open_day(merchant.id)
    data = TurnBill("m", merchant.id, "yesterday").data()
    edit = one(await desk.press(SUQING, SPRUCE, data, message_id=40))
    assert edit.edit_message_id == 40
    assert edit.first == edit.last == (today - timedelta(days=1)).isoformat()
    fresh = one(await desk.press(SUQING, SPRUCE, data + ":new", message_id=40))
    assert (fresh.edit_message_id, fresh.reply_to) == (None, 40)
    month = one(await desk.press(SUQING, SPRUCE, data.replace("yesterday", "this_month")))
    assert (month.first, month.last) == (today.replace(day=1).isoformat(), today.isoformat())
    week = one(await desk.press(SUQING, SPRUCE, data.replace("yesterday", "last_7")))
    assert (week.first, week.last) == ((today - timedelta(days=6)).isoformat(), today.isoformat())
    assert await desk.press(BEN, NORTHWIND, data) == []
    for bad in (data + ":old", data.replace("yesterday", "tomorrow"), "bill:m:today", "bill:x"):
        assert await desk.press(SUQING, SPRUCE, bad) == []


async def test_two_merchants_get_a_bill_each(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert len(await desk.say(OPERATOR, SPRUCE, "今日账单")) == 2
    (own,) = await desk.say(SUQING, SPRUCE, "今日账单")
    assert isinstance(own, Bill)
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    assert own.merchant_id == str(merchant.id), "M1001's people read no bill of M1002"
    refusal = one_say(await desk.say(OPERATOR, SPRUCE, "+1000"))
    assert refusal.facts["code"] == "merchant_ambiguous"


async def test_prepayments_by_pages(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    await desk.say(OPERATOR, SPRUCE, "\n".join(f"+{100 + n} 第{n}笔" for n in range(12)))
    receipts = await desk.say(OPERATOR, SPRUCE, "+100u/7.2")
    await desk.press(OPERATOR, SPRUCE, button_data(one_say(receipts)))
    history = await desk.said(SUQING, SPRUCE, "预付历史")
    facts = history.facts
    assert (facts["page"], facts["pages"], facts["count"]) == (1, 2, 13)
    assert facts["sum_minor"] == sum(100 + n for n in range(12)) * 100
    assert len(facts["lines"]) == 10
    undone = facts["lines"][0]
    assert (undone["undone_by"], undone["conversion_rate"]) == ("王浩", "7.2")
    next_page = button_data(history)
    turned = one_say(await desk.press(SUQING, SPRUCE, next_page, message_id=55))
    assert (turned.edit_message_id, turned.facts["page"]) == (55, 2)
    assert [line["remark"] for line in turned.facts["lines"]] == ["第2笔", "第1笔", "第0笔"]
    assert await desk.press(BEN, NORTHWIND, next_page) == []
    today = await desk.runtime.reports.bills.open_day(merchant.id)
    beside = TurnVouchers("m", merchant.id, today, today, 1, fresh=True).data()
    detail = one_say(await desk.press(SUQING, SPRUCE, beside, message_id=56))
    assert (detail.edit_message_id, detail.reply_to, detail.facts["count"]) == (None, 56, 13)
    week = one_say(
        await desk.press(
            SUQING, SPRUCE, OtherVouchers("m", merchant.id, "last_7").data(), message_id=55
        )
    )
    assert (week.edit_message_id, week.facts["count"]) == (55, 13)
    assert week.facts["first"] == (today - timedelta(days=6)).isoformat()
    before = one_say(
        await desk.press(SUQING, SPRUCE, OtherVouchers("m", merchant.id, "yesterday").data())
    )
    assert before.facts["count"] == 0
    beyond = TurnVouchers("m", merchant.id, date(2026, 1, 1), date(2026, 12, 31), 999).data()
    assert one_say(await desk.press(SUQING, SPRUCE, beyond)).facts["page"] == 2
    assert await desk.press(SUQING, SPRUCE, beyond.replace(":999", ":0")) == []
    reversed_ = TurnVouchers("m", merchant.id, date(2026, 2, 1), date(2026, 1, 1), 1).data()
    assert await desk.press(SUQING, SPRUCE, reversed_) == []
    assert (await desk.said(OPERATOR, OPS, "预付历史 M1001")).facts["count"] == 13
    assert await code(desk, FINANCE, OPS, "预付历史") == "merchant_needed"


async def test_history_balance_rates_help(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "+1000\n+500 房租")
    history = await desk.said(SUQING, SPRUCE, "预付历史")
    assert (history.facts["count"], history.facts["sum_minor"]) == (2, 150_000)
    balance = await desk.said(SUQING, SPRUCE, "查询余额")
    assert balance.facts["balance_minor"] == -150_000
    rates = await desk.said(SUQING, SPRUCE, "产品费率")
    assert {line["code"] for line in rates.facts["lines"]} == {"alipay_qr", "wechat_qr", "bank_web"}
    rights = (await desk.said(SUQING, SPRUCE, "帮助")).facts["rights"]
    assert rights == ["chase", "look_up", "read_money"]
    assert (await desk.said(OPERATOR, OPERATOR, "/start")).facts["kind"] == "private"


@pytest.mark.parametrize(
    ("user_id", "chat_id", "text", "no"),
    [(ADMIN, SPRUCE, "日切 06:30", "M1001"), (ADMIN, HENGTONG, "/daycut 06:30", "S01"),
     (ADMIN, OPS, "/daycut 06:30", ""), (ADMIN, ADMIN, "日切 06:30 M1001", "M1001")],
)  # fmt: skip
async def test_a_day_cut_counts_from_the_next_day_on(
    desk: Desk, user_id: int, chat_id: int, text: str, no: str
) -> None:
    holder_id = HOUSE
    if no:
        holder = (
            await desk.runtime.parties.merchants.by_no(no)
            if no.startswith("M")
            else await desk.runtime.parties.suppliers.by_no(no)
        )
        holder_id = holder.id
    await desk.runtime.reports.bills.open_day(holder_id)  # days that are over are closed
    query = "SELECT day, ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL"
    before = await desk.runtime.system.store.fetch(query, holder_id)
    said = (await desk.said(user_id, chat_id, text)).facts
    assert (said["holder_no"], said["before"]) == (no, "00:00 Asia/Shanghai")
    assert said["after"] == "06:30 Asia/Shanghai"
    assert await desk.runtime.system.store.fetch(query, holder_id) == before
    (open_day,) = before
    assert datetime.fromisoformat(said["ends_at"]) == open_day["ends_at"]
    later = open_day["ends_at"] + timedelta(hours=30, minutes=30)
    assert datetime.fromisoformat(said["next_ends_at"]) == later
    zone = (await desk.said(user_id, chat_id, f"时区 europe/berlin {no}".strip())).facts
    assert zone["after"] == "06:30 Europe/Berlin"
    again = (await desk.said(user_id, chat_id, f"时区 Europe/Berlin {no}".strip())).facts
    assert again["before"] == again["after"]
    assert (
        await desk.runtime.system.store.fetchval(
            "SELECT count(*) FROM audit WHERE action = 'day_cut'"
        )
        == 2
    )


async def test_day_cuts_that_cannot_be(desk: Desk) -> None:
    for text, refusal in (
        ("日切 25:00", "time_invalid"), ("/daycut 6", "time_invalid"),
        ("/daycut 06:60", "time_invalid"),
        ("时区 Mars/Base", "zone_unknown"), ("/timezone localtime", "zone_unknown"),
        ("/timezone ../../etc/passwd", "zone_unknown"), ("日切 06:00 M9999", "merchant_not_found"),
    ):  # fmt: skip
        assert await code(desk, ADMIN, SPRUCE, text) == refusal
    for user_id in (OPERATOR, FINANCE, SUQING):
        assert await code(desk, user_id, SPRUCE, "日切 06:00") == "not_permitted"
    assert await code(desk, ADMIN, NEW, "日切 06:00") == "group_not_bound"
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert await code(desk, ADMIN, SPRUCE, "日切 06:00") == "merchant_ambiguous"
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    assert str(merchant.day_cut.at) == "00:00:00"
    second = await desk.runtime.parties.suppliers.by_no("S02")
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.bind_supplier(tx, HENGTONG, second.id)
    several = await desk.said(ADMIN, HENGTONG, "日切 06:00")
    assert several.facts["code"] == "supplier_ambiguous"
    assert several.facts["facts"] == {"suppliers": "S01, S02"}


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_details_of_a_bill_are_pressed_by_whoever_may_read_it(
    desk: Desk, order: Order, language: Literal["zh", "en"]
) -> None:
    """Prepayments and completions of its days: for operators, finance, and the merchant's own."""
    runtime = desk.runtime
    await desk.say(OPERATOR, SPRUCE, "+1000")
    by = ByHand("the supplier confirmed it", FINANCE, "周敏", OPS)
    await completing(runtime).complete(
        order.merchant_id, order.id, None, by, request_id="r", also=nothing
    )
    await runtime.people.groups.set_language(SPRUCE, language)
    await desk.news()
    group = await runtime.people.groups.find(SPRUCE)
    bill = Bill(str(order.merchant_id))
    screen, _ = await Painter(runtime).bill(SPRUCE, group, bill, stays=True)
    assert screen.keyboard is not None
    prepaid, completed = screen.keyboard.inline_keyboard[2]
    names = {"zh": ["预付明细", "补单明细"], "en": ["Prepayments", "Completions"]}
    assert [prepaid.text, completed.text] == names[language]
    assert prepaid.callback_data
    assert completed.callback_data
    for user_id in (OPERATOR, FINANCE, SUQING):
        records = one_say(await desk.press(user_id, SPRUCE, prepaid.callback_data, message_id=9))
        assert (records.screen, records.facts["count"]) == ("prepaid_history", 1)
        done = one_say(await desk.press(user_id, SPRUCE, completed.callback_data, message_id=9))
        assert (done.screen, done.facts["count"]) == ("completed_history", 1)
        assert (done.reply_to, done.edit_message_id) == (9, None)
        said = render_say(done, language).html
        assert order.order_no in said
        assert by.reason not in said, "a reason is for staff"
    assert await desk.press(BEN, NORTHWIND, completed.callback_data) == []
    assert await desk.press(ZHAO, HENGTONG, completed.callback_data) == []
    assert await desk.press(STRANGER, SPRUCE, completed.callback_data) == []


async def test_completions_by_pages(desk: Desk, order: Order) -> None:
    today = await desk.runtime.reports.bills.open_day(order.merchant_id)
    none = TurnCompleted(order.merchant_id, today, today, 3)
    page = one_say(await desk.press(SUQING, SPRUCE, none.data(), message_id=55))
    facts = page.facts
    assert (facts["page"], facts["pages"], facts["count"]) == (1, 1, 0)
    assert page.edit_message_id == 55
