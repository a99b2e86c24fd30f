"""How bills and charts are read where months are full: by index, in the months they are of."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from core.kernel.days import Days
from core.reports.exports import points
from core.system.store import Tx
from tests.conftest import Servers
from tests.core.support import Desk, owner

ORDERS: Final = 50_000
MONTHLY: Final = re.compile(r"(.+)_(\d{4}_\d{2})")
# The merchant's orders of the last three months, and what was booked of them; a few since the open
# day was rolled up.
FILL: Final = """
WITH placed AS (
    SELECT gen_random_uuid() AS id, n,
           $2::timestamptz - interval '85 days' * (n::float8 / $3) AS at
    FROM generate_series(1, $3::int) n
), ordered AS (
    INSERT INTO orders (merchant_id, id, created_at, order_no, app_id, mode, merchant_order_no,
        amount_minor, currency, subject, client_ip, state, created_day, expires_at, end_at)
    SELECT $1, id, at, 'F' || n, gen_random_uuid(), 'live', 'F' || n, 10000, 'CNY', 'x',
        '203.0.113.9', 'expired', (at AT TIME ZONE 'Asia/Shanghai')::date, at, at FROM placed
)
INSERT INTO ledger_entry (merchant_id, booked_at, event_id, line, kind, mode, day, account,
    currency, minor, product_code, channel_no)
SELECT $1, at, id, l, 'order', 'live', (at AT TIME ZONE 'Asia/Shanghai')::date,
    (ARRAY['payable', 'fees', 'due/S01'])[l], 'CNY', (ARRAY[9900, 100, -10000])[l], 'alipay_qr',
    'C01'
FROM placed, generate_series(1, 3) l
"""


class Explained(Tx):
    """A transaction that has each question explained as it was answered."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.nodes: list[dict[str, Any]] = []

    async def _explain(self, sql: str, args: tuple[object, ...]) -> None:
        plan = await self._tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
        self.nodes += _nodes(json.loads(plan)[0]["Plan"])

    async def fetch(
        self, sql: str, *args: object, timeout_s: float | None = None
    ) -> list[asyncpg.Record]:
        await self._explain(sql, args)
        return await self._tx.fetch(sql, *args, timeout_s=timeout_s)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        await self._explain(sql, args)
        return await self._tx.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        await self._explain(sql, args)
        return await self._tx.fetchval(sql, *args)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


@pytest.fixture
async def filled(desk: Desk, servers: Servers, database: str) -> Desk:
    """A desk with months of orders, whose open day is rolled up to a moment ago."""
    now = desk.clock.now()
    await desk.runtime.system.store.make_months((now - timedelta(days=95)).date(), 5)
    async with owner(servers, database) as connection:
        await connection.execute(FILL, desk.merchant.id, now, ORDERS)
        await connection.execute("ANALYZE")
        await connection.execute(
            "UPDATE business_day SET rolled_to = least(ends_at, greatest(starts_at, $2))"
            " WHERE holder_id = $1",
            desk.merchant.id,
            now - timedelta(minutes=30),
        )
    return desk


@asynccontextmanager
async def explained(desk: Desk) -> AsyncIterator[Explained]:
    """What is asked inside: no months are read through, nor those looked at that are over."""
    now = desk.clock.now()
    async with desk.runtime.system.store.snapshot() as tx:
        seen = Explained(tx)
        yield seen
    months = {f"{now - timedelta(days=back):%Y_%m}" for back in (-4, 0, 4)}
    assert not {node["Node Type"] for node in seen.nodes} & {"Gather", "Gather Merge"}
    of_months = 0
    for node in seen.nodes:
        found = MONTHLY.fullmatch(node.get("Relation Name", ""))
        if found is None or not node["Actual Loops"]:
            continue
        of_months += 1
        if not node["Actual Rows"] and not node.get("Rows Removed by Filter"):
            continue  # nothing is there
        assert node["Node Type"] != "Seq Scan", node
        assert found[2] in months, node
    assert of_months, "the live tail was looked at"


async def test_a_merchants_bill(filled: Desk) -> None:
    today = await filled.runtime.reports.bills.open_day(filled.merchant.id)
    for days in (Days.one(today), Days(today - timedelta(days=20), today)):
        async with explained(filled) as tx:
            bill = await filled.runtime.reports.bills.merchant_in(tx, filled.merchant, days, today)
            assert bill.products
            await points.chart_of_merchant(tx, bill)


async def test_a_suppliers_and_the_platforms_bill(filled: Desk) -> None:
    bills = filled.runtime.reports.bills
    supplier = await filled.runtime.parties.suppliers.by_no("S01")
    today = await bills.open_day(supplier.id)
    async with explained(filled) as tx:
        supplied = await bills.supplier_in(tx, supplier, Days.one(today), today)
        assert supplied.lines
        await points.chart_of_supplier(tx, supplied, supplier.day_cut)
    async with explained(filled) as tx:
        whole = await bills.platform_in(tx, Days.one(today), today, "CNY")
        assert whole.products
        await points.chart_of_platform(tx, whole, supplier.day_cut)


def hours_of(seen: Explained) -> set[str]:
    """Sums by hour that were looked at."""
    looked_at = {node.get("Relation Name", "") for node in seen.nodes if node["Actual Loops"]}
    return looked_at & {"rollup_entry", "rollup_order", "rollup_attempt"}


async def test_hours_are_read_for_a_chart_of_one_day_alone(filled: Desk) -> None:
    bills, merchant = filled.runtime.reports.bills, filled.merchant
    today = await bills.open_day(merchant.id)
    async with filled.runtime.system.store.snapshot() as tx:
        seen = Explained(tx)
        week = await bills.merchant_in(
            seen, merchant, Days(today - timedelta(days=7), today), today
        )
        await points.chart_of_merchant(seen, week)
        day = await bills.merchant_in(seen, merchant, Days.one(today), today)
        assert hours_of(seen) == set()
        await points.chart_of_merchant(seen, day)
        assert hours_of(seen) == {"rollup_entry", "rollup_order"}
