"""A merchant's day with orders in it, and a build that stands still until a test lets it go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bench.books import add_channels
from core.parties.merchants import Merchant
from core.runtime import Runtime
from past import book_orders
from tests.conftest import Servers
from tests.core.support import SetClock, owner
from tests.demo import SETTLE_S, eventually


async def busy_day(runtime: Runtime, clock: SetClock, merchant: Merchant, orders: int) -> None:
    """So many paid orders on the merchant's open day, on three products and six channels."""
    await add_channels(runtime)
    clock.go_to_noon()
    await runtime.reports.bills.open_day(merchant.id)
    starts_at = clock.now()  # what was before is rolled up by now
    ends_at = starts_at + timedelta(minutes=30)
    await book_orders(runtime.system.store, merchant, orders, starts_at, ends_at)
    clock.go_to(ends_at)


@asynccontextmanager
async def locked(servers: Servers, database: str, table: str) -> AsyncIterator[None]:
    """While entered, nobody reads the table."""
    async with owner(servers, database) as elsewhere, elsewhere.transaction():
        await elsewhere.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def stuck(runtime: Runtime, table: str, *, timeout_s: float = SETTLE_S) -> None:
    """Until somebody waits for the table."""

    async def waits() -> bool:
        return bool(await runtime.system.store.fetchval(_WAITING, table))

    await eventually(waits, what=f"somebody waits for {table}", timeout_s=timeout_s)


_WAITING = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
               WHERE NOT l.granted AND c.relname = $1)
"""
