"""Many at once on one merchant: nothing is lost, nothing deadlocks, and the books add up.

PAYDESK_CROWD_SECONDS sets how long; by day it is short.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import count
from random import Random
from time import monotonic

import pytest

from core.accounts.vouchers import Advance, Cause
from core.books import AlreadyBooked, BusinessDay, Event, prepaid
from core.kernel.money import Money
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from core.system.store import Tx
from core.trade.orders import Opened
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import CHAT, Desk, Entrance, SetClock
from tests.sizes import size

TASKS = 50
SECONDS = float(os.environ.get("PAYDESK_CROWD_SECONDS", size(2, 60)))
ORDERS = 40


@pytest.fixture
async def runtime(
    servers: Servers, database: str, clock: SetClock, entrance: Entrance
) -> AsyncIterator[Runtime]:
    """A desk with enough connections that tasks meet in the database, not before it."""
    built = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url, pool=PoolSizes(front=40)),
        master_key=MASTER_KEY,
        public_url=entrance.url,
        allow_private_targets=True,
        clock=clock,
    )
    entrance.runtime = built
    yield built
    entrance.runtime = None
    await built.close()


class Crowd:
    """What every task may do, and what it all should come to."""

    def __init__(self, desk: Desk, orders: list[Opened]) -> None:
        self.desk = desk
        self.orders = orders
        self.paid: set[str] = set()
        self.advanced_minor = 0
        self.bookings = 0
        self._messages = count(1)

    async def act(self, random: Random, until: float) -> None:
        while monotonic() < until:
            await random.choice((self.pay, self.prepay, self.prepay, self.twin, self.roll))(random)
            self.bookings += 1

    async def pay(self, random: Random) -> None:
        opened = random.choice(self.orders)
        settled = await self.desk.see(opened, 10000)
        assert settled.meaning in ("order", "redelivery")
        self.paid.add(opened.order.order_no)

    async def prepay(self, random: Random) -> None:
        minor = random.choice((100, 2500, -300))
        await self.desk.runtime.accounts.prepayments.record(
            await self.desk.actor(), self.desk.merchant, Advance(Money(minor, "CNY"), ""),
            Cause(CHAT, next(self._messages), 1),
        )  # fmt: skip
        self.advanced_minor += minor

    async def twin(self, random: Random) -> None:
        """The same event by several at once: booked once, whoever comes first."""
        key = f"twin:{random.randrange(20)}"

        async def work(tx: Tx, day: BusinessDay) -> None:
            event = Event(key, "prepaid", "live", prepaid(Money(7, "JPY")))
            await self.desk.runtime.ledger.book(tx, day, event)

        try:
            merchant = self.desk.merchant
            await self.desk.runtime.ledger.in_open_day(merchant.id, work)
        except AlreadyBooked:
            return

    async def roll(self, random: Random) -> None:
        if random.random() < 0.1:
            merchant = self.desk.merchant
            await self.desk.runtime.ledger.calendar.roll(merchant.id)


@pytest.mark.timeout(SECONDS + 60)
async def test_fifty_at_once_on_one_merchant(desk: Desk) -> None:
    crowd = Crowd(desk, [await desk.open() for _ in range(ORDERS)])
    until = monotonic() + SECONDS
    await asyncio.gather(*(crowd.act(Random(seed), until) for seed in range(TASKS)))
    assert crowd.bookings > TASKS
    booked = await desk.balances()
    assert booked["payable"] == 9880 * len(crowd.paid)
    assert -booked["prepaid"] == crowd.advanced_minor
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)
    await desk.sound()
