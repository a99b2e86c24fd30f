"""Re-adding the books: silent where they are right, and every check finds what it is for."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
import pytest

from core import store
from core.money import Money
from core.prepayments import Advance, Cause
from core.verify import CHECKS
from tests.conftest import Servers
from tests.core.support import CHAT, Desk, SetClock, build_runtime, owner

# check -> the fault that only it (or it among others) must find, with the owner's rights
FAULTS: Final = {
    "every event sums to zero per currency": (
        "UPDATE ledger_entry SET minor = minor + 1 WHERE account = 'fees'"
    ),
    "every balance is the sum of its entries": (
        "UPDATE balance SET minor = minor + 1 WHERE account = 'payable'"
    ),
    "every event has entries, every entry an event": (
        "DELETE FROM ledger_entry WHERE kind = 'prepaid'"
    ),
    "a paid order credited its merchant once, with amount less fee": (
        "UPDATE orders SET fee_minor = fee_minor + 1 WHERE state = 'paid'"
    ),
    "an order's state is the last of its history": (
        "UPDATE orders SET state = 'expired' WHERE state = 'pending'"
    ),
    "what suppliers reported is what was booked": (
        "UPDATE supplier_payment SET event_id = gen_random_uuid() WHERE booked_as = 'order'"
    ),
    "suspense holds what is open": "UPDATE discrepancy SET state = 'resolved'",
    "a prepayment moved what it says": "UPDATE prepayment SET minor = minor - 1",
    "every merchant has one open day": (
        "UPDATE business_day SET closed_at = now() WHERE closed_at IS NULL"
    ),
}


async def a_day(desk: Desk) -> None:
    """One of everything that the books know."""
    await desk.see(await desk.open(), 10000)
    await desk.see(await desk.open(), 9900)
    await desk.open()
    await desk.runtime.prepayments.record(
        await desk.actor(), desk.merchant, Advance(Money(500, "CNY"), ""), Cause(CHAT, 1, 1)
    )


def test_every_check_has_a_fault() -> None:
    assert set(FAULTS) == set(CHECKS)


async def test_each_check_finds_its_fault(desk: Desk, servers: Servers, database: str) -> None:
    await a_day(desk)
    await desk.sound()
    async with owner(servers, database) as connection:
        for what, sql in FAULTS.items():
            await _finds(connection, what, sql)
    await desk.sound()


async def _finds(connection: asyncpg.Connection[asyncpg.Record], what: str, sql: str) -> None:
    """Plant a fault, look, and take it back."""
    planted = connection.transaction()
    await planted.start()
    try:
        touched = await connection.execute(sql)
        assert not touched.endswith(" 0"), f"{what}: nothing to spoil"
        found = await connection.fetch(CHECKS[what])
        assert found, f"{what}: not found"
        assert all(row["at"] and row["found"] for row in found)
    finally:
        await planted.rollback()


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        (
            "DELETE FROM ledger_event WHERE kind = 'order'",
            "every event has entries, every entry an event",
        ),
        (
            "DELETE FROM balance WHERE account = 'prepaid'",
            "every balance is the sum of its entries",
        ),
    ],
)
async def test_a_difference_is_named_to_whoever_asks(
    desk: Desk, servers: Servers, database: str, sql: str, what: str
) -> None:
    await a_day(desk)
    async with owner(servers, database) as connection:
        await connection.execute(sql)
    differences = await desk.runtime.verify.books()
    assert what in {d.what for d in differences}
    assert all(str(desk.merchant.id) in d.where for d in differences if d.what == what)
    assert str(differences[0]).startswith(differences[0].what)


async def test_the_open_bill_is_held_against_the_balances(
    desk: Desk, servers: Servers, database: str
) -> None:
    """An entry of a day that has not begun is in the balances, and on no bill yet."""
    await a_day(desk)
    async with owner(servers, database) as connection:
        await connection.execute("UPDATE ledger_entry SET day = day + 1 WHERE kind = 'prepaid'")
    found = [d for d in await desk.runtime.verify.books() if "open bill" in d.what]
    assert [(d.where, d.found) for d in found] == [("M1001", "bill 9880, balances 9380")]


async def test_a_busy_desk_raises_no_false_alarm(desk: Desk) -> None:
    """What is compared is of one moment, however much is booked while it is read."""
    actor, record = await desk.actor(), desk.runtime.prepayments.record
    paying = [
        asyncio.create_task(
            record(actor, desk.merchant, Advance(Money(100, "CNY"), ""), Cause(CHAT, n, 1))
        )
        for n in range(40)
    ]
    while not all(task.done() for task in paying):
        await desk.sound()
    await asyncio.gather(*paying)
    await desk.sound()


async def test_a_large_desk_is_read_to_the_end(
    servers: Servers, database: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Re-adding may take longer than any other question may."""
    monkeypatch.setattr(store, "COMMAND_TIMEOUT_S", 1.0)
    runtime = await build_runtime(servers, database, clock)
    try:
        async with owner(servers, database) as connection:
            async with connection.transaction():
                await connection.execute("LOCK TABLE discrepancy IN ACCESS EXCLUSIVE MODE")
                verifying = asyncio.create_task(runtime.verify.books())
                async with asyncio.timeout(30):
                    while not verifying.done() and not await connection.fetchval(_WAITS_LONG):
                        await asyncio.wait([verifying], timeout=0.05)
            assert await verifying == []
    finally:
        await runtime.close()


_WAITS_LONG: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1.5 s')"
)
