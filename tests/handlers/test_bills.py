from __future__ import annotations

from datetime import date, timedelta

from core.outbox import Bill
from tests.handlers.desk import (
    BEN,
    HENGTONG,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    SUQING,
    ZHAO,
    Desk,
    one_say,
)  # fmt: skip


def one_bill(facts: list[object]) -> Bill:
    (fact,) = facts
    assert isinstance(fact, Bill)
    return fact


async def test_bills_of_today_yesterday_and_a_day(desk: Desk) -> None:
    merchant = await desk.runtime.merchants.by_no("M1001")
    today = await desk.runtime.bills.open_day(merchant)
    wanted = {
        "今日账单": today, "/bill": today, "昨日账单": today - timedelta(days=1),
        "账单 2026-11-01": date(2026, 11, 1), "/bill 2026-11-01 M1001": date(2026, 11, 1),
    }  # fmt: skip
    for text, day in wanted.items():
        bill = one_bill(list(await desk.say(SUQING, SPRUCE, text)))
        assert (bill.merchant_id, bill.day) == (str(merchant.id), day.isoformat())
        assert bill.reply_to == desk.message_id


async def test_only_the_groups_own_merchant(desk: Desk) -> None:
    assert (await desk.said(BEN, NORTHWIND, "账单 M1001")).facts["code"] == "merchant_not_found"
    assert one_bill(list(await desk.say(OPERATOR, OPS, "账单 M1001"))).reply_to
    assert (await desk.said(OPERATOR, OPS, "账单")).facts["code"] == "group_not_bound"
    assert (await desk.said(ZHAO, HENGTONG, "账单 M1001")).facts["code"] == "not_permitted"


async def test_bill_buttons(desk: Desk) -> None:
    merchant = await desk.runtime.merchants.by_no("M1001")
    today = await desk.runtime.bills.open_day(merchant)
    data = f"bill:{merchant.id.hex}:yesterday"
    edit = one_bill(list(await desk.press(SUQING, SPRUCE, data, message_id=40)))
    assert edit.edit_message_id == 40
    assert edit.day == (today - timedelta(days=1)).isoformat()
    fresh = one_bill(list(await desk.press(SUQING, SPRUCE, data + ":new", message_id=40)))
    assert (fresh.edit_message_id, fresh.reply_to) == (None, 40)
    assert await desk.press(BEN, NORTHWIND, data) == []
    dated = one_bill(list(await desk.press(SUQING, SPRUCE, f"bill:{merchant.id.hex}:20261101")))
    assert dated.day == "2026-11-01"


async def test_two_merchants_get_a_bill_each(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert len(await desk.say(SUQING, SPRUCE, "今日账单")) == 2
    refusal = one_say(await desk.say(OPERATOR, SPRUCE, "+1000"))
    assert refusal.facts["code"] == "merchant_ambiguous"


async def test_history_balance_rates_help(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "+1000\n+500 房租")
    history = await desk.said(SUQING, SPRUCE, "预付历史")
    assert (history.facts["count"], history.facts["sum_minor"]) == (2, 150_000)
    balance = await desk.said(SUQING, SPRUCE, "查询余额")
    assert balance.facts["balance_minor"] == -150_000
    rates = await desk.said(SUQING, SPRUCE, "产品费率")
    assert {line["code"] for line in rates.facts["lines"]} == {"alipay_qr", "wechat_qr", "bank_web"}
    assert (await desk.said(SUQING, SPRUCE, "帮助")).facts["rights"] == ["look_up", "read_money"]
    assert (await desk.said(OPERATOR, OPERATOR, "/start")).facts["kind"] == "private"
