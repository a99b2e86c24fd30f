"""Money is exact: what is written is what is counted, and rounding happens in named places."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Bug, Refusal
from core.kernel.money import (
    EXPONENTS,
    MAX_MINOR,
    PPM,
    Money,
    Rate,
    exchange,
    format_minor,
    parse_money,
)

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(-MAX_MINOR, MAX_MINOR)


@given(amounts, currencies, st.booleans())
def test_what_is_formatted_is_read_back(minor: int, currency: str, grouping: bool) -> None:
    text = format_minor(minor, currency, grouping=grouping)
    assert parse_money(text, currency) == Money(minor, currency)
    assert Money(minor, currency).decimal() == Decimal(text.replace(",", ""))


@given(st.integers(0, 10**31) | st.integers(0, 10**6), st.integers(0, 31), currencies)
def test_reading_is_exact_or_refused(digits: int, places: int, currency: str) -> None:
    text = f"{digits:0{places + 1}d}"
    if places:
        text = f"{text[:-places]}.{text[-places:]}"
    exact = Fraction(text) * 10 ** EXPONENTS[currency]
    if exact.denominator == 1 and exact <= MAX_MINOR and len(text) <= 28:
        assert parse_money(text, currency).minor == exact
    else:
        with pytest.raises(Refusal):
            parse_money(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.5", "CNY", 123450),
        ("+1000", "CNY", 100000),
        ("-0.01", "CNY", -1),
        ("12.340000", "CNY", 1234),
        ("1,234", "JPY", 1234),
        ("1.0", "JPY", 1),
        ("1.234", "KWD", 1234),
        ("100", "USDT", 100_000_000),
        ("0.000001", "USDT", 1),
    ],
)
def test_amounts_as_people_write_them(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "CNY"),
        ("1.234", "CNY"),
        ("0.5", "JPY"),
        ("1.0000001", "USDT"),
        ("1.000000000000000000000000000001", "CNY"),
        ("1,23", "CNY"),
        ("12,3456", "CNY"),
        ("1e3", "CNY"),
        ("NaN", "CNY"),
        ("٣", "CNY"),
        ("１２", "CNY"),
        ("1.", "CNY"),
        (".5", "CNY"),
        ("--1", "CNY"),
        ("1 000", "CNY"),
        ("10000000000000.01", "CNY"),
        ("9" * 60, "CNY"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Refusal) as error:
        parse_money(text, currency)
    assert error.value.code == "amount_invalid"


@pytest.mark.parametrize("make", [lambda code: parse_money("1", code), lambda code: Money(1, code)])
def test_an_unknown_currency_is_refused(make: Callable[[str], Money]) -> None:
    with pytest.raises(Refusal) as error:
        make("XXX")
    assert (error.value.code, error.value.param) == ("currency_unknown", "currency")


def test_money_is_whole_and_of_one_currency() -> None:
    with pytest.raises(Bug):
        Money(1.0, "CNY")  # type: ignore[arg-type]  # what a careless caller might hand in
    with pytest.raises(Bug):
        Money(True, "CNY")
    with pytest.raises(Bug):
        Money(1, "CNY") + Money(1, "JPY")
    assert Money(5, "CNY") - Money(7, "CNY") == -Money(2, "CNY")
    assert str(Money(-123456, "CNY")) == "-1,234.56 CNY"
    assert Money(123456, "KWD").plain() == "123.456"
    assert str(Money(1234, "JPY")) == "1,234 JPY"


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    least = draw(st.just(0) | st.integers(0, 10**6) | st.integers(0, MAX_MINOR))
    most = draw(st.none() | st.integers(least, least + 10**6) | st.integers(least, 2 * MAX_MINOR))
    return Rate(draw(st.integers(0, PPM)), draw(st.just(0) | st.integers(0, 10**6)), least, most)


@given(st.integers(0, 10**6) | st.integers(0, MAX_MINOR), rates())
def test_a_fee_is_rounded_half_up_and_kept_within_its_bounds(amount_minor: int, rate: Rate) -> None:
    with localcontext(prec=50):
        share = Decimal(amount_minor) * rate.ppm / PPM
        exact = int(share.quantize(Decimal(1), ROUND_HALF_UP)) + rate.fixed_minor
    wanted = max(exact, rate.min_minor)
    if rate.max_minor is not None:
        wanted = min(wanted, rate.max_minor)
    assert rate.of(amount_minor) == wanted


@given(st.integers(0, MAX_MINOR), st.integers(0, 10**4) | st.integers(0, MAX_MINOR), rates())
def test_a_larger_amount_never_costs_less(amount_minor: int, more_minor: int, rate: Rate) -> None:
    assert rate.of(amount_minor) <= rate.of(amount_minor + more_minor)


@given(rates())
def test_a_rate_comes_back_as_it_was_packed(rate: Rate) -> None:
    packed = json.loads(json.dumps(rate.pack()))
    assert Rate.unpack(packed) == rate
    assert set(packed) <= {"ppm", "fixed", "min", "max"}
    units, _, decimals = rate.percent().removesuffix("%").partition(".")
    assert int(units) * 10_000 + int(decimals.ljust(4, "0")) == rate.ppm


def test_fees_of_the_posting_table() -> None:
    assert Rate(12000).of(10000) == 120
    assert Rate(6500).of(9900) == 64
    assert Rate(6500).of(10100) == 66
    assert Rate(500_000).of(1) == 1
    assert Rate(499_999).of(1) == 0
    assert Rate(0, 10).of(0) == 10
    assert Rate(6500).percent() == "0.65%"
    assert Rate(12000).percent() == "1.2%"
    assert Rate(1).percent() == "0.0001%"
    assert [Rate(10000, 0, 5, 2000).of(n) for n in (0, 300, 500, 600, 500_000)] == [
        5,
        5,
        5,
        6,
        2000,
    ]
    assert Rate(12000).pack() == {"ppm": 12000}
    assert Rate(0, 0, 0, 0).pack() == {"ppm": 0, "max": 0}


@pytest.mark.parametrize(
    "values", [(-1,), (PPM + 1,), (0, -1), (0, 0, -1), (0, 0, 0, -1), (0, 0, 2, 1)]
)
def test_an_impossible_rate_is_a_bug(values: tuple[int, ...]) -> None:
    with pytest.raises(Bug):
        Rate(*values)


@given(
    st.integers(-(10**13), 10**13),
    currencies,
    currencies,
    st.decimals("0.0001", "10000", places=4, allow_nan=False),
)
def test_an_exchange_is_rounded_half_up_away_from_zero(
    minor: int, origin: str, target: str, rate: Decimal
) -> None:
    exact = Fraction(minor, 10 ** EXPONENTS[origin]) * Fraction(rate) * 10 ** EXPONENTS[target]
    result = exchange(Money(minor, origin), rate, target)
    size = abs(Fraction(result.minor)) - abs(exact)
    assert result.currency == target
    assert Fraction(-1, 2) < size <= Fraction(1, 2)
    assert result.minor * minor >= 0


def test_a_hundred_usdt_at_seven_point_two() -> None:
    assert exchange(Money(100_000_000, "USDT"), Decimal("7.2"), "CNY") == Money(72000, "CNY")
