"""Counts of today and of the last seven days, as a sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, Literal

from core.delivery.outbox import Notice
from core.reports.order_lists import Recent
from core.reports.statistics import AnswerTime
from handlers.kit.buttons import HolderKind
from handlers.kit.screen import Screen, View, age, clip, percent, short_time, signed
from handlers.kit.sheet import SHOWN_NAME_CHARS, Row, Sheet, Size, Table, render_sheet, shortened
from handlers.order_lists.screens import recent_words
from handlers.statistics.words import What
from texts import number, translator

MAX_SUPPLIERS: Final = 20
_MINUTE_S: Final = 60

Cut = Literal["merchant", "product", "channel"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a row counts; each as in a row of `core.reports.statistics`."""

    created: int
    cohort_paid: int
    paid: int
    amount_minor: int
    fee_minor: int
    cost_minor: int

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not any(getattr(self, name) for name in COUNTED)


COUNTED: Final = tuple(field.name for field in fields(Counts))
NONE: Final = Counts(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Line(Counts):
    """The figures of one merchant, product or channel. key: the same on all days; '' of others,
    which are added up and have no name."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Period:
    """What some days came to. rows: the largest first. average: of a day, of these `days`."""

    rows: tuple[Line, ...]
    total: Counts
    average: Counts
    days: int


@dataclass(frozen=True, slots=True)
class Part:
    """One way to tell rows apart. week: the seven days before today; of the volume, nothing."""

    by: Cut
    today: Period
    week: Period


@dataclass(frozen=True, slots=True)
class StatisticsNotice(Notice):
    """How it goes. holder: whose figures these are. also: currencies in which the platform has
    others. first, last: the seven days before `day`. fees, costs: whether these may be shown
    there. recent: success of the last minutes. answers: how soon suppliers answered, of the last
    seven days."""

    what: What
    holder: HolderKind
    holder_no: str
    holder_name: str
    currency: str
    also: tuple[str, ...]
    zone: str
    at: datetime
    day: date
    first: date
    last: date
    fees: bool
    costs: bool
    parts: tuple[Part, ...]
    recent: tuple[Recent, ...] = ()
    answers: tuple[AnswerTime, ...] = ()


def added(rows: Iterable[Counts]) -> Counts:
    """The figures of rows, added up."""
    kept = list(rows)
    return Counts(*(sum(getattr(row, name) for row in kept) for name in COUNTED))


class _Writer:
    """Writes the sheet of one notice."""

    def __init__(self, notice: StatisticsNotice, language: str) -> None:
        self._notice = notice
        self._language = language
        self._currency = notice.currency
        self._translate = translator(language).gettext
        self._named = translator(language).pgettext

    def sheet(self, size: Size) -> Sheet:
        notice, translate = self._notice, self._translate
        titles: dict[What, str] = {
            "volume": translate("Volume of %(day)s"),
            "success": translate("Success of %(day)s"),
            "stats": translate("Statistics of %(day)s"),
        }
        name = f"{clip(notice.holder_name, SHOWN_NAME_CHARS)} · {notice.holder_no}"
        everybody = translate("The platform, all merchants")
        footer = [short_time(notice.at, notice.zone), notice.zone, self._currency]
        if notice.also:
            others = {"currencies": ", ".join(notice.also)}
            footer.append(translate("also: %(currencies)s") % others)
        if notice.holder != "m" and notice.what != "volume":
            footer.append(translate("success by each merchant's business day"))
        return Sheet(
            title="📊 " + titles[notice.what] % {"day": notice.day},
            name=everybody if notice.holder == "p" else name,
            status="",
            parts=tuple(self._parts(size)),
            footer=" · ".join(footer),
        )

    def _parts(self, size: Size) -> list[Table | str]:
        parts = self._notice.parts
        match self._notice.what:
            case "volume":
                return [self._volume(part, size) for part in parts]
            case "success":
                return [self._success(part, size) for part in parts]
            case "stats":
                today = [self._earned(part.by, part.today, size) for part in parts]
                lately = recent_words(self._notice.recent, self._language)
                told: list[Table | str] = [f"⚡ {lately}"] if lately else []
                return [*told, *today, *self._week(size), *self._answers()]

    def _week(self, size: Size) -> list[Table | str]:
        """The seven days before today, where there is anything to tell of them."""
        span = f"{self._notice.first} – {self._notice.last}"
        title = "🗓 " + self._translate("The previous seven days: %(days)s") % {"days": span}
        told = [(part.by, part.week) for part in self._notice.parts if part.week.rows]
        if not told:
            return [title, self._translate("No record in these days.")]
        return [title, *(self._earned(by, week, size, averaged=True) for by, week in told)]

    def _answers(self) -> list[Table | str]:
        """How soon suppliers answer what they are asked about orders."""
        if not self._notice.answers:
            return []
        rows = [
            Row((one.supplier_no, f"{one.answered}/{one.asked}", self._until(one.median_s)))
            for one in self._notice.answers[:MAX_SUPPLIERS]
        ]
        header = (
            self._named("desk", "Supplier"),
            self._named("count", "Answered"),
            self._translate("Half within"),
        )
        return [
            "📨 " + self._translate("Enquiries of seven days"), Table(tuple(rows), header)
        ]  # fmt: skip

    def _until(self, median_s: float | None) -> str:
        if median_s is None:
            return "–"
        return age(max(1, round(median_s / _MINUTE_S)), self._language)

    def _volume(self, part: Part, size: Size) -> Table:
        rows = [
            Row((name, str(row.paid), self._amount(row.amount_minor)))
            for name, row in self._rows(part.today, size)
        ]
        rows.append(self._total(part.today.total, ""))
        return Table(tuple(rows), self._header(part.by))

    def _success(self, part: Part, size: Size) -> Table:
        """Today beside the seven days before, also where there was nothing on one of the two."""
        today = {row.key: row for row in part.today.rows}
        week = {row.key: row for row in part.week.rows}
        both: list[tuple[str, Counts, Counts, str]] = [
            (self._name(row, size), today.get(key, NONE), week.get(key, NONE), key)
            for key, row in (week | today).items()
        ]
        both.sort(key=lambda x: (not x[3], -x[1].created - x[2].created, x[3]))
        others = self._translate("Others")
        shown = shortened(
            both,
            size.rows,
            lambda rest: (others, added(x[1] for x in rest), added(x[2] for x in rest), ""),
        )
        rows = [Row((name, _share(now), _share(then))) for name, now, then, _ in shown]
        totals = (_share(part.today.total), _share(part.week.total))
        rows.append(Row((self._named("desk", "Total"), *totals), bold=True))
        header = (self._by(part.by), self._named("desk", "Today"), self._translate("7 days"))
        return Table(tuple(rows), header)

    def _earned(self, by: Cut, found: Period, size: Size, *, averaged: bool = False) -> Table:
        rows = [
            Row((name, str(row.paid), self._amount(row.amount_minor)), self._note(row))
            for name, row in self._rows(found, size)
        ]
        rows.append(self._total(found.total, self._note(found.total)))
        if averaged:
            average = found.average
            cells = (str(average.paid), self._amount(average.amount_minor))
            rows.append(Row((self._translate("Daily average"), *cells), self._note(average)))
        return Table(tuple(rows), self._header(by))

    def _total(self, total: Counts, note: str) -> Row:
        cells = (str(total.paid), self._amount(total.amount_minor))
        return Row((self._named("desk", "Total"), *cells), note, bold=True)

    def _note(self, row: Counts) -> str:
        fee, cost = row.fee_minor, row.cost_minor
        said = [(self._named("desk", "Success"), _share(row))]
        if self._notice.fees:
            said.append((self._named("desk", "Fees"), self._amount(fee)))
        if self._notice.costs:
            said.append((self._named("supplier", "Cost"), self._amount(cost)))
        if self._notice.fees and self._notice.costs:
            said.append((self._named("desk", "Margin"), signed(fee - cost, self._currency)))
        return " · ".join(f"{name} {figure}" for name, figure in said)

    def _rows(self, found: Period, size: Size) -> list[tuple[str, Counts]]:
        others = self._translate("Others")
        called: list[tuple[str, Counts]] = [(self._name(row, size), row) for row in found.rows]
        return shortened(called, size.rows, lambda rest: (others, added(x for _, x in rest)))

    def _name(self, row: Line, size: Size) -> str:
        name = row.name_zh if self._language == "zh" else row.name_en
        return clip(name, size.name_chars) or self._translate("Others")

    def _header(self, by: Cut) -> tuple[str, str, str]:
        return (self._by(by), self._named("count", "Paid"), self._named("desk", "Amount"))

    def _by(self, by: Cut) -> str:
        named = self._named
        words: dict[Cut, str] = {
            "merchant": named("desk", "Merchant"),
            "product": named("desk", "Product"),
            "channel": named("desk", "Channel"),
        }
        return words[by]

    def _amount(self, minor: int) -> str:
        return number(minor, self._currency)


def _share(row: Counts) -> str:
    """'83.3% 5/6'; '–' where nothing was created."""
    if not row.created:
        return "–"
    return f"{percent(row.cohort_paid, row.created)} {row.cohort_paid}/{row.created}"


def _sheet(notice: StatisticsNotice, language: str) -> Screen:
    return render_sheet(_Writer(notice, language).sheet, language, None)


VIEWS: Final[tuple[View[Any], ...]] = (View(StatisticsNotice, draws=_sheet),)
