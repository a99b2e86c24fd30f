from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from core.reports.order_lists import Recent
from core.reports.statistics import AnswerTime
from handlers.kit.buttons import HolderKind
from handlers.statistics.screens import NONE, Counts, Line, Part, Period, StatisticsNotice
from tests.handlers.written import AT, HOSTILE

_SOLD: Final = Line(6, 5, 6, 60_000, 720, 390, "a", HOSTILE, HOSTILE)
_OTHERS: Final = Line(0, 0, 0, 0, 0, 0, "", "", "")

_SEEN: Final[tuple[tuple[HolderKind, bool, bool], ...]] = (  # with fees, with costs
    ("m", True, False),
    ("s", False, True),
    ("p", True, True),
)


def _period(*rows: Line) -> Period:
    first = rows[0]
    total = Counts(
        first.created, first.cohort_paid, first.paid, first.amount_minor, first.fee_minor,
        first.cost_minor,
    )  # fmt: skip
    return Period(rows, total, NONE, 7)


EXAMPLES: Final = tuple(
    StatisticsNotice(
        what=what,
        holder=holder,
        holder_no="M1",
        holder_name=HOSTILE,
        currency="CNY",
        also=("USD", "KWD") if holder == "p" else (),
        zone="UTC",
        at=AT,
        day=date(2026, 11, 21),
        first=date(2026, 11, 14),
        last=date(2026, 11, 20),
        fees=fees,
        costs=costs,
        parts=(
            Part("merchant", counted, counted),
            Part("product", counted, counted),
            Part("channel", counted, counted),
        ),
        recent=(Recent(10, 0, 0), Recent(30, 12, 10), Recent(60, 24, 24)),
        answers=(AnswerTime("S01", 12, 9, 130.0), AnswerTime("S02", 1, 0, None)),
    )
    for what in ("volume", "success", "stats")
    for counted in (
        _period(_SOLD),
        _period(_OTHERS),
        _period(*(replace(_SOLD, key=f"{n}") for n in range(30)), _OTHERS),
    )
    for holder, fees, costs in _SEEN
)
