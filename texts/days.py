"""Days as people write them: `昨日`, `11-01`, `2026-11`, `11月1日`, `11-01~11-20`. Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from core.kernel.days import Days
from core.kernel.errors import Bug, Refusal
from texts.amounts import fold

Relative = Literal[
    "today",
    "yesterday",
    "day_before",
    "this_month",
    "last_month",
    "last_3",
    "last_7",
    "last_15",
    "last_30",
]
# So many days, today the last of them.
_LAST_DAYS: Final[dict[Relative, int]] = {"last_3": 3, "last_7": 7, "last_15": 15, "last_30": 30}

EXAMPLE: Final = "2026-11-01"
_YEARS: Final = range(2000, 2100)
_LEAP_YEAR: Final = 2000  # for a month and a day alone: whether there ever is such a day
_LEAP_CYCLE_YEARS: Final = 8  # the longest time between two 29ths of February
# 12-20~01-10 goes over New Year; 11-20~11-01 has its ends swapped.
_OVER_NEW_YEAR_DAYS: Final = 184

_WORDS: Final[dict[str, Relative]] = {
    "today": "today", "今日": "today", "今天": "today",
    "yesterday": "yesterday", "昨日": "yesterday", "昨天": "yesterday",
    "day before yesterday": "day_before", "前日": "day_before", "前天": "day_before",
    "this month": "this_month", "month": "this_month",
    "本月": "this_month", "这个月": "this_month", "当月": "this_month",
    "last month": "last_month", "上月": "last_month", "上个月": "last_month",
    "last 3 days": "last_3", "近三天": "last_3", "近3天": "last_3",
    "最近三天": "last_3", "最近3天": "last_3",
    "last 7 days": "last_7", "近七天": "last_7", "近7天": "last_7", "近一周": "last_7",
    "最近七天": "last_7", "最近7天": "last_7", "最近一周": "last_7",
    "last 15 days": "last_15", "近半月": "last_15", "近半个月": "last_15", "近15天": "last_15",
    "last 30 days": "last_30", "近一月": "last_30", "近一个月": "last_30", "近30天": "last_30",
}  # fmt: skip
_BETWEEN: Final = re.compile(r"\s*(?:~|〜|至|到|–|—|\.\.+|\bto\b)\s*", re.IGNORECASE)
_SHAPES: Final = tuple(
    re.compile(shape)
    for shape in (
        r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
        r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})",
        r"(?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})",
        r"(?:(?P<year>[0-9]{4})年)?(?P<month>[0-9]{1,2})月(?:(?P<day>[0-9]{1,2})[日号])?",
    )
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A day or a month as it was written: one that exists. year None: the latest such one that
    is not after today. day None: the whole month."""

    year: int | None
    month: int
    day: int | None

    def begins(self, year: int) -> date:
        """Its first day in a year. Raises ValueError on 29 February of a common year."""
        return date(year, self.month, self.day or 1)

    def ends(self, year: int) -> date:
        """Its last day in a year. Raises ValueError as `begins` does."""
        begins = self.begins(year)
        return begins if self.day is not None else Days.month(begins).last


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days that a person named, from `first` to `last`; the same mark twice where it is one."""

    first: Mark
    last: Mark


@dataclass(frozen=True, slots=True)
class NoSuchDay:
    """Written like a date, but there is no such day."""

    text: str


Span = Relative | DaySpan


def read_days(text: str) -> Span | NoSuchDay | None:
    """The days that a text names and nothing else; None where it names none."""
    folded = " ".join(fold(text).lower().split())
    relative = _WORDS.get(folded.replace("_", " "))
    if relative is not None:
        return relative
    ends = _BETWEEN.split(folded)
    if len(ends) > 2:  # a range has two ends
        return None
    marks: list[Mark] = []
    for end in ends:
        mark = _mark(end)
        if not isinstance(mark, Mark):
            return mark
        marks.append(mark)
    return DaySpan(marks[0], marks[-1])


def resolve(span: Span | NoSuchDay, today: date) -> Days:
    """The business days that are meant, where `today` is the open one.

    A span that began ends today at the latest. Refusals: date_invalid, range_reversed,
    range_too_long.
    """
    match span:
        case NoSuchDay(text):
            raise Refusal("date_invalid", text=text, example=EXAMPLE)
        case "today":
            return Days.one(today)
        case "yesterday":
            return Days.one(today - timedelta(days=1))
        case "day_before":
            return Days.one(today - timedelta(days=2))
        case "this_month":
            return Days(today.replace(day=1), today)
        case "last_month":
            return Days.month(today.replace(day=1) - timedelta(days=1))
        case "last_3" | "last_7" | "last_15" | "last_30":
            return Days(today - timedelta(days=_LAST_DAYS[span] - 1), today)
        case DaySpan(first, last):
            return _until(_between(first, last, today), today)


def _until(days: Days, today: date) -> Days:
    return Days(days.first, today) if days.first <= today < days.last else days


def _between(first: Mark, last: Mark, today: date) -> Days:
    if first.year is not None:
        begins = first.begins(first.year)
        if last.year is not None:
            return Days(begins, last.ends(last.year))
        try:
            return Days(begins, _end_after(begins, last))
        except ValueError:
            text = f"{first.year}-{last.month:02}-{last.day:02}"
            raise Refusal("date_invalid", text=text, example=EXAMPLE) from None
    until = today if last.year is None else last.ends(last.year)
    # 29 February is not in every year: the latest in which both ends are.
    for year in range(until.year, until.year - _LEAP_CYCLE_YEARS - 1, -1):
        try:
            begins = first.begins(year)
            if begins <= until:
                return Days(begins, _end_after(begins, last) if last.year is None else until)
        except ValueError:
            continue
    raise Bug(f"no year has {first} and {last}")


def _end_after(begins: date, last: Mark) -> date:
    """The end of a span whose last day was written without its year: in the year in which it
    begins, or shortly after New Year. Raises ValueError where there is no such day."""
    for year in (begins.year, begins.year + 1):
        with suppress(ValueError):
            ends = last.ends(year)
            days = (ends - begins).days
            if days >= 0 and (year == begins.year or days <= _OVER_NEW_YEAR_DAYS):
                return ends
    return last.ends(begins.year)


def _mark(text: str) -> Mark | NoSuchDay | None:
    """One end: None where it is not written like a date at all."""
    for shape in _SHAPES:
        found = shape.fullmatch(text)
        if found is not None:
            parts = {name: int(digits) for name, digits in found.groupdict().items() if digits}
            mark = Mark(parts.get("year"), parts["month"], parts.get("day"))
            try:
                mark.begins(_LEAP_YEAR if mark.year is None else mark.year)
            except ValueError:
                return NoSuchDay(text)
            there = mark.year is None or mark.year in _YEARS
            return mark if there else NoSuchDay(text)
    return None
