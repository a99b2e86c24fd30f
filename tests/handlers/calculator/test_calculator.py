"""Sums: what is one, what it comes to, and what is left alone."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.calculator.arithmetic import MAX_CHARS, Fault, Result, calculate, folded
from handlers.calculator.words import Calculate, SumFault, hear
from handlers.commands import parse
from handlers.orders.words import LookUp
from handlers.screens import render_say
from tests.handlers.support import OWNER, SPRUCE, STRANGER, SUQING, Desk
from tests.handlers.telegram_html import read_html


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=(100+20%)*3", "360"),
        ("100*1.006", "100.6"),
        ("＝（１００＋２０％）×３", "360"),
        ("=100-20%", "80"),
        ("=50%*200", "100"),
        ("=200*10%+5", "25"),
        ("=10%", "0.1"),
        ("=-5+3", "-2"),
        ("=2-(-3)", "5"),
        ("1.5万*7.2", "108000"),
        ("=3千+2百万", "2003000"),
        ("2w*1.5", "30000"),
        ("1,000*3", "3000"),
        ("1000+200", "1200"),
        ("100/7.2", "13.88888889"),
        ("=2÷3", "0.66666667"),
        ("=1/8", "0.125"),
        ("=.5*4", "2"),
        ("=0.1+0.2", "0.3"),
        ("=100x7.2", "720"),
        ("100*1.006=", "100.6"),
        ("100*1.006=？", "100.6"),
        ("=((1+2)*(3+4))", "21"),
        ("=-(2*3)%", "-0.06"),
        ("/calc 100 * 1.006", "100.6"),
        ("计算 1.5万/7.2", "2083.33333333"),
        ("=1-1", "0"),
        ("=-1/3", "-0.33333333"),
        ("=12345678*2", "24691356"),
        ("100*10%", "10"),
        ("2*3*4", "24"),
        ("2w*3", "60000"),
        ("12345678.5*2", "24691357"),
    ],
)
def test_a_sum_is_computed(text: str, value: str) -> None:
    found = parse(text)
    assert isinstance(found, Calculate), found
    assert found.value == Decimal(value)
    assert f"{found.value:f}" == value


@pytest.mark.parametrize(
    ("text", "why", "at"),
    [
        ("=1/0", "zero", ""),
        ("=5/(2-2)", "zero", ""),
        ("=100*", "sum", ""),
        ("=(100+2", "sum", ""),
        ("=100*abc", "sum", "abc"),
        ("=1..2*3", "sum", "..2*3"),
        ("=100)*3", "sum", ")*3"),
        ("=100 200*3", "sum", "200*3"),
        ("=" + "9" * 21 + "*2", "large", ""),
        ("=1000000000*1000000000", "large", ""),
        ("/calc __import__('os')", "sum", "__import__('os')"),
        ("/calc 9**9", "sum", "*9"),
    ],
)
def test_a_sum_without_a_result_says_where_it_fails(text: str, why: str, at: str) -> None:
    found = parse(text)
    assert isinstance(found, SumFault), found
    assert (found.why, found.at) == (why, at)


@pytest.mark.parametrize(
    "text",
    ["+1000", "+1000 备注", "-1000", "+100u", "+700/7.2", "1+1", "24/7", "11/20", "2026/11/20",
     "11/2026", "2026-11-20", "202611290001/202611290002", "0571-88888888/8889", "12345678*2",
     "13800138000/13900139000", "2026-11-01/2026-11-30", "6222*1234", "1920*1080", "7*24",
     "5000*2", "7 * 24", "13800138000+5", "100-3/2",
     "11-01~11-20", "100-50", "138-0013-8000", "010-12345678",
     "+86 138 0013 8000", "6222****1234", "138****8000", "100", "=100", "=)", "=_=", "=3=",
     "=(", "= =", "100%", "100*", "*100", "hello", "3 个 * 2", "好的=100", "1.1.1.1/24", "",
     "10:30", "1*", "100*2\n200*3", "***", "9" * 60 + "*" + "9" * 70, "P2J0001PQ8WKRZQMHM1I", "https://x/1*2"],
)  # fmt: skip
def test_talk_dates_telephones_and_money_are_left_alone(text: str) -> None:
    assert hear(text) is None
    assert not isinstance(parse(text), Calculate | SumFault)


def test_an_order_number_is_looked_up_and_no_sum() -> None:
    assert isinstance(parse("202611290001/202611290002"), LookUp)


def test_a_bare_sum_gives_way_to_the_answer_that_it_is_a_part_of() -> None:
    for text, gives_way in (("5000*1.2", True), ("=5000*1.2", False), ("/calc 5000*2", False)):
        found = parse(text)
        assert isinstance(found, Calculate)
        assert found.gives_way() is gives_way


@given(st.text(alphabet="0123456789+-*/()%.,= 万x", max_size=MAX_CHARS))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    found = calculate(folded(text))
    assert isinstance(found, Result | Fault)
    hear(text)
    hear(f"={text}")


NUMBERS = st.decimals(min_value=0, max_value=10**6, places=3).map(lambda d: f"{d:f}")


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from("+-*"), st.sampled_from("+-*"))
def test_it_counts_as_arithmetic_does(a: str, b: str, c: str, one: str, two: str) -> None:
    found = calculate(f"{a}{one}{b}{two}{c}")
    x, y, z = (Fraction(part) for part in (a, b, c))
    pairs = {"+": x + y, "-": x - y, "*": x * y}
    if two == "*" and one != "*":
        wanted = x + y * z if one == "+" else x - y * z
    else:
        first = pairs[one]
        wanted = {"+": first + z, "-": first - z, "*": first * z}[two]
    if abs(wanted) < 10**18:
        assert isinstance(found, Result)
        assert abs(Fraction(found.value) - wanted) * 2 * 10**8 <= 1
        assert found.exact == (Fraction(found.value) == wanted)


async def test_a_sum_is_answered_and_a_slip_is_whispered(desk: Desk) -> None:
    shown = await desk.said(SUQING, SPRUCE, "=(1000+20%)*3")
    text = read_html(render_say(shown, "zh").html)
    assert "(1000+20%)*3 = 3,600" in text
    keyboard = render_say(shown, "zh").keyboard
    assert keyboard is not None
    copied = keyboard.inline_keyboard[0][0].copy_text
    assert copied is not None
    assert copied.text == "3600"
    rounded = await desk.said(OWNER, OWNER, "100/7.2")
    assert "≈ 13.88888889" in read_html(render_say(rounded, "en").html)
    slip = await desk.said(SUQING, SPRUCE, "=1/0")
    assert (slip.screen, slip.only_for) == ("sum_fault", SUQING)
    assert "不能除以 0" in read_html(render_say(slip, "zh").html)
    assert await desk.say(SUQING, SPRUCE, "24/7") == []
    assert await desk.say(STRANGER, SPRUCE, "=1+1") == []
