"""Business days begin at the first instant that exists, and every instant belongs to one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.kernel.clock import LONGEST_DAY, LOOK_S, SHORTEST_DAY, DayCut, SharedClock, rfc3339
from tests.core.support import instants

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
)
cuts = st.builds(
    DayCut, st.times().map(lambda t: t.replace(second=0, microsecond=0)), st.sampled_from(ZONES)
)


def utc(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@given(cuts, instants(1985, 2037))
def test_an_instant_lies_in_its_day(cut: DayCut, instant: datetime) -> None:
    day = cut.day_of(instant)
    assert cut.start_of(day) <= instant < cut.start_of(day + timedelta(days=1))


@given(cuts, st.dates(date(1985, 1, 1), date(2037, 12, 31)))
def test_a_day_starts_at_the_first_instant_that_exists(cut: DayCut, day: date) -> None:
    start = cut.start_of(day)
    zone = ZoneInfo(cut.zone)
    wanted = datetime.combine(day - timedelta(days=cut.days_ahead), cut.at)
    assert start.astimezone(zone).replace(tzinfo=None) >= wanted
    before = (start - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert before < wanted


@pytest.mark.parametrize(
    ("zone", "at", "day", "starts"),
    [
        # clocks jump over the cut: the first instant after the gap
        ("Europe/Berlin", time(2, 30), date(2026, 3, 29), utc(2026, 3, 29, 1)),
        ("America/New_York", time(2, 0), date(2026, 3, 8), utc(2026, 3, 8, 7)),
        ("Asia/Shanghai", time(2, 30), date(1986, 5, 4), utc(1986, 5, 3, 18)),
        # clocks repeat the cut: the first of the two
        ("Europe/Berlin", time(2, 30), date(2026, 10, 25), utc(2026, 10, 25, 0, 30)),
        ("America/New_York", time(1, 30), date(2026, 11, 1), utc(2026, 11, 1, 5, 30)),
        # ordinary days
        ("Asia/Shanghai", time(0, 0), date(2026, 11, 21), utc(2026, 11, 20, 16)),
        ("Europe/Berlin", time(6, 0), date(2026, 7, 1), utc(2026, 7, 1, 4)),
    ],
)
def test_starts_around_changes_of_the_clocks(
    zone: str, at: time, day: date, starts: datetime
) -> None:
    cut = DayCut(at, zone)
    assert cut.start_of(day) == starts
    assert cut.day_of(starts) == day
    assert cut.day_of(starts - timedelta(seconds=1)) == day - timedelta(days=1)


def test_days_have_the_length_the_clocks_give_them() -> None:
    cut = DayCut(time(0, 0), "Europe/Berlin")

    def hours(day: date) -> float:
        return (cut.start_of(day + timedelta(days=1)) - cut.start_of(day)).total_seconds() / 3600

    assert hours(date(2026, 3, 29)) == 23
    assert hours(date(2026, 10, 25)) == 25
    assert hours(date(2026, 6, 1)) == 24


ONE_DAY = timedelta(days=1)


def held(span: tuple[datetime, datetime], day: date, zone: str) -> timedelta:
    """How much of a calendar day lies between two instants."""
    first, last = (DayCut(time(0), zone).start_of(day + n * ONE_DAY) for n in (0, 1))
    return max(timedelta(0), min(span[1], last) - max(span[0], first))


@given(cuts, st.dates(date(1985, 1, 1), date(2037, 12, 30)))
def test_a_day_bears_the_date_of_which_it_holds_most(cut: DayCut, day: date) -> None:
    span = (cut.start_of(day), cut.start_of(day + ONE_DAY))
    before, its_own, after = (held(span, day + n * ONE_DAY, cut.zone) for n in (-1, 0, 1))
    midnights = [DayCut(time(0), cut.zone).start_of(day + n * ONE_DAY) for n in (-1, 2)]
    jumped = abs(midnights[1] - midnights[0] - 3 * ONE_DAY)  # clocks that are changed meanwhile
    assert its_own + jumped >= max(before, after)
    assert before + its_own + after == span[1] - span[0]


@pytest.mark.parametrize(
    ("at", "instant", "day"),
    [
        (time(23), utc(2026, 3, 11, 9), date(2026, 3, 11)),
        (time(23), utc(2026, 3, 11, 22, 59), date(2026, 3, 11)),
        (time(23), utc(2026, 3, 11, 23), date(2026, 3, 12)),
        (time(12), utc(2026, 3, 11, 11, 59), date(2026, 3, 10)),
        (time(12), utc(2026, 3, 11, 12), date(2026, 3, 11)),
        (time(12, 1), utc(2026, 3, 11, 12), date(2026, 3, 11)),
        (time(12, 1), utc(2026, 3, 11, 12, 1), date(2026, 3, 12)),
    ],
)
def test_a_day_that_is_cut_after_noon_begins_on_the_evening_before(
    at: time, instant: datetime, day: date
) -> None:
    assert DayCut(at, "UTC").day_of(instant) == day


@given(cuts, cuts, st.dates(date(2013, 1, 1), date(2037, 12, 28)))
def test_a_moved_cut_is_reached_in_two_days_of_12_to_36_hours(
    old: DayCut, new: DayCut, day: date
) -> None:
    following, starts_at = day + ONE_DAY, old.start_of(day + ONE_DAY)
    assume(-ONE_DAY < new.start_of(following) - starts_at <= ONE_DAY)  # others are refused
    for _ in range(2):
        ends_at = new.end_of(following, starts_at)
        assert SHORTEST_DAY <= ends_at - starts_at <= LONGEST_DAY
        span = (starts_at, ends_at)
        assert any(held(span, following, cut.zone) for cut in (old, new)), "it bears a date it has"
        following, starts_at = following + ONE_DAY, ends_at
    two_days = new.start_of(following) - new.start_of(following - 2 * ONE_DAY)
    jumped = abs(two_days - 2 * ONE_DAY)  # clocks that are changed meanwhile
    assert abs(starts_at - new.start_of(following)) <= jumped


def test_the_night_before_the_cut_belongs_to_the_day_before() -> None:
    cut = DayCut(time(6, 0), "Asia/Shanghai")
    assert cut.day_of(utc(2026, 11, 20, 21, 59)) == date(2026, 11, 20)
    assert cut.day_of(utc(2026, 11, 20, 22, 0)) == date(2026, 11, 21)


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_written_in_one_form_whatever_its_zone(instant: datetime) -> None:
    written = rfc3339(instant)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert timedelta(0) <= instant - datetime.fromisoformat(written) < timedelta(milliseconds=1)


class Machine:
    """A machine whose wall clock can be set."""

    def __init__(self) -> None:
        self.steady_s, self.wall = 1000.0, utc(2026, 11, 20, 12, 0)

    def clock(self) -> SharedClock:
        return SharedClock(lambda: self.steady_s, lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.steady_s += seconds
        self.wall += timedelta(seconds=seconds)


async def look(
    clock: SharedClock, machine: Machine, shared: datetime, *, took_s: float = 0.2
) -> bool:
    async def ask() -> datetime:
        machine.passes(took_s)
        return shared

    return await clock.look(ask)


async def test_the_time_is_the_databases_however_the_machines_is_set() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock.now() == machine.wall
    true = machine.wall - timedelta(seconds=42)
    assert await look(clock, machine, true)
    assert abs(clock.ahead_s - 42.1) < 0.01
    assert clock.now() == true + timedelta(seconds=0.1), "what it was before the first look is over"
    machine.passes(60)
    assert clock.now() == true + timedelta(seconds=60.1)
    machine.wall += timedelta(minutes=10)
    assert clock.now() == true + timedelta(seconds=60.1)
    assert await look(clock, machine, true + timedelta(seconds=60.2))
    assert abs(clock.ahead_s - 642.1) < 0.01
    assert clock.now().utcoffset() == timedelta(0)


async def test_time_does_not_run_backwards_between_two_looks() -> None:
    machine = Machine()
    clock = machine.clock()
    assert await look(clock, machine, machine.wall)
    machine.passes(60)
    before = clock.now()
    assert await look(clock, machine, before - timedelta(seconds=30))
    assert clock.now() == before
    machine.passes(31)
    assert clock.now() > before


async def test_an_answer_that_took_long_says_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    assert not await look(clock, machine, before + timedelta(hours=1), took_s=LOOK_S + 0.1)
    assert clock.now() == before + timedelta(seconds=LOOK_S + 0.1)
    assert clock.ahead_s == 0
