"""Days in a row."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.days import MAX_DAYS, Days
from core.kernel.errors import Refusal
from tests.core.support import refused

YEARS = st.dates(date(2000, 1, 1), date(2999, 12, 31))


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "range_reversed"),
        (date(2026, 1, 1), date(2027, 1, 2), "range_too_long"),
        (date.min, date.min, "date_invalid"),
        (date.max, date.max, "date_invalid"),
    ],
)
def test_days_that_cannot_be_shown_are_refused(first: date, last: date, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        Days(first, last)
    assert refused(caught.value) == code


@given(YEARS)
def test_a_month_is_a_month(day: date) -> None:
    month = Days.month(day)
    assert month.first <= day <= month.last
    assert month.first.day == 1
    assert {one.month for one in month} == {day.month}
    if month.last < date(2999, 12, 31):
        assert (month.last + timedelta(days=1)).day == 1


@given(YEARS, st.integers(1, MAX_DAYS))
def test_days_are_counted_as_they_are_named(first: date, days: int) -> None:
    if first + timedelta(days=days - 1) <= date(2999, 12, 31):
        span = Days(first, first + timedelta(days=days - 1))
        assert len(list(span)) == len(span) == days
        assert (days == 1) == (str(span) == str(first))
