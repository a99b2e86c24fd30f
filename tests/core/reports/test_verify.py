"""Re-adding the books: silent where they are right, and every check finds what it is for."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
import pytest

from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance, Cause
from core.kernel.days import Days
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.reports.verify import CHECKS, EVER
from core.system import store
from core.trade.orders import ByHand, Opened, Order
from tests.conftest import Servers
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SUPPLIER_CHAT,
    Desk,
    SetClock,
    build_runtime,
    completing,
    nothing,
    owner,
)

# check -> the fault that only it (or it among others) must find, with the owner's rights
FAULTS: Final = {
    "every event sums to zero per currency": (
        "UPDATE ledger_entry SET minor = minor + 1 WHERE account = 'adjust'"
    ),
    "every balance is the sum of its entries": (
        "UPDATE balance SET minor = minor + 1 WHERE account = 'payable'"
    ),
    "every event has entries, every entry an event": (
        "DELETE FROM ledger_entry WHERE kind = 'prepaid'"
    ),
    "an event's first line counts it once": (
        "UPDATE ledger_entry SET line = line + 10 WHERE kind = 'prepaid'"
    ),
    "a reversal negates what it reverses": (
        "UPDATE ledger_entry SET minor = minor * 2 WHERE kind = 'completion_reversed'"
    ),
    "nothing is booked before its cause": (
        "UPDATE ledger_event SET booked_at = booked_at - interval '1 h'"
        " WHERE kind = 'completion_reversed'"
    ),
    "what a supplier has or charges is on its own channels": (
        "UPDATE ledger_entry SET channel_no = 'C01' WHERE account = 'due/S02'"
    ),
    "everybody has one open day, the newest": (
        "UPDATE business_day SET closed_at = now(), rolled_to = ends_at WHERE closed_at IS NULL"
    ),
    "business days follow one another": (
        "UPDATE business_day SET starts_at = starts_at - interval '1 s' WHERE closed_at IS NULL"
    ),
    "what is booked lies within its day": (
        "UPDATE ledger_entry SET day = day + 1 WHERE kind = 'prepaid'"
    ),
    "entries are rolled up once": "UPDATE rollup_entry SET events = events + 1",
    "orders are rolled up once": "UPDATE rollup_order SET paid_in_day = paid_in_day + 1",
    "attempts are rolled up once": "UPDATE rollup_attempt SET paid = paid + 1",
    "entries of a day are those of its hours": "UPDATE rollup_entry_day SET minor = minor + 1",
    "orders of a day are those of its hours": "UPDATE rollup_order_day SET created = created + 1",
    "attempts of a day are those of its hours": "UPDATE rollup_attempt_day SET sent = sent + 1",
    "a day closes with what it opened with and what moved": (
        "UPDATE closing SET minor = minor + 1 WHERE account = 'bank' OR account = 'fees'"
    ),
    "a window closes with what it opened with and what moved": (
        "UPDATE closing c SET minor = minor + 1 FROM supplier s WHERE s.id = c.holder_id"
    ),
    "a paid order credited its merchant once, with amount less fee": (
        "UPDATE orders SET disputed = NOT disputed WHERE paid_at IS NOT NULL"
    ),
    "an order's state is the last of its history": (
        "UPDATE orders SET state = 'expired' WHERE state = 'pending'"
    ),
    "an order is refunded as far as its refunds succeeded": (
        "UPDATE orders SET state = 'refunded' WHERE state = 'partially_refunded'"
    ),
    "what suppliers reported is what was booked": (
        "UPDATE supplier_payment SET amount_minor = amount_minor + 1 WHERE booked_as = 'short'"
    ),
    "what a supplier has of an order is what it reported": (
        "UPDATE supplier_payment SET amount_minor = amount_minor + 1"
        " WHERE booked_as = 'confirmation' AND event_id IS NULL"
    ),
    "a paid order costs what was booked for it": (
        "UPDATE orders SET cost_minor = cost_minor + 1 WHERE NOT disputed AND paid_at IS NOT NULL"
    ),
    "an order's fees are what it is charged less what went back": (
        "UPDATE orders SET fee_minor = fee_minor + 1 WHERE NOT disputed AND paid_at IS NOT NULL"
    ),
    "what is reserved is held for refunds under way": (
        "UPDATE balance SET minor = minor + 1 WHERE account = 'reserved'"
    ),
    "a refund moved what it says": (
        "UPDATE refund SET fee_back_minor = fee_back_minor + 1 WHERE state = 'succeeded'"
    ),
    "suspense holds what is open": (
        "UPDATE balance SET minor = minor + 1 WHERE account = 'suspense/S01'"
    ),
    "what is left of a discrepancy is what was not resolved": (
        "UPDATE discrepancy SET left_minor = 0 WHERE left_minor > 0"
    ),
    "resolutions moved what they say": "UPDATE resolution SET minor = minor + 1",
    "a voucher moved what it says": (
        "UPDATE voucher SET minor = minor + 1 WHERE kind = 'adjustment'"
    ),
    "a completion is in the books": (
        "UPDATE completion SET event_id = gen_random_uuid() WHERE reverses IS NOT NULL"
    ),
    "a rerating moved what its orders differ by": (
        "UPDATE rerated_order SET fee_now_minor = fee_now_minor + 1"
    ),
}


# The same checks, other ways to break what they look at.
MORE_FAULTS: Final = (
    *(
        (
            "nothing is booked before its cause",
            f"UPDATE ledger_event SET booked_at = booked_at + interval '1 h' WHERE kind = '{kind}'",
        )
        for kind in ("short", "refund_reserved", "completed")
    ),
    (
        "a reversal negates what it reverses",
        "UPDATE ledger_entry SET channel_no = 'C02' WHERE kind = 'completion_reversed'",
    ),
    (
        "what a supplier has or charges is on its own channels",
        "UPDATE ledger_entry SET channel_no = '' WHERE account = 'cost/S01'",
    ),
    ("a voucher moved what it says", "UPDATE voucher SET minor = minor + 1 WHERE kind = 'payin'"),
    (
        "a voucher moved what it says",
        "UPDATE voucher SET minor = minor + 1 WHERE kind = 'prepayment'",
    ),
    (
        "a paid order credited its merchant once, with amount less fee",
        "UPDATE ledger_event SET kind = 'credited' WHERE kind = 'restored'",
    ),
    (
        "what suppliers reported is what was booked",
        "UPDATE ledger_event SET kind = 'credited' WHERE kind = 'restored'",
    ),
    (
        "what a supplier has of an order is what it reported",
        (
            "UPDATE supplier_payment SET amount_minor = amount_minor - 1"
            " WHERE booked_as = 'confirmation' AND event_id IS NOT NULL"
        ),
    ),
    (
        "what a supplier has of an order is what it reported",
        "DELETE FROM ledger_event WHERE kind = 'confirmation'",
    ),
    (
        "what a supplier has of an order is what it reported",
        "UPDATE orders SET disputed = true WHERE paid_how = 'completed'",
    ),
    (
        "a paid order costs what was booked for it",
        (
            "UPDATE ledger_entry SET minor = minor + 1 WHERE kind = 'confirmation'"
            " AND account LIKE 'cost/%'"
        ),
    ),
    (
        "a paid order costs what was booked for it",
        "UPDATE ledger_entry SET minor = minor + 1 WHERE kind = 'short' AND account LIKE 'cost/%'",
    ),
    (
        "an order's fees are what it is charged less what went back",
        "UPDATE rerated_order SET fee_then_minor = fee_then_minor - 1",
    ),
    (
        "an order's fees are what it is charged less what went back",
        "UPDATE refund SET fee_back_minor = fee_back_minor - 1 WHERE state = 'succeeded'",
    ),
    (
        "an order's fees are what it is charged less what went back",
        "UPDATE ledger_entry SET minor = -minor WHERE kind = 'restored' AND account = 'fees'",
    ),
    (
        "a refund moved what it says",
        (
            "UPDATE ledger_entry SET account = 'due/S09' WHERE kind = 'refund_settled'"
            " AND account LIKE 'due/%'"
        ),
    ),
    (
        "what is left of a discrepancy is what was not resolved",
        "UPDATE discrepancy SET seen_minor = seen_minor + 1 WHERE kind = 'over'",
    ),
    (
        "what is left of a discrepancy is what was not resolved",
        "UPDATE ledger_event SET reverses = NULL WHERE kind = 'completion_reversed'",
    ),
    ("suspense holds what is open", "UPDATE discrepancy SET mode = 'test' WHERE left_minor > 0"),
    (
        "a completion is in the books",
        "UPDATE ledger_event SET kind = 'order' WHERE kind = 'completed'",
    ),
)


async def prepay(desk: Desk, minor: int, message_id: int) -> None:
    await desk.runtime.accounts.prepayments.record(
        await desk.actor(),
        desk.merchant,
        Advance(Money(minor, "CNY"), ""),
        Cause(CHAT, message_id, 1),
    )


async def a_day(desk: Desk) -> None:
    """What a day has without anybody's doing."""
    await desk.see(await desk.open(), 10000)
    await desk.see(await desk.open(), 9900)
    await desk.open()
    await prepay(desk, 500, 1)


async def complete(desk: Desk, opened: Opened) -> Order:
    by = ByHand("the supplier said so", OPERATOR, "王浩", CHAT)
    return await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, by, request_id="hand", also=nothing
    )


async def take_back(desk: Desk, order: Order) -> None:
    by = ByHand("a mistake", ADMIN, "陈立", CHAT)
    await completing(desk.runtime).reverse(
        desk.merchant.id, order.id, order.version, by, asked_by=OPERATOR, request_id="hand",
        also=nothing,
    )  # fmt: skip


async def confirmed_elsewhere(desk: Desk) -> None:
    """S01 refuses the order, S02 takes it; it is completed, and it is S01 that has the money."""
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.supplier_no == "S02"
    await complete(desk, opened)
    first = await desk.runtime.system.store.fetchval(
        "SELECT attempt_no FROM attempt WHERE order_id = $1 AND seq = 1", opened.order.id
    )
    await desk.see(opened, 10000, attempt_no=first, upstream_no="U-elsewhere")


async def by_hand(desk: Desk) -> None:
    """Completions: taken back; confirmed exactly, with too much, and at another supplier; restored
    by a person, and by a supplier; out of suspense, and that taken back."""
    await take_back(desk, await complete(desk, await desk.open()))
    for seen_minor in (10000, 12000):
        confirmed = await desk.open()
        await complete(desk, confirmed)
        await desk.see(confirmed, seen_minor)
    await confirmed_elsewhere(desk)
    again, reported, short, held = [await desk.open() for _ in range(4)]
    await take_back(desk, await complete(desk, again))
    await complete(desk, again)
    await take_back(desk, await complete(desk, reported))
    await desk.see(reported, 10000)
    for opened in (short, held):
        await desk.see(opened, 9000)
    await complete(desk, short)
    await take_back(desk, await complete(desk, held))


async def everything(desk: Desk) -> None:
    """One of everything that the books know; a closed day of it, and an open one."""
    runtime, merchant = desk.runtime, desk.merchant
    desk.clock.go_to_noon()
    await a_day(desk)
    refunded = await desk.open()
    await desk.see(refunded, 10000)
    for number, end in (("R1", "settle"), ("R2", "release"), ("R3", "")):
        refund = await runtime.trade.refunds.reserve(
            desk.app, merchant.id, refunded.order.id, number, Money(3000, "CNY"), fee_returned=True
        )  # fmt: skip
        if end == "settle":
            await runtime.trade.refunds.settle(merchant.id, refund.id, cost_returned=True)
        elif end == "release":
            await runtime.trade.refunds.release(merchant.id, refund.id, "refused")
    await by_hand(desk)
    await runtime.accounts.adjustments.record(
        await desk.actor(FINANCE, OPS_CHAT), merchant, Correction(Money(-20, "CNY"), "wrong fee"),
        Cause(OPS_CHAT, 1, 1),
    )  # fmt: skip
    supplier = await runtime.parties.suppliers.by_no("S01")
    await runtime.accounts.payins.record(
        await desk.actor(FINANCE, SUPPLIER_CHAT), supplier, Advance(Money(700, "CNY"), ""),
        Cause(SUPPLIER_CHAT, 1, 1),
    )  # fmt: skip
    today = await runtime.reports.bills.open_day(merchant.id)
    tariff = Tariff.flat(Rate(20_000))
    view = await runtime.accounts.reratings.preview(merchant, "alipay_qr", Days.one(today), tariff)
    await runtime.accounts.reratings.apply(
        await desk.actor(OWNER, OPS_CHAT), merchant, "alipay_qr", Days.one(today), tariff,
        view.seen, Cause(OPS_CHAT, 2, 1),
    )  # fmt: skip
    desk.clock.advance(86400)
    for holder_id in await runtime.ledger.calendar.due_to_roll():
        await runtime.ledger.calendar.roll(holder_id)
    await runtime.reports.bills.keep_sums()
    await a_later_day(desk)


async def a_later_day(desk: Desk) -> None:
    await desk.see(await desk.open(), 10000)
    await prepay(desk, -300, 2)


def test_every_check_has_a_fault() -> None:
    assert set(FAULTS) == set(CHECKS)


async def test_each_check_finds_its_fault(desk: Desk, servers: Servers, database: str) -> None:
    await everything(desk)
    await desk.sound()
    async with owner(servers, database) as connection:
        for what, sql in FAULTS.items():
            await _finds(connection, what, sql)
        for what, sql in MORE_FAULTS:
            await _finds(connection, what, sql)
    await desk.sound()


async def _finds(connection: asyncpg.Connection[asyncpg.Record], what: str, sql: str) -> None:
    """Plant a fault, look, and take it back."""
    planted = connection.transaction()
    await planted.start()
    try:
        touched = await connection.execute(sql)
        assert not touched.endswith(" 0"), f"{what}: nothing to spoil"
        found = await connection.fetch(CHECKS[what].sql, *CHECKS[what].args(EVER))
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
    differences = (await desk.runtime.reports.verify.whole()).differences
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
    found = [
        d for d in (await desk.runtime.reports.verify.whole()).differences if "open bill" in d.what
    ]
    assert [(d.where, d.found) for d in found] == [("M1001", "bill 9880, balances 9380")]


async def test_bills_are_read_again(desk: Desk, servers: Servers, database: str) -> None:
    """A day that closed with something else, and one that is missing between two."""
    await everything(desk)
    number = desk.merchant.merchant_no
    async with owner(servers, database) as connection:
        await connection.execute(
            "UPDATE closing SET minor = minor + 1 WHERE account = 'payable'"
            " AND holder_id = $1 AND day = (SELECT max(day) FROM closing WHERE holder_id = $1)",
            desk.merchant.id,
        )
        found = (await desk.runtime.reports.verify.whole()).differences
        assert any(d.what == "bills add up" and d.where.startswith(number) for d in found)
        assert any(d.what == "the open bill closes at the balances" for d in found)
        await connection.execute(
            "UPDATE closing SET minor = minor - 1 WHERE account = 'payable'"
            " AND holder_id = $1 AND day = (SELECT max(day) FROM closing WHERE holder_id = $1)",
            desk.merchant.id,
        )
        await desk.sound()
        await connection.execute(
            "DELETE FROM business_day WHERE holder_id = $1"
            " AND day = (SELECT max(day) FROM closing WHERE holder_id = $1)",
            desk.merchant.id,
        )
        found = (await desk.runtime.reports.verify.whole()).differences
        assert any(d.what == "bills join" and d.where.startswith(number) for d in found)
        await connection.execute("DELETE FROM business_day WHERE closed_at IS NULL")
        found = (await desk.runtime.reports.verify.whole()).differences
        assert {"M1001", "M1002", "S01", "S02", "platform"} <= {
            d.where for d in found if d.what == "everybody has one open day, the newest"
        }


async def test_a_busy_desk_raises_no_false_alarm(desk: Desk) -> None:
    """What is compared with each other is of one moment, however much is booked meanwhile."""
    actor, record = await desk.actor(), desk.runtime.accounts.prepayments.record
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
                verifying = asyncio.create_task(runtime.reports.verify.whole())
                async with asyncio.timeout(30):
                    while not verifying.done() and not await connection.fetchval(_WAITS_LONG):
                        await asyncio.wait([verifying], timeout=0.05)
            assert (await verifying).differences == ()
    finally:
        await runtime.close()


_WAITS_LONG: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1.5 s')"
)
