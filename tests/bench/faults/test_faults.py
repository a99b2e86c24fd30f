"""`make faults` in short: the faults that need one desk only, one after another at the same desk.

Bars of time are wider than there, for a machine that does other things as well; without what they
measure each would be missed by much more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.faults import away, fairness, locks, logs, telegram
from bench.faults.kit import Ground, Row, Site, site


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site with one desk."""
    home: Path = tmp_path_factory.mktemp("faults")
    # The database may run as somebody else, who must get to its folder.
    for folder in (home, *home.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    async with Ground.made(home) as ground, site(ground, desks=1) as found:
        yield found


def missed(rows: list[Row]) -> list[Row]:
    assert rows
    return [row for row in rows if row.ok is not True]


async def test_a_log_that_cannot_be_written_stops_nothing(place: Site) -> None:
    assert missed(await logs.pipe_closed(place, creates=5, told_s=0)) == []


async def test_one_merchants_stuck_lock_stops_no_other(place: Site) -> None:
    assert missed(await locks.stuck_session(place, creates=10, bar_s=6, own_bar_s=12)) == []


async def test_a_database_that_hangs_is_told_of_soon(place: Site) -> None:
    assert missed(await away.database_hung(place, creates=5, bar_s=9)) == []


async def test_a_valkey_that_hangs_makes_no_create_slow(place: Site) -> None:
    assert missed(await away.valkey_hung(place, creates=10, bar_s=0.8)) == []


async def test_silent_receivers_delay_no_other_merchants_news(place: Site) -> None:
    assert missed(await fairness.silent_receivers(place, addresses=60, own=6, bar_s=4)) == []


async def test_lines_in_flight_at_a_move_are_booked_and_answered(place: Site) -> None:
    assert missed(await telegram.group_that_moves(place)) == []


async def test_one_message_of_many_lines_has_one_receipt(place: Site) -> None:
    assert missed(await telegram.many_lines(place)) == []
