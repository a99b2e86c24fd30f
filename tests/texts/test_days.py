from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.days import Days
from core.kernel.errors import Refusal
from texts.days import DaySpan, NoSuchDay, read_days, resolve

TODAY = date(2026, 11, 21)


def days(text: str, today: date = TODAY) -> str:
    """The days that a text means, or the code of the refusal."""
    span = read_days(text)
    assert span is not None, text
    try:
        return str(resolve(span, today))
    except Refusal as refusal:
        return refusal.code if refusal.message else "nothing is said"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("today", "2026-11-21"), ("今日", "2026-11-21"), ("今天", "2026-11-21"),
        ("Yesterday", "2026-11-20"), ("昨日", "2026-11-20"), ("昨天", "2026-11-20"),
        ("this month", "2026-11-01 – 2026-11-21"), ("this_month", "2026-11-01 – 2026-11-21"),
        ("本月", "2026-11-01 – 2026-11-21"), ("last month", "2026-10-01 – 2026-10-31"),
        ("上月", "2026-10-01 – 2026-10-31"), ("上个月", "2026-10-01 – 2026-10-31"),
        ("近三天", "2026-11-19 – 2026-11-21"), ("近3天", "2026-11-19 – 2026-11-21"),
        ("近七天", "2026-11-15 – 2026-11-21"),
        ("last 7 days", "2026-11-15 – 2026-11-21"), ("近半月", "2026-11-07 – 2026-11-21"),
        ("近一月", "2026-10-23 – 2026-11-21"), ("近30天", "2026-10-23 – 2026-11-21"),
        ("2026-11-01", "2026-11-01"), ("２０２６－１１－０１", "2026-11-01"),
        ("2026/11/1", "2026-11-01"), ("2026.11.01", "2026-11-01"), ("2026年11月1日", "2026-11-01"),
        ("11-01", "2026-11-01"), ("11/1", "2026-11-01"), ("11月1日", "2026-11-01"),
        ("11月1号", "2026-11-01"), ("11-21", "2026-11-21"), ("11-22", "2025-11-22"),
        ("12-31", "2025-12-31"), ("2026-10", "2026-10-01 – 2026-10-31"),
        ("2026-11", "2026-11-01 – 2026-11-21"), ("10月", "2026-10-01 – 2026-10-31"),
        ("12月", "2025-12-01 – 2025-12-31"), ("2026年2月", "2026-02-01 – 2026-02-28"),
        ("11-01~11-20", "2026-11-01 – 2026-11-20"), ("11-01～11-20", "2026-11-01 – 2026-11-20"),
        ("11-01 至 11-20", "2026-11-01 – 2026-11-20"), ("11-01..11-20", "2026-11-01 – 2026-11-20"),
        ("11-01 to 11-20", "2026-11-01 – 2026-11-20"),
        ("11月1日到11月20日", "2026-11-01 – 2026-11-20"),
        ("2026-11-01~2026-11-20", "2026-11-01 – 2026-11-20"),
        ("2026-09~2026-10", "2026-09-01 – 2026-10-31"),
        ("2025-11-01~2026-10-31", "2025-11-01 – 2026-10-31"),
        ("11-01~11-01", "2026-11-01"),
        ("11-01~11-30", "2026-11-01 – 2026-11-21"),
        ("12-20~01-10", "2025-12-20 – 2026-01-10"),
        ("2026-11-01~11-20", "2026-11-01 – 2026-11-20"),
        ("2025-12-20~01-10", "2025-12-20 – 2026-01-10"),
        ("11-01~2026-11-20", "2026-11-01 – 2026-11-20"),
        ("12-20~2026-01-10", "2025-12-20 – 2026-01-10"),
        ("02-29", "2024-02-29"), ("02-01~02-29", "2024-02-01 – 2024-02-29"),
        ("2027-01-01", "2027-01-01"),
        ("02-30", "date_invalid"), ("2026-02-30", "date_invalid"), ("2026-02-29", "date_invalid"),
        ("2026-13-01", "date_invalid"), ("2026-13", "date_invalid"), ("13月", "date_invalid"),
        ("0000-01-01", "date_invalid"), ("9999-12-31", "date_invalid"),
        ("11-01~11-31", "date_invalid"), ("2026-02-01~02-29", "date_invalid"),
        ("11-20~11-01", "range_reversed"), ("2026-11-20~2026-11-01", "range_reversed"),
        ("2026-11-20~11-01", "range_reversed"), ("11-20~2026-11-01", "2025-11-20 – 2026-11-01"),
        ("2025-11-01~2026-11-02", "range_too_long"), ("2000-01~2026-11", "range_too_long"),
    ],
)  # fmt: skip
def test_days_as_people_write_them(text: str, meant: str) -> None:
    assert days(text) == meant
    assert days(f"  {text} ") == meant


@pytest.mark.parametrize(
    "text",
    ["", " ", "hello", "一下", "11", "1000", "2026", "11-", "-11", "~", "11-01~", "~11-01", "明天",
     "11-01~foo", "11-01~11-02~11-03", "2026-11-01-02", "M1001", "11-01 谢谢", "１", "11.01"],
)  # fmt: skip
def test_what_names_no_day(text: str) -> None:
    assert read_days(text) is None


def test_a_day_without_a_year_is_the_latest_there_was() -> None:
    assert days("02-29", date(2028, 2, 28)) == "2024-02-29"
    assert days("02-29", date(2028, 2, 29)) == "2028-02-29"
    assert days("02-29", date(2103, 1, 1)) == "2096-02-29"
    assert days("01-01", date(2026, 1, 1)) == "2026-01-01"
    assert days("yesterday", date(2026, 1, 1)) == "2025-12-31"
    assert days("last month", date(2026, 1, 31)) == "2025-12-01 – 2025-12-31"
    assert days("11-01~11-20", date(2026, 11, 10)) == "2026-11-01 – 2026-11-10"
    assert days("12-20~01-10", date(2026, 12, 25)) == "2026-12-20 – 2026-12-25"
    assert days("11-20~11-01", date(2026, 11, 10)) == "range_reversed"


_DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(
    st.text(max_size=60) | st.from_regex(r"[0-9]{1,4}[-/.月年~至]{1,2}[0-9]{0,4}.{0,20}"), _DATES
)
def test_no_text_raises(text: str, today: date) -> None:
    span = read_days(text)
    if span is None:
        return
    meant = days(text, today)
    if isinstance(span, NoSuchDay):
        assert meant == "date_invalid"
    elif meant not in ("date_invalid", "range_reversed", "range_too_long"):
        assert date.fromisoformat(meant[:10]) <= date.fromisoformat(meant[-10:])


@given(_DATES, _DATES, _DATES)
def test_what_is_written_out_is_what_is_meant(first: date, last: date, today: date) -> None:
    span = read_days(f"{first}~{last}")
    assert isinstance(span, DaySpan)
    if first <= last < first + timedelta(days=366):
        meant = resolve(span, today)
        ends = today if first <= today < last else last
        assert meant == Days(first, ends)
    else:
        with pytest.raises(Refusal):
            resolve(span, today)


@given(_DATES, st.dates(date(2010, 1, 1), date(2099, 12, 31)))
def test_without_a_year_it_is_not_after_today(day: date, today: date) -> None:
    span = read_days(f"{day:%m-%d}")
    assert isinstance(span, DaySpan)
    meant = resolve(span, today)
    assert meant.first == meant.last
    assert (meant.first.month, meant.first.day) == (day.month, day.day)
    assert meant.first <= today
    leap = (meant.first.month, meant.first.day) == (2, 29)
    assert (today - meant.first).days < 366 or leap
