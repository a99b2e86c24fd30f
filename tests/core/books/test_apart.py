"""Two merchants never wait for each other: shown with every lock held that there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from core.accounts.vouchers import Advance, Cause
from core.kernel.money import Money
from core.system.store import Tx
from tests.core.support import NORTHWIND_CHAT, Desk

# Longer than anything takes that does not wait.
PATIENCE_S = 5.0


async def hold_merchant(tx: Tx, desk: Desk) -> None:
    """Everything of one merchant that a payment, a completion or a prepayment could touch."""
    for table, key in (
        ("merchant", "id"), ("business_day", "holder_id"), ("orders", "merchant_id"),
        ("attempt", "merchant_id"), ("balance", "merchant_id"), ("discrepancy", "merchant_id"),
        ("rollup_entry", "merchant_id"), ("rollup_order", "merchant_id"),
        ("rollup_attempt", "merchant_id"), ("rollup_entry_day", "merchant_id"),
        ("rollup_order_day", "merchant_id"), ("rollup_attempt_day", "merchant_id"),
    ):  # fmt: skip
        await tx.fetch(f"SELECT FROM {table} WHERE {key} = $1 FOR UPDATE", desk.merchant.id)


async def hold_platform(tx: Tx, _: Desk) -> None:
    """The days of the platform and of the suppliers, and all reference data of suppliers."""
    await tx.fetch(
        "SELECT FROM business_day WHERE NOT EXISTS (SELECT FROM merchant WHERE id = holder_id)"
        " FOR UPDATE"
    )
    for table in ("supplier", "channel", "product"):
        await tx.fetch(f"SELECT FROM {table} FOR UPDATE")


@asynccontextmanager
async def held(desk: Desk, hold: Callable[[Tx, Desk], Awaitable[None]]) -> AsyncIterator[None]:
    release, holding = asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        async with desk.runtime.system.store.transaction() as tx:
            await hold(tx, desk)
            holding.set()
            await release.wait()

    task = asyncio.create_task(keep())
    await holding.wait()
    try:
        yield
    finally:
        release.set()
        await task


async def live(desk: Desk, chat_id: int, message_id: int) -> None:
    """A merchant's day in short: created, paid, paid short, advanced, rolled up, billed."""
    first, second = await desk.open(), await desk.open()
    assert (await desk.see(first, 10000, upstream_no=f"{chat_id}a")).meaning == "order"
    assert (await desk.see(second, 9900, upstream_no=f"{chat_id}b")).meaning == "short"
    await desk.runtime.accounts.prepayments.record(
        await desk.actor(chat_id=chat_id), desk.merchant, Advance(Money(500, "CNY"), ""),
        Cause(chat_id, message_id, 1),
    )  # fmt: skip
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)


async def test_a_merchant_whose_rows_are_locked_stops_nobody_else(
    desk: Desk, neighbour: Desk
) -> None:
    waiting = await desk.open()
    async with held(desk, hold_merchant):
        blocked = asyncio.create_task(desk.see(waiting, 10000))
        async with asyncio.timeout(PATIENCE_S):
            await live(neighbour, NORTHWIND_CHAT, 1)
        assert not blocked.done()
    assert (await blocked).meaning == "order"
    await desk.sound()


async def test_no_payment_touches_a_row_of_the_platform(desk: Desk, neighbour: Desk) -> None:
    async with held(desk, hold_platform), asyncio.timeout(PATIENCE_S):
        await live(neighbour, NORTHWIND_CHAT, 1)
    await desk.sound()
