"""What tiers by volume go by: asked once for each day, and right on every day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import asyncpg

from core.books import Ledger, paid, reversal
from core.kernel.ids import Ids
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff, Tier
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.system.store import Queries
from core.trade.orders import Order
from tests.core.reports.bills.books import Books
from tests.core.support import Desk, SetClock


@dataclass
class Counted:
    """Questions on their way to the database, counted."""

    queries: Queries
    asked: list[str] = field(default_factory=list)

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        self.asked.append(sql)
        return await self.queries.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        self.asked.append(sql)
        return await self.queries.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        self.asked.append(sql)
        return await self.queries.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        self.asked.append(sql)
        return await self.queries.execute(sql, *args)


async def test_a_volume_is_asked_once_a_day_and_is_that_of_the_days_before(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    books, store = Books(runtime, clock), Counted(runtime.system.store)
    other = Ledger(runtime.system.store, clock, Ids(clock))  # of another process

    async def volume(
        ledger: Ledger, day: date, mode: str = "live", product: str = "alipay_qr"
    ) -> int:
        return await ledger.volume(store, merchant.id, mode, "CNY", product, day)

    clock.go_to_noon()
    expected = 0
    for nth in range(3):
        day = await runtime.ledger.calendar.today(merchant.id)
        # Before, between and after what is paid on the open day, which does not count yet.
        for minor in (1000 + nth, 2000, 4000):
            for ledger in (runtime.ledger, other):
                assert await volume(ledger, day) == expected
            await books.pay(merchant, minor)
            await books.pay(merchant, 7, product="wechat_qr")
            await books.pay(merchant, 11, mode="test")
            await books.roll(merchant)
        assert len(store.asked) == 2 * (nth + 1)
        expected += 7000 + nth
        clock.advance(86_400)
    day = await runtime.ledger.calendar.today(merchant.id)
    assert await volume(runtime.ledger, day, product="wechat_qr") == 3 * 3 * 7
    assert await volume(runtime.ledger, day, mode="test") == 3 * 3 * 11
    # Days of the past are asked for when past orders are charged anew.
    assert await volume(other, day.replace(day=1)) == 0


async def test_a_month_that_took_back_more_than_was_paid_is_sold_at_its_first_tier(
    desk: Desk,
) -> None:
    """An order of the last month was completed by hand, and is reversed in this one."""
    desk.clock.go_to_noon()
    runtime, merchant = desk.runtime, desk.merchant
    books, cut = Books(runtime, desk.clock), merchant.day_cut
    tiers = Tariff((Tier(0, Rate(20_000)), Tier(5_000, Rate(10_000))), "volume")
    await runtime.parties.merchants.offers.set_tariff(merchant, "alipay_qr", tiers, actor="test")
    completed = paid(Money(5_000, "CNY"), fee_minor=12, cost_minor=5, supplier_no="S01")
    await books.book(merchant.id, "completed", completed, "alipay_qr", "C01")
    today = await runtime.ledger.calendar.today(merchant.id)
    first = (today + timedelta(days=40)).replace(day=1)
    found = []
    for nth, (kind, postings) in enumerate(
        (("completion_reversed", reversal(completed)), ("order", completed), ("order", completed))
    ):
        desk.clock.go_to(cut.start_of(first + timedelta(days=nth)))
        opened = await desk.open()
        found.append((await _volume_of(opened.order, runtime), opened.order.agreed.fee_minor))
        await books.book(merchant.id, kind, postings, "alipay_qr", "C01")
    desk.clock.go_to(cut.start_of(first + timedelta(days=3)))
    opened = await desk.open()
    found.append((await _volume_of(opened.order, runtime), opened.order.agreed.fee_minor))
    assert found == [(0, 200), (0, 200), (0, 200), (5_000, 100)]


async def _volume_of(order: Order, runtime: Runtime) -> int:
    """What an order's tier went by."""
    return await runtime.ledger.volume(
        runtime.system.store,
        order.merchant_id,
        "live",
        "CNY",
        order.agreed.product_code,
        order.created_day,
    )
