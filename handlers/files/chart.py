"""The picture of a day, or of several: amount as bars, success rate as a line.

Drawn as SVG from typed facts. `picture.py` beside it, a program of its own, makes a PNG of that
with the font that comes with the desk, so that it looks the same wherever the desk runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from aiogram.types import InlineKeyboardMarkup
from jinja2 import Environment

from core.kernel.days import Days
from core.kernel.money import EXPONENTS, format_minor
from core.reports.exports import ChartFacts, Paper, Point
from handlers.kit.day_buttons import OpenChart, OpenExport, TurnBill
from handlers.kit.screen import button, caption, clip, keyboard, showable
from texts import jinja_environment, number, translator
from texts.days import Relative

_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
# The font has five faces; Chinese characters look as in China in this one only.
FACE: Final = "Noto Sans CJK SC"
# Nearly three times a phone's 390 points: a label of 28 is read there as one of 10.
WIDTH: Final = 1080
HEIGHT: Final = 1000
_LEFT, _RIGHT, _TOP, _BOTTOM = 164, 934, 474, 870
_COLUMNS, _ROWS = (56, 556), (196, 300)
_GRID_LINES: Final = 4
_MAX_LABELS: Final = 8
_MAX_DOTS: Final = 31
_TOPS: Final = (4, 8, 12, 16, 20, 40)
_LETTER: Final = 28  # the width of a Chinese character in the legend; half of it of a Latin one


@dataclass(frozen=True, slots=True)
class _Bar:
    x: float
    y: float
    width: float
    height: float
    round: float


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place on an axis, and what is written there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class _Word:
    """A place in the picture, and what is written there."""

    x: float
    y: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A number of the head, with what it is."""

    x: int
    y: int
    name: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Everything the template places; it calculates nothing of its own."""

    title: str
    subtitle: str
    figures: tuple[_Figure, ...]
    amount_name: str
    rate_name: str
    rate_key_x: int
    bars: tuple[_Bar, ...]
    lines: tuple[str, ...]
    dots: tuple[_Word, ...]
    dot_radius: int
    amounts: tuple[_Mark, ...]
    rates: tuple[_Mark, ...]
    times: tuple[_Mark, ...]
    peak: _Word | None
    empty: str
    foot: str
    face: str = FACE
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def draw_chart(facts: ChartFacts, language: str) -> str:
    """The chart as SVG. Pure."""
    return _environment(language).get_template("chart.svg").render(d=_drawing(facts, language))


def chart_caption(facts: ChartFacts, language: str) -> str:
    """What stands under the picture, for those who search for it: Telegram's HTML."""
    return caption(f"📈 {_whose(facts, language)} · {facts.days}")


def chart_buttons(paper: Paper, language: str, *, open_day: date) -> InlineKeyboardMarkup | None:
    """The month, the day or as many days before, and those after (until the open one) in the place
    of this chart; and beside it the bill and the workbook of these days."""
    named = translator(language).pgettext
    whose = (paper.holder, paper.holder_id)
    (earlier, before), (later, after) = _turns(paper.days, open_day, language)

    def turned(span: tuple[date, date]) -> OpenChart:
        return OpenChart(*whose, *span, replace=True, currency=paper.currency)

    turns = [button(earlier, turned(before))]
    if paper.days.last < open_day:
        turns.append(button(later, turned(after)))
    ends = (paper.days.first, paper.days.last)
    excel = OpenExport("excel", *whose, *ends, currency=paper.currency)
    others = [button(named("desk", "📄 Excel"), excel)]
    relative = _relative(paper.days, open_day)
    if relative is not None:
        bill = TurnBill(*whose, relative, fresh=True, currency=paper.currency)
        others.insert(0, button(named("desk", "📒 Bill"), bill))
    return keyboard(tuple(turns), tuple(others))


_Turn = tuple[str, tuple[date, date]]


def _turns(days: Days, open_day: date, language: str) -> tuple[_Turn, _Turn]:
    """(what the arrow back says, and to which days it leads; the same of the arrow forth)."""
    texts = translator(language)
    named, one = texts.pgettext, timedelta(days=1)
    month = _month(days.first)
    if len(days) > 1 and (days.first, days.last) in (month, (month[0], open_day)):
        following = _month(month[1] + one)
        return (
            (named("chart", "◀ Month before"), _month(month[0] - one)),
            (named("chart", "Month after ▶"), (following[0], min(following[1], open_day))),
        )
    shift = timedelta(days=len(days))
    earlier, later = named("chart", "◀ Day before"), named("chart", "Day after ▶")
    if len(days) > 1:
        earlier = named("chart", "◀ %(num)s days before") % {"num": len(days)}
        later = named("chart", "%(num)s days after ▶") % {"num": len(days)}
    return (
        (earlier, (days.first - shift, days.last - shift)),
        (later, (days.first + shift, days.last + shift)),
    )


def _month(day: date) -> tuple[date, date]:
    """The ends of a day's calendar month."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first, following - timedelta(days=1)


def _relative(days: Days, open_day: date) -> Relative | None:
    """What the bill's own buttons call these days."""
    if days == Days.one(open_day):
        return "today"
    if days == Days.one(open_day - timedelta(days=1)):
        return "yesterday"
    return "this_month" if days == Days(open_day.replace(day=1), open_day) else None


def export_progress(done: int, total: int, language: str) -> str:
    """What is shown while a file takes long."""
    if not total:
        return translator(language).gettext("⏳ Building the file…")
    return translator(language).gettext("⏳ Building… %(done)s of %(total)s rows") % {
        "done": f"{done:,}", "total": f"{total:,}",
    }  # fmt: skip


def short_amount(minor: int, currency: str, language: str) -> str:
    """'12.5k', '3M', in Chinese '1.25万', '1.2亿': at most three digits that count."""
    exponent = EXPONENTS[currency]
    steps = ((8, "亿"), (4, "万")) if language == "zh" else ((9, "B"), (6, "M"), (3, "k"))
    for digits, unit in steps:
        if abs(minor) >= 10 ** (digits + exponent):
            hundredths = abs(minor) * 100 // 10 ** (digits + exponent)
            text = f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
            return f"{'-' if minor < 0 else ''}{text}{unit}"
    text = format_minor(minor, currency)
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _environment(language: str) -> Environment:
    return jinja_environment([_TEMPLATES], language)


def _drawing(facts: ChartFacts, language: str) -> _Drawing:
    texts = translator(language)
    translate, named = texts.gettext, texts.pgettext
    points = facts.points
    most = max((p.amount_minor for p in points), default=0)
    top_minor = axis_top(max(most, 4 * 10 ** EXPONENTS[facts.currency]))
    step = (_RIGHT - _LEFT) / max(1, len(points))
    centres = [_LEFT + (place + 0.5) * step for place in range(len(points))]
    rates = [_rate(point) for point in points] if facts.has_orders else []
    amount = translate("Amount per hour") if facts.by_hour else translate("Amount per day")
    rate_name = translate("Success rate") if facts.has_orders else ""
    state = named("chart", "so far") if facts.open else named("chart", "closed")
    dots = [_Word(x, _level(r)) for x, r in zip(centres, rates, strict=False) if r is not None]
    return _Drawing(
        title=_whose(facts, language),
        subtitle=f"{facts.days} · {state}",
        figures=_figures(facts, language),
        amount_name=f"{amount} ({facts.currency})",
        rate_name=rate_name,
        rate_key_x=int(1024 - _length(rate_name) - 54),
        bars=tuple(
            _bar(p.amount_minor / top_minor, x, step) for p, x in zip(points, centres, strict=True)
        ),
        lines=_lines(centres, rates),
        dots=tuple(dots) if len(points) <= _MAX_DOTS else (),
        dot_radius=7,
        amounts=tuple(
            _Mark(
                _level(n / _GRID_LINES),
                short_amount(top_minor * n // _GRID_LINES, facts.currency, language),
            )
            for n in range(_GRID_LINES + 1)
        ),
        rates=tuple(
            _Mark(_level(n / _GRID_LINES), f"{n * 100 // _GRID_LINES}%")
            for n in range(_GRID_LINES + 1)
        ),
        times=_times(facts, centres),
        peak=_peak(facts, dots, centres, top_minor, language),
        empty="" if facts.paid or facts.created else translate("No orders in these days"),
        foot=facts.zone,
    )


def _whose(facts: ChartFacts, language: str) -> str:
    if not facts.no:
        everybody = translator(language).gettext("Platform")
        return f"{everybody} · {facts.currency}"
    return f"{clip(showable(facts.name), 24)} · {facts.no}"


def _figures(facts: ChartFacts, language: str) -> tuple[_Figure, ...]:
    """Amount and net above, orders and success rate below."""
    texts = translator(language)
    translate, named = texts.gettext, texts.pgettext
    net = named("desk", "Net") if facts.has_orders else translate("Due")
    (left, right), (above, below) = _COLUMNS, _ROWS
    figures = [
        _Figure(
            left,
            above,
            named("desk", "Amount"),
            number(facts.amount_minor, facts.currency),
            facts.currency,
        ),
        _Figure(right, above, net, number(facts.net_minor, facts.currency), facts.currency),
        _Figure(left, below, translate("Orders paid"), f"{facts.paid:,}", ""),
    ]
    if facts.has_orders:
        rate = f"{facts.cohort_paid * 100 / facts.created:.1f}%" if facts.created else "–"
        created = translate("of %(count)s created") % {"count": f"{facts.created:,}"}
        figures.append(_Figure(right, below, translate("Success rate"), rate, created))
    return tuple(figures)


def axis_top(minor: int) -> int:
    """The end of an axis: a round amount, a multiple of the grid's lines, not below `minor`."""
    power = 1
    while minor > _TOPS[-1] * power:
        power *= 10
    return next(top * power for top in _TOPS if top * power >= minor)


def _rate(point: Point) -> float | None:
    return point.cohort_paid / point.created if point.created else None


def _level(share: float) -> float:
    """How high a share of the axis stands."""
    return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)


def _bar(share: float, centre: float, step: float) -> _Bar:
    width = step * 0.68
    height = (_BOTTOM - _TOP) * max(0.0, share)
    return _Bar(
        round(centre - width / 2, 1), round(_BOTTOM - height, 1), round(width, 1),
        round(height, 1), round(min(5.0, width / 4, height / 2), 1),
    )  # fmt: skip


def _lines(centres: list[float], rates: list[float | None]) -> tuple[str, ...]:
    """The line, in pieces: it does not run across hours in which nothing was created."""
    pieces: list[list[str]] = [[]]
    for x, rate in zip(centres, rates, strict=False):
        if rate is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{x:.1f},{_level(rate)}")
    return tuple(" ".join(piece) for piece in pieces if len(piece) > 1)


def _times(facts: ChartFacts, centres: list[float]) -> tuple[_Mark, ...]:
    zone = ZoneInfo(facts.zone)
    every = -(-len(centres) // _MAX_LABELS) or 1
    return tuple(
        _Mark(round(x, 1), _time(point.at, zone))
        for place, (point, x) in enumerate(zip(facts.points, centres, strict=True))
        if place % every == 0
    )


def _time(at: datetime | date, zone: ZoneInfo) -> str:
    if isinstance(at, datetime):
        return at.astimezone(zone).strftime("%H:%M")
    return at.strftime("%m-%d")


def _peak(
    facts: ChartFacts, dots: list[_Word], centres: list[float], top_minor: int, language: str
) -> _Word | None:
    """The highest bar says how high it is, above the line where that is in the way."""
    if not facts.paid:
        return None
    place = max(range(len(centres)), key=lambda n: facts.points[n].amount_minor)
    minor = facts.points[place].amount_minor
    text = short_amount(minor, facts.currency, language)
    half = _length(text) / 2
    x = min(max(centres[place], _LEFT + half), _RIGHT - half)
    y = _level(minor / top_minor) - 14
    for dot in sorted(dots, key=lambda d: -d.y):
        if abs(dot.x - x) < half + 12 and y - 40 < dot.y < y + 20:
            y = dot.y - 22
    return _Word(round(x, 1), round(y, 1), text)


def _length(text: str) -> float:
    """About how wide a text of the legend is."""
    return sum(_LETTER if ord(letter) > 0x2E80 else _LETTER * 0.48 for letter in text)
