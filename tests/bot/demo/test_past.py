"""The demo's past is as true as a lived one, and the same whenever and wherever it is made."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo import deeds, past
from bot.world import Addresses
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.runtime import Connections, Runtime, build
from past import StillClock
from tests.conftest import MASTER_KEY, PUBLIC_URL, SUPPLIER_KEYS, Servers
from tests.core.support import sandbox_supplier
from tests.databases import Databases

_MIGRATED = "template_demo"
# Mid-day in Shanghai, and an hour at which M1002's day of yesterday is still open.
FEW_DAYS = 3
AFTERNOON, NIGHT = timedelta(hours=15, minutes=30), timedelta(hours=2, minutes=10)


@dataclass
class Lived:
    """A desk that has a past. today: in Shanghai."""

    runtime: Runtime
    today: date


@asynccontextmanager
async def lived(
    servers: Servers, databases: Databases, home: Path, at: timedelta, days: int
) -> AsyncIterator[Lived]:
    """A desk on a database of its own, with so many days behind it, at a time of today in
    Shanghai."""
    today = DayCut().day_of(datetime.now(UTC))
    now = DayCut().start_of(today) + at
    clock = StillClock(past.first_instant(now, days))
    database = await databases.fresh(_MIGRATED)
    runtime = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        clock=clock,
    )
    try:
        await runtime.system.redis.flushdb()
        async with sandbox_supplier(home) as supplier:
            await past.make_past(runtime, clock, now, Addresses(supplier.base, SUPPLIER_KEYS, {}))
            yield Lived(runtime, today)
    finally:
        await runtime.close()


async def figures(desk: Lived, days: int) -> dict[tuple[str, int], tuple[int, ...]]:
    """What each bill of a closed day says: by merchant, and by how long ago it was."""
    found: dict[tuple[str, int], tuple[int, ...]] = {}
    for merchant in await desk.runtime.parties.merchants.everybody():
        open_day = await desk.runtime.reports.bills.open_day(merchant.id)
        for ago in range(days, 0, -1):
            day = desk.today - timedelta(days=ago)
            if ago > deeds.SHOPS[merchant.merchant_no].since or day >= open_day:
                continue
            bill = await desk.runtime.reports.bills.merchant(merchant.id, Days.one(day))
            found[merchant.merchant_no, ago] = (
                bill.opening_minor,
                bill.closing_minor,
                sum(line.created for line in bill.products),
                sum(line.paid for line in bill.products),
            )
    return found


async def test_a_demo_has_thirty_days_behind_it(
    servers: Servers, databases: Databases, tmp_path: Path
) -> None:
    async with lived(servers, databases, tmp_path, AFTERNOON, deeds.DAYS) as desk:
        runtime = desk.runtime
        assert [str(d) for d in (await runtime.reports.verify.whole()).differences] == []
        found = await figures(desk, deeds.DAYS)
        for merchant_no, shop in deeds.SHOPS.items():
            days = [found[merchant_no, ago] for ago in range(shop.since, 0, -1)]
            assert all(before[1] == after[0] for before, after in itertools.pairwise(days))
            assert all(created > paid > 0 for _, _, created, paid in days)
        assert len((await runtime.supply.market.now()).products) == 6
        (paused,) = [
            channel
            for channel in await runtime.supply.channels.all()
            if channel.paused_until is not None
        ]
        assert paused.channel_no == "C10"
        assert paused.paused_until is not None
        assert paused.paused_until > runtime.system.clock.now() + timedelta(minutes=50)
        assert (await runtime.trade.discrepancies.open_ones(None)).total == 2
        first = await runtime.parties.merchants.by_no("M1001")
        yesterday = Days.one(desk.today - timedelta(days=1))
        (completed,) = (await runtime.reports.bills.merchant(first.id, yesterday)).completed_lines
        began_at = DayCut().start_of(yesterday.first)
        assert completed.at - began_at == timedelta(hours=15, minutes=40)


async def test_it_is_the_same_at_any_hour_and_in_any_zone(
    servers: Servers, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lived(servers, databases, tmp_path / "one", AFTERNOON, FEW_DAYS) as desk:
        by_day = await figures(desk, FEW_DAYS)
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    async with lived(servers, databases, tmp_path / "two", NIGHT, FEW_DAYS) as desk:
        by_night = await figures(desk, FEW_DAYS)
        assert [str(d) for d in (await desk.runtime.reports.verify.whole()).differences] == []
    # That day of M1002 is still open by night.
    assert by_day.keys() - by_night.keys() == {("M1002", 1)}
    assert {key: by_day[key] for key in by_night} == by_night
