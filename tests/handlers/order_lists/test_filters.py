"""What people write to narrow a list: in any order, with and without blanks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.commands import parse
from handlers.order_lists.filters import Wanted, read_filter
from handlers.order_lists.words import ShowOrders
from texts.amounts import fold
from texts.days import DaySpan, Mark, NoSuchDay


def limit(units: str, *, included: bool = True) -> tuple[Decimal, bool]:
    return Decimal(units), included


def day(month: int, number: int | None, year: int | None = None) -> Mark:
    return Mark(year, month, number)


NOV_20_25: Final = DaySpan(day(11, 20), day(11, 25))
_1000: Final = {"least": limit("1000", included=False)}

SAID: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("", {}),
    ("全部", {}),
    ("今天", {}),
    ("今天的订单", {}),
    ("昨天", {"days": "yesterday"}),
    ("yesterday", {"days": "yesterday"}),
    ("近三天", {"days": "last_3"}),
    ("last 7 days", {"days": "last_7"}),
    ("近半月 未付", {"days": "last_15", "pay": "unpaid"}),
    ("本月", {"days": "this_month"}),
    ("2026-11", {"days": DaySpan(day(11, None, 2026), day(11, None, 2026))}),
    ("11-20", {"days": DaySpan(day(11, 20), day(11, 20))}),
    ("11-20~11-25", {"days": NOV_20_25}),
    ("11-20 ~ 11-25", {"days": NOV_20_25}),
    ("11-20 到 11-25", {"days": NOV_20_25}),
    ("11月20日至11月25日", {"days": NOV_20_25}),
    ("11-31", {"days": NoSuchDay("11-31")}),
    ("今天 M1001 未回调 >1000", {"merchants": ("M1001",), "news": "untold", **_1000}),
    (">1000 未回调 M1001 今天", {"merchants": ("M1001",), "news": "untold", **_1000}),
    ("今天M1001未回调>1000", {"merchants": ("M1001",), "news": "untold", **_1000}),
    ("今天未回调", {"news": "untold"}),
    ("昨天M1001补单", {"days": "yesterday", "merchants": ("M1001",), "marks": ("completed",)}),
    ("昨天 alipay_qr 已付", {"days": "yesterday", "pay": "paid", "others": ("alipay_qr",)}),
    ("近三天 补单 C01", {"days": "last_3", "channels": ("C01",), "marks": ("completed",)}),
    ("c01 c02 s01", {"channels": ("C01", "C02"), "suppliers": ("S01",)}),
    ("C01未回调100以上", {"channels": ("C01",), "news": "untold", "least": limit("100")}),
    ("m1001 M1002", {"merchants": ("M1001", "M1002")}),
    ("M1001，M1002 昨天", {"days": "yesterday", "merchants": ("M1001", "M1002")}),
    ("M1001、M1001", {"merchants": ("M1001",)}),
    ("已付", {"pay": "paid"}),
    ("支付成功", {"pay": "paid"}),
    ("PAID", {"pay": "paid"}),
    ("没付", {"pay": "unpaid"}),
    ("待支付", {"pay": "waiting"}),
    ("pending", {"pay": "waiting"}),
    ("出码失败", {"pay": "failed"}),
    ("超时", {"pay": "expired"}),
    ("expired", {"pay": "expired"}),
    ("已关闭", {"pay": "closed"}),
    ("已回调", {"news": "told"}),
    ("未通知", {"news": "untold"}),
    ("untold", {"news": "untold"}),
    ("回调失败", {"news": "failed"}),
    ("回调中", {"news": "waiting"}),
    ("已付未回调", {"pay": "paid", "news": "untold"}),
    ("退款", {"marks": ("refunded",)}),
    ("补单 退款 晚到 争议", {"marks": ("completed", "refunded", "late", "disputed")}),
    ("completed refunded", {"marks": ("completed", "refunded")}),
    (">1000", _1000),
    ("> 1000", _1000),
    ("＞１０００", _1000),
    ("大于1000", _1000),
    ("超过 1千", _1000),
    ("over 1k", _1000),
    (">=1000", {"least": limit("1000")}),
    ("≥1,000", {"least": limit("1000")}),
    ("不低于1000", {"least": limit("1000")}),
    ("1000以上", {"least": limit("1000")}),
    ("1万以上", {"least": limit("10000")}),
    ("<500", {"most": limit("500", included=False)}),
    ("under 500", {"most": limit("500", included=False)}),
    ("<=500", {"most": limit("500")}),
    ("500以下", {"most": limit("500")}),
    (">100 <500", {"least": limit("100", included=False), "most": limit("500", included=False)}),
    ("100-500", {"least": limit("100"), "most": limit("500")}),
    ("100~500", {"least": limit("100"), "most": limit("500")}),
    ("100到500", {"least": limit("100"), "most": limit("500")}),
    ("1,000-2,000", {"least": limit("1000"), "most": limit("2000")}),
    ("1.5k-3k", {"least": limit("1500"), "most": limit("3000")}),
    ("11-20~11-25 100-500", {"days": NOV_20_25, "least": limit("100"), "most": limit("500")}),
    ("=88.88", {"least": limit("88.88"), "most": limit("88.88")}),
    ("金额100", {"least": limit("100"), "most": limit("100")}),
    ("100", {"least": limit("100"), "most": limit("100")}),
    ("100元", {"currency": "CNY", "least": limit("100"), "most": limit("100")}),
    ("USD", {"currency": "USD"}),
    (">100u", {"currency": "USDT", "least": limit("100", included=False)}),
    ("测试 未付", {"pay": "unpaid", "test": True}),
    # What is nothing of this, and what says a thing twice.
    ("火星", {"others": ("火星",)}),
    ("今天 火星 已付", {"pay": "paid", "others": ("火星",)}),
    ("支付宝扫码 退款", {"marks": ("refunded",), "others": ("支付宝扫码",)}),
    ("已付 未付", {"pay": "paid", "others": ("未付",)}),
    ("今天 昨天", {"others": ("昨天",)}),
    (">100 >200", {"least": limit("100", included=False), "others": (">200",)}),
    ("500-100", {"others": ("500-100",)}),
    ("100u CNY", {"currency": "USDT", "least": limit("100"), "most": limit("100"),
                  "others": ("CNY",)}),
    ("5btc", {"others": ("5btc",)}),
    ("-100", {"others": ("-100",)}),
    (">", {"others": (">",)}),
)  # fmt: skip


def as_said(wanted: Wanted) -> dict[str, Any]:
    """What differs from a filter that says nothing; bounds by their values."""
    nothing = Wanted()
    said = {
        name: getattr(wanted, name)
        for name in Wanted.__slots__
        if getattr(wanted, name) != getattr(nothing, name)
    }
    for name in ("least", "most"):
        if name in said:
            said[name] = (said[name].amount.units, said[name].included)
    return said


@pytest.mark.parametrize(("text", "meant"), SAID)
def test_words_narrow_a_list(text: str, meant: Mapping[str, Any]) -> None:
    assert as_said(read_filter(text.split())) == dict(meant)


@pytest.mark.parametrize(("text", "meant"), SAID)
def test_they_mean_the_same_behind_the_command(text: str, meant: Mapping[str, Any]) -> None:
    intent = parse(f"/orders {text}")
    assert isinstance(intent, ShowOrders)
    assert as_said(intent.wanted) == dict(meant)


def test_the_table_is_wide() -> None:
    assert len(SAID) >= 60


@pytest.mark.parametrize(
    "text", ["订单列表", "订单列表今天未回调", "订单列表 昨天", "订单列表 C01 >100"]
)
def test_the_list_is_asked_for_in_chinese(text: str) -> None:
    assert isinstance(parse(text), ShowOrders)


@pytest.mark.parametrize("text", ["订单列表在哪里看", "订单列表 发我一下", "订单列表,看了没"])
def test_talk_of_lists_is_talk(text: str) -> None:
    assert not isinstance(parse(text), ShowOrders)


_PIECES: Final = st.sampled_from(
    ("M1001", "C01", "未回调", "已付", "补单", ">1000", "<=5000.5", "USD", "测试")
)


@given(st.lists(_PIECES, unique=True), st.randoms())
def test_the_order_of_words_says_nothing(words: list[str], random: Any) -> None:
    there = as_said(read_filter(words))
    random.shuffle(words)
    assert as_said(read_filter(words)) == there
    assert "others" not in there


@given(st.lists(_PIECES, unique=True))
def test_full_width_means_the_same(words: list[str]) -> None:
    wide = ["".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in one) for one in words]
    assert [fold(one) for one in wide] == words
    assert as_said(read_filter(wide)) == as_said(read_filter(words))


@given(st.text())
def test_whatever_stands_before_it_a_word_that_means_nothing_is_told(text: str) -> None:
    others = read_filter([*text.split()[:20], "火星"]).others
    assert others
    assert others[-1].endswith("火星")
