"""Which days are re-added tonight: what is new, and an old share in turn.

A day (in UTC, whole) is over when every business day that reaches into it is closed and its sums
are kept: nothing is booked in it any more. Once it was found right, it is re-added in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

# Every day that is over is re-added again within so many nights.
ROUND_NIGHTS: Final = 30
# No question is about more days than that at once.
MOST_DAYS: Final = 31
_DAY: Final = timedelta(days=1)
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from one on and before another. days: those in it that are over."""

    starts_at: datetime
    ends_at: datetime
    days: tuple[date, ...]


EVER: Final = Span(_EVER, _NEVER, ())


@dataclass(frozen=True, slots=True)
class Night:
    """What is re-added. spans: in the order of time; the last one has no end. new: days that are
    over and were not found right yet; again: those that were, and are re-added; known: how many
    days are over."""

    spans: tuple[Span, ...]
    new: int
    again: int
    known: int


def tonight(first: date, over_until: date, right: Mapping[date, datetime]) -> Night:
    """What is new, and the days that were re-added longest ago: a ROUND_NIGHTS-th of all.

    first: the day with which the books begin. over_until: the first day that is not over. right:
    when days were last found right.
    """
    days = _days(first, over_until)
    new = [day for day in days if day not in right]
    known = sorted((day for day in days if day in right), key=lambda day: (right[day], day))
    again = known[: -(-len(days) // ROUND_NIGHTS)]
    spans = _spans(sorted([*new, *again]), first, over_until)
    return Night(spans, len(new), len(again), len(days))


def everything(first: date, over_until: date, right: Mapping[date, datetime]) -> Night:
    """All days there are."""
    days = _days(first, over_until)
    again = sum(day in right for day in days)
    return Night(_spans(days, first, over_until), len(days) - again, again, len(days))


def _days(first: date, until: date) -> list[date]:
    return [first + _DAY * i for i in range((until - first).days)]


def _spans(days: list[date], first: date, over_until: date) -> tuple[Span, ...]:
    """Days that follow one another are one span, up to MOST_DAYS; the days that are not over yet
    belong to the last. What is dated before all days is looked for with the first."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == _DAY and len(runs[-1]) < MOST_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    if not runs or runs[-1][-1] + _DAY != over_until:
        runs.append([])
    return tuple(
        Span(
            _EVER if (run or [over_until])[0] == first else _start(run[0] if run else over_until),
            _NEVER if run is runs[-1] else _start(run[-1] + _DAY),
            tuple(run),
        )
        for run in runs
    )


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
