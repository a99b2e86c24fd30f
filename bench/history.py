"""A past for the merchants of a town: months of orders, booked, rolled up, closed day by day.

It is made inside the database, a merchant's month at a time, and is true enough that `verify-books`
finds nothing wrong with it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from core.books import ROLLED_ATTEMPTS, ROLLED_ENTRIES, ROLLED_ORDERS
from core.parties.merchants import Merchant
from core.runtime import Runtime
from past import Pattern, book_orders

DAYS: Final = 75
WHALE_ORDERS: Final = 500_000
# Three orders of four are paid: 10 M orders have 30 M entries.
_ONE_EXPIRES_OF: Final = 4
# What an order takes on disk with all that belongs to it, and what the log takes meanwhile.
ORDER_BYTES: Final = 6_000
_LOG_BYTES: Final = 3 * 1024**3
_HANDS: Final = 2
_YOUNGEST: Final = timedelta(hours=1)
# Nobody waits for these rows: where the machine fails, they are made anew.
_SESSION: Final = {
    "default_transaction_read_only": "off",
    "synchronous_commit": "off",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
}


class NoRoom(Exception):
    """The disk has no room for so many orders. The message says how much is free and needed."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was made. whale_orders: of the merchant with the most."""

    orders: int
    whale_orders: int
    took_s: float


def need_room(folder: Path, orders: int) -> None:
    """Raises NoRoom."""
    free, needed = shutil.disk_usage(folder).free, orders * ORDER_BYTES + _LOG_BYTES
    if orders and free < needed:
        raise NoRoom(
            f"{orders:,} orders need {needed / 1e9:.0f} GB, and {folder} has {free / 1e9:.0f} GB"
        )


async def make_past(runtime: Runtime, dsn: str, whale_no: str, orders: int) -> Past:
    """So many orders of the last DAYS days, of all merchants; no desk may run meanwhile.

    Of the merchant with `whale_no` half of them, WHALE_ORDERS at most; of all others as many each.
    """
    loop, merchants = asyncio.get_running_loop(), await runtime.parties.merchants.everybody()
    began_s, ends_at = loop.time(), await _start_of_past(runtime, dsn, merchants)
    starts_at = ends_at - timedelta(days=DAYS)
    (whale,) = [one for one in merchants if one.merchant_no == whale_no]
    others = [one for one in merchants if one is not whale]
    most = min(orders // 2, WHALE_ORDERS)
    share, more = divmod(orders - most, len(others))
    work = [(whale, most), *((one, share + (n < more)) for n, one in enumerate(others))]
    waiting = iter([(one, count) for one, count in work if count])

    async def hand() -> None:
        connection = await asyncpg.connect(dsn, server_settings=_SESSION)
        try:
            for merchant, count in waiting:
                await book_orders(
                    connection, merchant, count, starts_at, ends_at,
                    Pattern(_ONE_EXPIRES_OF), rolled=True,
                )  # fmt: skip
        finally:
            await connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(_HANDS):
            group.create_task(hand())
    await _close_days(dsn)
    return Past(orders, most, loop.time() - began_s)


async def _start_of_past(runtime: Runtime, dsn: str, merchants: Sequence[Merchant]) -> datetime:
    """Months and days for it; when it ends: all that was booked by then is rolled up."""
    for merchant in merchants:
        await runtime.ledger.calendar.roll(merchant.id)
    connection = await asyncpg.connect(dsn, server_settings=_SESSION)
    try:
        rolled_to: datetime = await connection.fetchval(_ROLLED_TO)
        ends_at = min(rolled_to, datetime.now(UTC) - _YOUNGEST)
        first = ends_at - timedelta(days=DAYS + 1)
        await connection.fetchval("SELECT make_months($1, $2)", first.date(), DAYS // 28 + 2)
        await connection.execute(_PAST_DAYS, DAYS + 2)
    finally:
        await connection.close()
    return ends_at


async def _close_days(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings=_SESSION)
    try:
        for sql in (*_DAYS_ROLLED, _CLOSINGS):
            await connection.execute(sql)
        # As the database does by itself, in time.
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


_ROLLED_TO: Final = """
SELECT min(d.rolled_to) FROM business_day d JOIN merchant m ON m.id = d.holder_id
WHERE d.closed_at IS NULL
"""
# Before everybody's first day. $1: how many.
_PAST_DAYS: Final = """
INSERT INTO business_day
    (holder_id, day, starts_at, ends_at, zone, rolled_to, closed_at, sums_kept)
SELECT f.holder_id, f.day - n, f.starts_at - n * interval '24 hours', past.ends_at, f.zone,
       past.ends_at, past.ends_at, true
FROM (SELECT DISTINCT ON (holder_id) * FROM business_day ORDER BY holder_id, day) f
CROSS JOIN generate_series(1, $1::int) n
CROSS JOIN LATERAL (SELECT f.starts_at - (n - 1) * interval '24 hours' AS ends_at) past
"""
# Hours are there; a few were rolled up by the desk itself. Days lie one after another, as a desk
# writes them.
_DAYS_ROLLED: Final = [
    f"INSERT INTO {rollup.table}_day (merchant_id, day, mode, {rollup.keys},"
    f" {', '.join(rollup.sums)}) {rollup.days_of(rollup.table)} ORDER BY day"
    f" ON CONFLICT (merchant_id, day, mode, {rollup.keys})"
    f" DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rollup.sums)}"
    for rollup in (ROLLED_ENTRIES, ROLLED_ORDERS, ROLLED_ATTEMPTS)
]
# Days of suppliers and of the platform are windows over all merchants' books: they begin with an
# hour, as the demo's and the town's do.
_CLOSINGS: Final = """
WITH hours AS MATERIALIZED (
    SELECT hour, mode, currency, account, sum(minor) AS minor
    FROM rollup_entry GROUP BY 1, 2, 3, 4
), whose AS (
    SELECT merchant_id AS holder_id, day, mode, currency, account, sum(minor) AS minor
    FROM rollup_entry GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT d.holder_id, d.day, h.mode, h.currency, h.account, sum(h.minor)
    FROM hours h
    LEFT JOIN supplier s ON s.supplier_no = substring(h.account FROM '/(S[0-9]+)')
    JOIN business_day d ON h.hour >= d.starts_at AND h.hour < d.ends_at
        AND d.holder_id IN (s.id, '00000000-0000-0000-0000-000000000000')
    WHERE h.account !~ '^(bank|supplier/)'
    GROUP BY 1, 2, 3, 4, 5
), account AS (
    SELECT holder_id, mode, currency, account, min(day) AS since FROM whose GROUP BY 1, 2, 3, 4
)
INSERT INTO closing AS c (holder_id, day, mode, currency, account, minor)
SELECT a.holder_id, d.day, a.mode, a.currency, a.account,
       sum(coalesce(w.minor, 0)) OVER (PARTITION BY a.holder_id, a.mode, a.currency, a.account
                                       ORDER BY d.day)
FROM account a
JOIN business_day d ON d.holder_id = a.holder_id AND d.day >= a.since AND d.closed_at IS NOT NULL
LEFT JOIN whose w ON w.holder_id = a.holder_id AND w.day = d.day AND w.mode = a.mode
    AND w.currency = a.currency AND w.account = a.account
ON CONFLICT (holder_id, day, mode, currency, account) DO UPDATE SET minor = excluded.minor
"""
