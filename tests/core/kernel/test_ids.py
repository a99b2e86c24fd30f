"""Public numbers say what they are, and a typo in one is noticed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Bug
from core.kernel.ids import MAX_TAG, NUMBER_CHARS, Ids, month_of, read_number, uuid7_time
from tests.core.support import SetClock, instants

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
months = instants(2020, 2099)
whats = st.sampled_from(["order", "attempt", "refund"])
modes = st.sampled_from(["live", "test"])
tags = st.integers(0, MAX_TAG)


def ids_at(instant: datetime, bits: int = 0) -> Ids:
    return Ids(SetClock(instant), lambda width: bits & (1 << width) - 1)


@given(months, whats, modes, tags, st.integers(0, 2**60 - 1))
def test_a_number_says_what_it_is(
    instant: datetime, what: str, mode: str, tag: int, bits: int
) -> None:
    number = ids_at(instant, bits).number(what, mode, tag)
    facts = read_number(number)
    assert facts is not None
    assert (facts.what, facts.mode, facts.merchant_tag) == (what, mode, tag)
    now = SetClock(instant).now()
    assert (facts.month.year, facts.month.month) == (now.year, now.month)
    assert len(number) == NUMBER_CHARS <= 24
    assert not number.isdecimal()
    assert set(number) <= set(ALPHABET)
    assert read_number(f" {number.lower()}\n") == facts


@given(months, months)
def test_a_number_says_the_month_it_is_told(instant: datetime, told: datetime) -> None:
    facts = read_number(ids_at(instant).number("attempt", "live", 1, at=told))
    assert facts is not None
    assert facts.month == month_of(told)


@given(st.integers(0, 2**60 - 1), tags, st.integers(0, NUMBER_CHARS - 1), st.sampled_from(ALPHABET))
def test_every_wrong_character_is_noticed(bits: int, tag: int, place: int, wrong: str) -> None:
    number = ids_at(datetime(2026, 5, 1, tzinfo=UTC), bits).number("order", "live", tag)
    typo = number[:place] + wrong + number[place + 1 :]
    assert (read_number(typo) is None) == (typo != number)


@pytest.mark.parametrize("text", ["", "123", "8" * 20, "P" * 20, "P" * 19, "订单号" * 7, "ß" * 10])
def test_what_is_no_number_of_ours(text: str) -> None:
    assert read_number(text) is None


def test_numbers_differ() -> None:
    ids = Ids(SetClock())
    assert len({ids.number("order", "live", 1) for _ in range(1000)}) == 1000


def test_a_tag_that_does_not_fit_is_a_bug() -> None:
    for tag in (-1, MAX_TAG + 1):
        with pytest.raises(Bug):
            Ids(SetClock()).number("order", "live", tag)


@given(instants(1971, 2200))
def test_the_time_inside_an_id(instant: datetime) -> None:
    clock = SetClock(instant)
    made = Ids(clock).uuid7()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    passed_ms = (uuid7_time(made) - instant).total_seconds() * 1000
    assert 0 <= passed_ms <= 1


def test_later_ids_sort_later() -> None:
    ids = Ids(SetClock())
    made = [ids.uuid7() for _ in range(100)]
    assert made == sorted(made)
    assert len(set(made)) == 100
