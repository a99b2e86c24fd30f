from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people.people import RIGHTS
from handlers.bills.words import SetDayCut, ShowBill, ShowPrepaid
from handlers.calculator.words import Calculate
from handlers.checklist.words import Start
from handlers.commands import COMMANDS, parse
from handlers.desk.words import Help, ShowBalance
from handlers.files.words import Export
from handlers.groups.words import BindMerchant, BindOps, BindSupplier, SetLanguage, ShowInfo, Unbind
from handlers.kit.intents import Changing, Intent, Reading, Usage
from handlers.money.money_lines import AdvanceLine, PhoneLike, Unreadable, Why
from handlers.money.words import (
    Adjust,
    Advances,
    AdvancesFault,
    SetCredit,
    SetUsdtRate,
    ShowCredit,
    ShowUsdtRate,
)
from handlers.orders.numbers import numbers_said
from handlers.orders.words import Complete, LookUp, ShowCompletions
from handlers.people.words import Apply
from handlers.rates.words import ShowRates
from handlers.statistics.words import ShowStatistics
from tests.handlers.support import kinds
from texts.amounts import Typed, fold
from texts.days import DaySpan, Mark, NoSuchDay

NOV_1 = Mark(None, 11, 1)
NUMBER = "P2J0001PQ8WKRZQMHM1I"


ADJUST_FAULTS: tuple[tuple[str, Why], ...] = (
    ("x y", "amount"), ("0 x", "amount"), ("-20 50 x", "remark"), ("-20 -30 x", "remark"),
    ("-20,00 x", "amount"),
)  # fmt: skip


def line(
    amount: str, place: int = 1, *, rate: str | None = None, usdt: bool = False,
    yuan: bool = False, merchant_no: str | None = None, remark: str = "",
) -> AdvanceLine:  # fmt: skip
    typed = Amount(amount, "USDT" if usdt else "CNY" if yuan else "")
    return AdvanceLine(place, typed, Decimal(rate) if rate else None, merchant_no, remark)


class Amount(Typed):
    """An amount that is equal to a typed one of the same value, however that was written."""

    def __init__(self, units: str, currency: str = "") -> None:
        super().__init__("", Decimal(units), currency)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Typed) and (
            (self.units, self.currency) == (other.units, other.currency)
        )

    __hash__ = Typed.__hash__


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("+1000", [line("1000")]),
        ("-1000", [line("-1000")]),
        ("＋１０００", [line("1000")]),
        ("−500", [line("-500")]),
        ("－1,234.50", [line("-1234.50")]),
        ("+1,234,567", [line("1234567")]),
        ("+1.5万", [line("15000")]),
        ("+2千", [line("2000")]),
        ("+3k", [line("3000")]),
        ("+3K 房租", [line("3000", remark="房租")]),
        ("+5万", [line("50000")]),
        ("+10", [line("10")]),
        ("+5.00", [line("5")]),
        ("+100u/7.2", [line("100", usdt=True, rate="7.2")]),
        ("+100u", [line("100", usdt=True)]),
        ("+1万USDT/7.25", [line("10000", usdt=True, rate="7.25")]),
        ("+700/7.2", [line("700", rate="7.2")]),
        ("+1000 M1002", [line("1000", merchant_no="M1002")]),
        ("+1 m1002", [line("1", merchant_no="M1002")]),
        ("+1000 M1002 十一月 房租", [line("1000", merchant_no="M1002", remark="十一月 房租")]),
        ("+1000  备注：首付，已确认", [line("1000", remark="备注：首付，已确认")]),
        ("+1000\n\n-200 退", [line("1000"), line("-200", 3, remark="退")]),
        ("+10,000,000,000", [line("10000000000")]),
        ("+1000元", [line("1000", yuan=True)]),
        ("-20块 退", [line("-20", yuan=True, remark="退")]),
        ("+1.5万元/7.2", [line("15000", yuan=True, rate="7.2")]),
        ("+5元", [line("5", yuan=True)]),
        *(
            (text, [line("10000")])
            for text in (
                "+10 000",
                "+10\u00a0000",
                "+10\u202f000",
                "+10，000",
                "+10'000",
                "+10’000",
                "+一万",
                "+壹萬",
                "+1 万",
                "+1W",
                "+ 10000",
                "➕10000",
                "➕\ufe0f10000",
                "+10000!",
                "+10000。",
                "\u200e+10000\u200b",
                "+10\ufeff000",
                "+１０　０００",
            )
        ),
        ("+1.2萬", [line("12000")]),
        ("+一千", [line("1000")]),
        ("+十五万", [line("150000")]),
        ("+1.5 万 元", [line("15000", yuan=True)]),
        ("–1000", [line("-1000")]),
        ("➖1000", [line("-1000")]),
        ("+1000 ¥", [line("1000", yuan=True)]),
        ("+¥1000", [line("1000", yuan=True)]),
        ("+RMB 1000", [line("1000", yuan=True)]),
        ("+1000圆", [line("1000", yuan=True)]),
        ("+100 u", [line("100", usdt=True)]),
        ("+100 USDT", [line("100", usdt=True)]),
        ("+3ku", [line("3000", usdt=True)]),
        ("+100 u/7.215", [line("100", usdt=True, rate="7.215")]),
        ("+1 000 M1002 房租", [line("1000", merchant_no="M1002", remark="房租")]),
        ("+1000，谢谢", [line("1000", remark="谢谢")]),
        ("+1000（房租）", [line("1000", remark="（房租）")]),
    ],
)
def test_money(text: str, lines: list[AdvanceLine]) -> None:
    found = parse(text)
    assert isinstance(found, Advances)
    assert list(found.lines) == lines
    assert not found.explicit


@pytest.mark.parametrize(
    "text",
    [
        "+1", "+9", "-3", "＋１", "+1 同意", "+1 me too", "收到+1", "好的 +1000", "+abc", "+", "-",
        "+1?", "+3楼", "+2 -500", "+一", "+一个", "+ 1", "- a\n- b", "- 10 a\n- 20 b",
        "-- a", "1000", "+3/4", "hello",
        "", " ", "\n", "😀", "账单发我一下", "补单 一下", "查单 谢谢", "绑定商户吧", "帮助我", "/",
        "/ ", "/unknown", "//", "?吗", "+1 (415) 555", "这单怎么还没到",
    ],
)  # fmt: skip
def test_talk(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("+1e9", Unreadable(1, "+1e9", "amount")),
        ("+1.5E3 x", Unreadable(1, "+1.5E3 x", "amount")),
        ("+100u/0", Unreadable(1, "+100u/0", "rate")),
        ("+0.00", Unreadable(1, "+0.00", "amount")),
        ("+1,00", Unreadable(1, "+1,00", "amount")),
        ("+1万5", Unreadable(1, "+1万5", "amount")),
        ("+10 00", Unreadable(1, "+10 00", "remark")),
        *(
            (text, Unreadable(1, text, "amount"))
            for text in ("+1,5", "+5块5", "+1000,", "+1.000.000")
        ),
        *(
            (text, Unreadable(1, text, "remark"))
            for text in (
                "+1000 -500",
                "+1000 / 7.2",
                "+100 u / 7.2",
                "+1000 500",
                "+1000 M1001 500",
                "+1000 × 2",
                "+1000 = 7",
                "+1000 (500)",
                "+1000 @7.2",
                "+10 分钟",
                "+10 20 30",
            )
        ),
        *(
            (text, Unreadable(1, text, "blank"))
            for text in ("+1000元房租", "+1000 万科", "+1000 元旦")
        ),
        *(
            (text, Unreadable(1, text, "question", aside=True))
            for text in (
                "+1000?",
                "+1000 ？",
                "+1000吗",
                "+1000 收到了吗",
                "+1000 收到了吗 谢谢",
                "+1000 呢",
                "+1000 到账没有",
                "+1000 怎么还没到",
                "+1000 did you get it",
                "+10.000 ok?",
            )
        ),
        *(
            (text, Unreadable(1, text, "blank", aside=True))
            for text in (
                "+10分钟",
                "+1000房租",
                "- 1000",
                "- 1000 apples",
                "+ 1000 apples",
                "+一万个赞",
            )
        ),
        *(
            (text, Unreadable(1, text, "amount", aside=True))
            for text in ("+100%", "+10:30", "+-1000", "-- 1000", "+一万五", "+十零万")
        ),
        ("+1..5", Unreadable(1, "+1..5", "amount")),
        ("+100/", Unreadable(1, "+100/", "amount")),
        ("+13800138000", PhoneLike(1, "+13800138000")),
        ("+8613800138000 张三", PhoneLike(1, "+8613800138000 张三")),
        ("+86 138 0013 8000", PhoneLike(1, "+86 138 0013 8000")),
        ("+852-9123-4567", PhoneLike(1, "+852-9123-4567")),
        ("-12345678901", PhoneLike(1, "-12345678901")),
        ("+1000\n好的", Unreadable(2, "好的", "line")),
        ("今天的：\n+1000", Unreadable(1, "今天的：", "line")),
        ("+1000\n+1,00", Unreadable(2, "+1,00", "amount")),
        ("+1000\n+13800138000", PhoneLike(2, "+13800138000")),
        ("+1000\n+1", Unreadable(2, "+1", "line")),
        ("\n".join(["+10"] * 21), Unreadable(21, "", "too_many")),
    ],
)
def test_money_that_cannot_be_booked(text: str, fault: Unreadable | PhoneLike) -> None:
    assert parse(text) == AdvancesFault(fault)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("/prepay 1000", Advances((line("1000"),), explicit=True)),
        ("/prepay +5", Advances((line("5"),), explicit=True)),
        ("/prepay -5 M1002 x", Advances((line("-5", merchant_no="M1002", remark="x"),), True)),
        ("/prepay 13800138000", Advances((line("13800138000"),), explicit=True)),
        ("/prepay", Usage("prepay")),
        ("/prepay 1000\n/prepay 1000", Usage("prepay")),
        ("/prepay abc", AdvancesFault(Unreadable(1, "abc", "amount"), sure=True)),
        ("/prepay 1,00", AdvancesFault(Unreadable(1, "1,00", "amount"), sure=True)),
        ("/prepay\u00a010\u202f000", Advances((line("10000"),), explicit=True)),
        ("\u200e/prepay - 5\u200b", Advances((line("-5"),), explicit=True)),
        ("/prepay 一", Advances((line("1"),), explicit=True)),
        ("/prepay 1000 ok?", AdvancesFault(Unreadable(1, "1000 ok?", "question"), sure=True)),
        ("/bind M1001", BindMerchant("M1001")),
        ("/BIND@Paydesk_Bot m1001", BindMerchant("M1001")),
        ("/bind@other_bot M1001", None),
        ("绑定商户 M1001", BindMerchant("M1001")),
        ("绑定商户M1001", BindMerchant("M1001")),
        ("绑定商户　Ｍ１００１", BindMerchant("M1001")),
        ("/bind", Usage("bind")),
        ("/bind S01", Usage("bind")),
        ("绑定商户", Usage("bind")),
        ("/bind_supplier s01", BindSupplier("S01")),
        ("绑定供应商 S01", BindSupplier("S01")),
        ("/bind_ops", BindOps()),
        ("绑定管理群", BindOps()),
        ("/unbind", Unbind()),
        ("解绑", Unbind()),
        ("/info", ShowInfo()),
        ("群信息", ShowInfo()),
        (NUMBER, LookUp(numbers_said(NUMBER), talk=True)),
        (f"{NUMBER}\nSHOP-12345", LookUp(numbers_said(f"{NUMBER} SHOP-12345"), talk=True)),
        (f"/order {NUMBER}", LookUp(numbers_said(NUMBER))),
        (f"查单 {NUMBER}", LookUp(numbers_said(NUMBER))),
        (f"查单{NUMBER}", LookUp(numbers_said(NUMBER))),
        ("查单", LookUp(())),
        ("/order ???", Usage("order")),
        ("/bill", ShowBill("today")),
        ("/bill S01", ShowBill("today", "S01")),
        ("/bill usd", ShowBill("today", None, "USD")),
        ("账单 ＵＳＤ 11-01~11-20", ShowBill(DaySpan(NOV_1, Mark(None, 11, 20)), None, "USD")),
        ("本月账单 KWD", ShowBill("this_month", None, "KWD")),
        ("/bill USD CNY", Usage("bill")),
        ("/bill ABC", Usage("bill")),
        ("账单 人民币", None),
        ("/prepaid USD", Usage("prepaid")),
        ("/balance USD", Usage("balance")),
        ("导出 USDT csv M1001", Export("csv", "today", number="M1001", currency="USDT")),
        ("图表 JPY", Export("chart", "today", currency="JPY")),
        ("/export EUR EUR", Usage("export")),
        ("今日跑量 KWD", ShowStatistics("volume", None, "KWD")),
        ("/stats S01 usd", ShowStatistics("stats", "S01", "USD")),
        ("/success USD 2026-11", Usage("success")),
        ("/bill 2026-11", ShowBill(DaySpan(Mark(2026, 11, None), Mark(2026, 11, None)))),
        ("账单 11-01 至 11-20 M1001", ShowBill(DaySpan(NOV_1, Mark(None, 11, 20)), "M1001")),
        ("账单11月1日", ShowBill(DaySpan(NOV_1, NOV_1))),
        ("账单 11月1日的呢", None),
        ("本月账单", ShowBill("this_month")),
        ("上月账单 M1001", ShowBill("last_month", "M1001")),
        ("/bill last month", ShowBill("last_month")),
        ("/bill M1001 M1002", Usage("bill")),
        ("/bill hello", Usage("bill")),
        ("/bill 11-01~02-30", ShowBill(NoSuchDay("02-30"))),
        ("账单 2026-02-30", ShowBill(NoSuchDay("2026-02-30"))),
        ("账单", ShowBill("today")),
        ("今日账单", ShowBill("today")),
        ("昨日账单", ShowBill("yesterday")),
        ("昨日账单 M1002", ShowBill("yesterday", "M1002")),
        ("账单 2026-11-01", ShowBill(DaySpan(Mark(2026, 11, 1), Mark(2026, 11, 1)))),
        ("账单 昨天", ShowBill("yesterday")),
        ("/bill yesterday M1001", ShowBill("yesterday", "M1001")),
        ("/bill 2026-13-01", ShowBill(NoSuchDay("2026-13-01"))),
        ("/prepaid", ShowPrepaid("today")),
        ("预付历史", ShowPrepaid("today")),
        ("预付明细 11-01~11-20", ShowPrepaid(DaySpan(NOV_1, Mark(None, 11, 20)))),
        ("今日跑量", ShowStatistics("volume")),
        ("/volume M1001", ShowStatistics("volume", "M1001")),
        ("成功率", ShowStatistics("success")),
        ("成功率怎么这么低", None),
        ("/success S01", ShowStatistics("success", "S01")),
        ("实时统计", ShowStatistics("stats")),
        ("/stats 2026-11-01", Usage("stats")),
        ("日切 06:00", SetDayCut("time", "06:00")),
        ("/daycut 25:00 M1001", SetDayCut("time", "25:00", "M1001")),
        ("日切时间是几点", None),
        ("/daycut", Usage("daycut")),
        ("时区 Europe/Berlin", SetDayCut("zone", "Europe/Berlin")),
        ("/timezone Asia/Shanghai S01", SetDayCut("zone", "Asia/Shanghai", "S01")),
        ("/timezone 06:00 to 07:00", Usage("timezone")),
        ("/balance S01", Usage("balance")),
        (f"补单 {NUMBER} 供应商  已确认", Complete(NUMBER, "供应商 已确认")),
        (f"补单 {NUMBER}", Complete(NUMBER, "")),
        (f"/complete {NUMBER} because\nit is paid", Complete(NUMBER, "because it is paid")),
        ("补单", Usage("complete")),
        ("补单记录", ShowCompletions("today")),
        ("/completions M1001", ShowCompletions("today", "M1001")),
        ("补单记录 补单", None),
        ("/complete ?", Usage("complete")),
        (
            "/adjust M1001 -20 wrong fee",
            Adjust(line("-20", merchant_no="M1001", remark="wrong fee")),
        ),
        (
            "调账 m1001 -20 手续费有误",
            Adjust(line("-20", merchant_no="M1001", remark="手续费有误")),
        ),
        ("调账 ＋2.5万 更正", Adjust(line("25000", remark="更正"))),
        ("/adjust 20 M1002 for May", Adjust(line("20", merchant_no="M1002", remark="for May"))),
        ("/adjust -20", Adjust(line("-20"))),
        ("调账 -20元 更正", Adjust(line("-20", yuan=True, remark="更正"))),
        ("调账 M1001 -20 000 更正", Adjust(line("-20000", merchant_no="M1001", remark="更正"))),
        ("/adjust 5u x", Adjust(line("5", usdt=True, remark="x"))),
        ("调账 －一万 更正", Adjust(line("-10000", remark="更正"))),
        ("调账 – 20 更正", Adjust(line("-20", remark="更正"))),
        *((f"/adjust {text}", Usage("adjust", text, why)) for text, why in ADJUST_FAULTS),
        *(
            (text, Usage("adjust"))
            for text in ("/adjust", "/adjust M1001", "/adjust 5/7.2 x", "/adjust M1001 5 M1002 x")
        ),
        ("调账的事情怎么说", None),
        ("/usdt 7.20", SetUsdtRate(Decimal("7.20"))),
        ("/usdt 7.215", SetUsdtRate(Decimal("7.215"))),
        ("设置汇率 ７.２", SetUsdtRate(Decimal("7.2"))),
        ("/usdt", ShowUsdtRate()),
        *(
            (f"/usdt {text}", Usage("usdt"))
            for text in ("-7", "x", "7.2 7.3", "1e3", "7万", "1,000")
        ),
        *(
            (text, SetCredit(Amount("50000")))
            for text in (
                "/credit 50000",
                "授信 5万",
                "授信 5 万",
                "授信 五万",
                "授信 50 000",
                "授信50'000",
            )
        ),
        ("/credit 50000 CNY", SetCredit(Amount("50000", "CNY"))),
        ("授信 ¥5万 M1001", SetCredit(Amount("50000", "CNY"), "M1001")),
        ("授信 M1001 0", SetCredit(Amount("0"), "M1001")),
        ("授信 关", SetCredit(None)),
        ("/credit OFF m1001", SetCredit(None, "M1001")),
        ("/credit", ShowCredit()),
        ("授信 M1002", ShowCredit("M1002")),
        ("授信 额度是多少", None),
        *((f"/credit {text}", Usage("credit")) for text in ("-1", "x", "1 2", "M1 M2 5")),
        ("/balance", ShowBalance()),
        ("查询余额 M1001", ShowBalance("M1001")),
        ("/rates 2026-11-01", Usage("rates")),
        ("产品费率", ShowRates()),
        ("/lang zh", SetLanguage("zh")),
        ("/lang EN", SetLanguage("en")),
        ("/lang", Usage("lang")),
        ("/help", Help()),
        ("/start abc", Start()),
        ("帮助", Help()),
        ("?", Help()),
        ("？", Help()),
    ],
)
def test_commands(text: str, intent: Intent | None) -> None:
    assert parse(text, "paydesk_bot") == intent


def test_whatever_may_be_meant_takes_a_right_or_is_for_everybody() -> None:
    meant = {*kinds(Reading), *kinds(Changing), AdvancesFault}
    assert set(COMMANDS.rights) == meant - {Help, Start, Apply, Calculate}
    assert set(COMMANDS.rights.values()) <= set(RIGHTS)
    for kind in (Advances, Adjust, SetDayCut, Complete, BindOps, SetLanguage):
        assert issubclass(kind, Changing)


@pytest.mark.parametrize("command", sorted(COMMANDS.by_name))
def test_a_slash_form_always_means_something(command: str) -> None:
    assert parse(f"/{command}") is not None
    assert parse(f"/{command} ?? %%") is not None


@given(st.text(max_size=400))
def test_no_text_raises(text: str) -> None:
    parse(text)
    parse("/" + text)
    parse("+" + text)


_TALK = st.text(st.characters(codec="utf-8", exclude_characters="+-＋－−﹢﹣/／"), max_size=200)


@given(_TALK)
def test_nothing_without_a_sign_moves_money(text: str) -> None:
    assert not isinstance(parse(text), Advances)


@given(st.from_regex(r"[+-]?[^0-9０-９+\-\n\r/／]{1,3}[^\n\r]{0,20}", fullmatch=True))
def test_a_line_that_does_not_begin_with_an_amount_moves_none(text: str) -> None:
    stripped = fold(text).replace("\x00", "").lstrip()
    if len(stripped) > 1 and stripped[0] in "+-" and stripped[1] in "0123456789":
        return
    assert not isinstance(parse(text), Advances)


@given(
    st.decimals(min_value="10", max_value="9999999999", places=2),
    st.sampled_from(["+", "-", "＋", "－"]),
    st.booleans(),
)
def test_what_is_read_is_what_was_written(amount: Decimal, sign: str, grouped: bool) -> None:
    found = parse(f"{sign}{amount:,}" if grouped else f"{sign}{amount}")
    assert isinstance(found, Advances)
    assert abs(found.lines[0].amount.units) == amount
    assert (found.lines[0].amount.units < 0) == (sign in "-－")
