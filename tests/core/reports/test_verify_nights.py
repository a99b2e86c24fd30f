"""What is over and was right is re-added in turn; what was changed in it is found all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from core.reports.verify import EVER, ROUND_NIGHTS, Night, tonight
from tests.conftest import Servers
from tests.core.support import Desk, owner

FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)
DAYS = 5
# It still sums to zero, and nothing that is added up since the last closing knows of it.
TAMPER = (
    "UPDATE ledger_entry SET minor = minor + CASE account WHEN 'fees' THEN ({by}) ELSE -({by}) END"
    " WHERE booked_at::date = $1 AND account IN ('fees', 'payable')"
)


@given(st.integers(0, 200), st.sets(st.integers(0, 200)))
def test_the_spans_of_a_night_are_what_is_new_and_what_is_open(over: int, right: set[int]) -> None:
    until = FIRST + over * DAY
    known = {FIRST + n * DAY: datetime(2026, 9, 1, n % 24, tzinfo=UTC) for n in right}
    night = tonight(FIRST, until, known)
    days = [day for span in night.spans for day in span.days]
    assert days == sorted(set(days))
    assert {FIRST + n * DAY for n in range(over)} - known.keys() <= set(days)
    assert len(days) == night.new + night.again
    assert night.spans[-1].ends_at == EVER.ends_at
    assert night.spans[-1].starts_at.date() <= max(until, FIRST)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(night.spans))
    if days[:1] == [FIRST]:
        assert night.spans[0].starts_at == EVER.starts_at, "and what is dated before all days"
    for span in night.spans:
        begins = span.starts_at.date()
        assert all(begins <= day < span.ends_at.date() for day in span.days)


@given(st.integers(1, 120))
def test_every_day_has_its_turn_in_time(over: int) -> None:
    """The books grow by a day every night meanwhile."""
    right: dict[date, datetime] = {}
    at = datetime(2026, 9, 1, 3, tzinfo=UTC)
    for later in range(2 * ROUND_NIGHTS + 2):
        night = tonight(FIRST, FIRST + (over + later) * DAY, right)
        for span in night.spans:
            right |= dict.fromkeys(span.days, at)
        assert night.known == over + later
        assert min(right.values()) > at - (ROUND_NIGHTS + 1) * DAY
        at += DAY


async def live_through_days(desk: Desk) -> list[date]:
    """Days that are over, with an order each, in UTC."""
    days = []
    desk.clock.go_to_noon()
    for _ in range(DAYS):
        await desk.see(await desk.open(), 10000)
        days.append(desk.clock.now().date())
        desk.clock.advance(86_400)
        for holder_id in await desk.runtime.ledger.calendar.due_to_roll():
            await desk.runtime.ledger.calendar.roll(holder_id)
        await desk.runtime.reports.bills.keep_sums()
    return days


async def wrong(desk: Desk) -> tuple[Night, set[date]]:
    """A night, and the days in which it found something."""
    verified = await desk.runtime.reports.verify.tonight()
    named = {d.where.split()[2] for d in verified.differences if d.what.startswith("entries are")}
    return verified.night, {date.fromisoformat(day) for day in named}


async def test_what_was_changed_in_an_old_day_is_found_in_its_turn(
    desk: Desk, servers: Servers, database: str
) -> None:
    days = await live_through_days(desk)
    night, found = await wrong(desk)
    assert (night.again, found) == (0, set())
    assert night.new == night.known >= DAYS - 1
    first = night.spans[0].days[0]
    share = -(-night.known // ROUND_NIGHTS)  # so many have their turn each night
    nights = (days[1] - first).days // share
    desk.clock.advance(60)
    async with owner(servers, database) as connection:
        await tamper(connection, days[1], 1)
        for _ in range(nights):
            night, found = await wrong(desk)
            assert (night.new, night.again, found) == (0, share, set()), "it is not its turn"
        whole = await desk.runtime.reports.verify.whole()
        assert any(d.what == "entries are rolled up once" for d in whole.differences)
        for _ in range(2):
            night, found = await wrong(desk)
            assert found == {days[1]}, "every night, until it is right"
        await tamper(connection, days[1], -1)
    _, found = await wrong(desk)
    assert found == set()
    night, _ = await wrong(desk)
    assert night.new == 0


async def test_a_balance_is_what_closed_and_what_came_since(
    desk: Desk, servers: Servers, database: str
) -> None:
    """Without a look at the days that are over."""
    await live_through_days(desk)
    verify = desk.runtime.reports.verify
    assert (await verify.tonight()).differences == ()
    async with owner(servers, database) as connection:
        await connection.execute("UPDATE balance SET minor = minor + 1 WHERE account = 'fees'")
    rules = {d.what for d in (await verify.tonight()).differences}
    assert "every balance is the sum of its entries" in rules


async def tamper(connection: asyncpg.Connection[asyncpg.Record], day: date, by: int) -> None:
    assert await connection.execute(TAMPER.format(by=by), day) == "UPDATE 2"
