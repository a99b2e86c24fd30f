"""Charts: nothing leaves the picture, and buttons carry what they mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.file_builder import render
from core.kernel.days import Days
from core.reports.exports import ChartFacts, Paper, Point
from handlers.buttons import read_button
from handlers.files.chart import HEIGHT, WIDTH, axis_top, chart_buttons, draw_chart, short_amount
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.day_buttons import OpenChart

DAY = Days.one(date(2026, 11, 20))
START = datetime(2026, 11, 19, 16, tzinfo=UTC)
ID = UUID(int=7)


def chart(*minors: int, name: str = "云杉商城", currency: str = "CNY") -> ChartFacts:
    points = tuple(
        Point(START + timedelta(hours=n), minor, 1 if minor else 0, 4, 3)
        for n, minor in enumerate(minors)
    )
    return ChartFacts("M1001", name, currency, "Asia/Shanghai", DAY, False, points, 0)


@given(st.integers(0, 10**15))
def test_an_axis_ends_at_a_round_amount_just_above(minor: int) -> None:
    top = axis_top(minor)
    assert minor <= top <= max(4, minor * 3)
    assert top % 4 == 0


@pytest.mark.parametrize("language", ["zh", "en"])
@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=40), st.sampled_from(["CNY", "JPY"]))
def test_everything_drawn_is_inside(language: str, minors: list[int], currency: str) -> None:
    svg = draw_chart(chart(*minors, name="<&\"'%s", currency=currency), language)
    for element in ElementTree.fromstring(svg).iter():  # noqa: S314 (our own picture)
        for name, limit in (("x", WIDTH), ("y", HEIGHT), ("cx", WIDTH), ("cy", HEIGHT)):
            assert 0 <= float(element.get(name, 0)) <= limit


async def test_the_picture_is_a_png_of_its_size() -> None:
    png = await render(draw_chart(chart(5, 0, 9), "zh"))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("minor", "language", "text"),
    [
        (1_250_000, "zh", "1.25万"), (1_250_000, "en", "12.5k"), (99_900, "zh", "999"),
        (12_000_000_000, "zh", "1.2亿"), (50, "en", "0.5"), (0, "en", "0"),
    ],
)  # fmt: skip
def test_axes_are_labelled_shortly(minor: int, language: str, text: str) -> None:
    assert short_amount(minor, "CNY", language) == text


def test_buttons_turn_as_many_days_and_stop_at_the_open_one() -> None:
    week = Days(date(2026, 11, 8), date(2026, 11, 14))
    keyboard = chart_buttons(Paper("chart", "m", ID, week), "zh", open_day=week.last)
    assert keyboard is not None
    (turn,), others = keyboard.inline_keyboard
    assert turn.callback_data is not None
    earlier = OpenChart("m", ID, date(2026, 11, 1), date(2026, 11, 7), replace=True)
    assert read_button(turn.callback_data) == earlier
    assert len(turn.callback_data.encode()) <= MAX_BYTES
    assert len(others) == 1
    assert turn.text == "◀ 前 7 天"


def turns(days: Days, open_day: date, language: str) -> list[tuple[str, date, date]]:
    """What the arrows of a chart say, and the days to which they lead."""
    keyboard = chart_buttons(Paper("chart", "m", ID, days), language, open_day=open_day)
    assert keyboard is not None
    buttons = [(b.text, read_button(b.callback_data or "")) for b in keyboard.inline_keyboard[0]]
    return [(text, b.first, b.last) for text, b in buttons if isinstance(b, OpenChart)]


@given(st.dates(date(2025, 3, 1), date(2026, 11, 29)), st.booleans())
def test_the_arrows_of_a_month_lead_to_the_months_beside_it_and_say_so(
    day: date, whole: bool
) -> None:
    open_day = date(2026, 11, 29)
    this = Days.month(day)
    if not whole or this.last > open_day:
        this, open_day = Days(this.first, max(day, this.first + timedelta(days=1))), day
        if this.last != open_day:
            return  # the first of a month is a day
    before = Days.month(this.first - timedelta(days=1))
    for language, back, forth in (
        ("zh", "◀ 上个月", "下个月 ▶"), ("en", "◀ Month before", "Month after ▶"),
    ):  # fmt: skip
        found = turns(this, open_day, language)
        assert found[0] == (back, before.first, before.last)
        if this.last < open_day:
            text, first, last = found[1]
            after = Days.month(this.last + timedelta(days=1))
            assert (text, first, last) == (forth, after.first, min(after.last, open_day))
        else:
            assert len(found) == 1


def test_the_arrows_of_a_day_lead_to_the_days_beside_it() -> None:
    day = date(2026, 11, 20)
    assert turns(Days.one(day), date(2026, 11, 29), "zh") == [
        ("◀ 前一天", date(2026, 11, 19), date(2026, 11, 19)),
        ("后一天 ▶", date(2026, 11, 21), date(2026, 11, 21)),
    ]


@given(st.text(max_size=60))
def test_whatever_a_merchant_is_called_the_picture_can_be_drawn(name: str) -> None:
    assert ElementTree.fromstring(draw_chart(chart(5, name=name), "zh")) is not None  # noqa: S314
