"""How often a prepayment waits for the database, and how much of that the thresholds are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest

from bench.wire import Wire
from core.accounts.vouchers import PREPAYMENT, Advance
from core.accounts.written import Written
from core.kernel.money import Money
from core.people.desk_settings import Value
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import Desk, Entrance, SetClock, set_setting
from tests.roundtrips import ROUNDS, counting, least

_amounts = count(1_000)  # the same twice may be a slip


@pytest.fixture
async def wire(servers: Servers, database: str) -> AsyncIterator[Wire]:
    async with counting(servers, database) as wire:
        yield wire


@pytest.fixture
async def runtime(
    servers: Servers, wire: Wire, clock: SetClock, entrance: Entrance
) -> AsyncIterator[Runtime]:
    """The business, whose questions are counted; few connections, each of which learns soon."""
    built = await build(
        Connections(wire.dsn, servers.valkey_url, pool=PoolSizes(2)),
        master_key=MASTER_KEY,
        public_url=entrance.url,
        allow_private_targets=True,
        clock=clock,
    )
    try:
        yield built
    finally:
        await built.close()


async def prepay(desk: Desk) -> None:
    minor = next(_amounts)
    line = Written(1, PREPAYMENT, desk.merchant, Advance(Money(minor, "CNY"), ""))
    await desk.runtime.accounts.slips.record(await desk.actor(), [line], minor)


# The threshold asks when the day began and what the person moved in it, the cap its own setting and
# sum under a lock.
@pytest.mark.parametrize(
    ("second", "daily", "most"), [(None, None, 19), (50_000, None, 21), (50_000, 1_000_000, 24)]
)
async def test_a_prepayment(desk: Desk, wire: Wire, second: Value, daily: Value, most: int) -> None:
    await set_setting(desk.runtime, "prepay_second", second)
    await set_setting(desk.runtime, "prepay_daily", daily)
    assert await least(wire, [lambda: prepay(desk)] * ROUNDS) <= most
