"""Suppliers' bills and the platform's: windows over all merchants' books."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from core.accounts.vouchers import Advance, Cause
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.reports.bills import PlatformBill, SupplierBill
from core.runtime import Runtime
from core.trade.orders import ByHand
from tests.conftest import Servers
from tests.core.reports.bills.books import Books
from tests.core.support import FINANCE, SUPPLIER_CHAT, Desk, completing, nothing, owner

ONE_DAY = timedelta(days=1)


async def roll_all(runtime: Runtime) -> None:
    """What the timetable does, until nothing is left to do."""
    for _ in range(3):
        for holder_id in await runtime.ledger.calendar.due_to_roll():
            await runtime.ledger.calendar.roll(holder_id)
        await runtime.reports.bills.keep_sums()


async def some_days(books: Books, merchants: list[Merchant], seed: int, hours: int) -> None:
    """Hours in which anything is booked anywhere."""
    dice = random.Random(seed)
    for _ in range(hours):
        merchant = dice.choice(merchants)
        supplier, channel = dice.choice([("S01", "C01"), ("S01", "C02"), ("S02", "C04")])
        product = "bank_web" if channel == "C04" else "alipay_qr"
        fee = dice.randrange(20)
        await books.pay(
            merchant, dice.randrange(100, 9999), product=product, channel=channel,
            supplier=supplier, fee=fee, cost=dice.randrange(20),
        )  # fmt: skip
        if dice.random() < 0.3:
            await books.duplicate(merchant, 500)
            if dice.random() < 0.5:
                await books.give_back(merchant, 500)
        if dice.random() < 0.3:
            await books.pay_in(dice.randrange(1, 9999), supplier)
        if dice.random() < 0.3:
            await books.advance(merchant, dice.randrange(1, 999))
        if dice.random() < 0.2:
            await books.adjust(merchant, -dice.randrange(1, 99))
        if dice.random() < 0.3:
            await books.pay(merchant, 1, mode="test")
        if dice.random() < 0.5:
            await books.roll(dice.choice(merchants))
        books.clock.advance(dice.randrange(1, 7200))


async def check_supplier(books: Books, supplier: Supplier, bill: SupplierBill) -> None:
    """Against the entries, one by one."""
    number, starts, ends = supplier.supplier_no, bill.starts_at, bill.ends_at
    ever = datetime(2000, 1, 1, tzinfo=UTC)
    due = await books.moved(f"^due/{number}$", starts, ends)
    cost = await books.moved(f"^cost/{number}$", starts, ends)
    assert sum(line.amount_minor for line in bill.lines) == -(due + cost)
    assert sum(line.cost_minor for line in bill.lines) == -cost
    assert sum(line.due_minor for line in bill.lines) == -due
    settled = f"^supplier/{number}/settled$"
    assert bill.paid_in_minor == await books.moved(settled, starts, ends)
    owed = f"^(due/{number}|supplier/{number}/settled)$"
    assert bill.opening_minor == -await books.moved(owed, ever, starts)
    assert bill.closing_minor == -await books.moved(owed, ever, ends)
    assert bill.suspense_minor == await books.moved(f"^suspense/{number}$", ever, ends)
    assert {line.channel_no for line in bill.lines} <= (
        {"C01", "C02"} if number == "S01" else {"C04"}
    )
    paid = await books.runtime.system.store.fetchval(
        "SELECT count(*) FROM ledger_entry WHERE kind = 'order' AND mode = 'live'"
        " AND account = $1 AND booked_at >= $2 AND booked_at < $3",
        f"due/{number}",
        starts,
        ends,
    )
    assert sum(line.paid for line in bill.lines) == paid


async def check_platform(books: Books, bill: PlatformBill) -> None:
    """Against the entries, one by one."""
    starts, ends = bill.starts_at, bill.ends_at
    ever = datetime(2000, 1, 1, tzinfo=UTC)
    position = "^(payable|prepaid)$"
    assert bill.opening_minor == await books.moved(position, ever, starts)
    assert bill.closing_minor == await books.moved(position, ever, ends)
    assert bill.opening_minor + bill.net_minor + bill.other_minor - bill.prepaid_minor == (
        bill.closing_minor
    )
    assert bill.fee_minor == await books.moved("^fees$", starts, ends)
    assert bill.cost_minor == -await books.moved("^cost/", starts, ends)
    assert bill.margin_minor == sum(line.margin_minor for line in bill.channels)
    assert bill.suspense_minor == await books.moved("^suspense/", ever, ends)
    for line in bill.suppliers:
        due, settled = f"due/{line.supplier_no}", f"supplier/{line.supplier_no}/settled"
        assert line.closing_minor == -await books.moved(f"^({due}|{settled})$", ever, ends)
        assert line.paid_in_minor == await books.moved(f"^{settled}$", starts, ends)
        assert line.amount_minor - line.cost_minor == -await books.moved(f"^{due}$", starts, ends)
    for name, whole in (
        ("fee_minor", bill.fee_minor),
        ("cost_minor", bill.cost_minor),
        ("closing_minor", bill.closing_minor),
        ("amount_minor", sum(line.amount_minor for line in bill.products)),
        ("paid", sum(line.paid for line in bill.products)),
    ):
        assert sum(getattr(line, name) for line in bill.merchants) == whole
    rows = await books.runtime.system.store.fetch(
        "SELECT m.merchant_no, sum(e.minor) AS minor FROM ledger_entry e"
        " JOIN merchant m ON m.id = e.merchant_id WHERE e.account IN ('payable', 'prepaid')"
        " AND e.mode = 'live' AND e.booked_at < $1 GROUP BY 1",
        ends,
    )
    stands = {row["merchant_no"]: row["minor"] for row in rows}
    owed = sum(max(0, minor) for minor in stands.values())
    assert (bill.closing.owed_minor, bill.closing.net_minor) == (owed, bill.closing_minor)
    for merchant in bill.merchants:
        if merchant.merchant_no:
            assert merchant.closing_minor == stands[merchant.merchant_no]


@pytest.mark.parametrize(
    "cut", [DayCut(), DayCut(time(2, 30), "Asia/Kolkata"), DayCut(time(17, 45), "UTC")]
)
async def test_windows_equal_the_entries(books: Books, cut: DayCut) -> None:
    """Whatever the cuts: on the hour, off it; kept, rolled up, live; and days join."""
    runtime = books.runtime
    noon = books.clock.go_to_noon()
    merchants = [
        await books.merchant("M7001"),
        await books.merchant("M7002", DayCut(time(6, 30), "Europe/Berlin")),
        await books.merchant("M7003", DayCut(time(23, 15), "America/New_York")),
    ]
    await runtime.system.store.execute(
        "UPDATE supplier SET day_cut = $1, zone = $2", cut.at, cut.zone
    )
    await runtime.system.store.execute("UPDATE desk SET day_cut = $1, zone = $2", cut.at, cut.zone)
    await runtime.reports.bills.open_day(HOUSE)
    for supplier in await runtime.parties.suppliers.all():
        await runtime.reports.bills.open_day(supplier.id)
    await some_days(books, merchants, 1, 30)
    await roll_all(runtime)
    await some_days(books, merchants, 2, 12)
    days = Days(noon.date() - ONE_DAY, noon.date() + 5 * ONE_DAY)
    rolled: list[list[PlatformBill]] = []
    for _ in ("with a tail", "rolled up"):
        for supplier in await runtime.parties.suppliers.all():
            bills = [
                await runtime.reports.bills.supplier(supplier.id, Days.one(day)) for day in days
            ]
            for before, after in pairwise(bills):
                assert (before.closing_minor, before.ends_at) == (
                    after.opening_minor, after.starts_at,
                )  # fmt: skip
            whole = await runtime.reports.bills.supplier(supplier.id, days)
            assert (whole.opening_minor, whole.closing_minor) == (0, bills[-1].closing_minor)
            for bill in [*bills, whole]:
                await check_supplier(books, supplier, bill)
        platform = [await runtime.reports.bills.platform(Days.one(day)) for day in days]
        for one, other in pairwise(platform):
            assert (one.closing_minor, one.ends_at) == (other.opening_minor, other.starts_at)
        for bill_ in [*platform, await runtime.reports.bills.platform(days)]:
            await check_platform(books, bill_)
        assert await books.faults() == []
        rolled.append(platform)
        await roll_all(runtime)
    assert rolled[0] == rolled[1]
    assert await runtime.system.store.fetchval(
        "SELECT count(*) FROM closing WHERE holder_id = $1", HOUSE
    )
    assert not await runtime.system.store.fetchval(
        "SELECT count(*) FROM business_day WHERE closed_at IS NOT NULL AND NOT sums_kept"
    )


async def test_bills_of_suppliers_and_the_platform_are_the_sums_of_merchants(
    desk: Desk, books: Books
) -> None:
    """Where everybody's days are cut alike; with real orders, short ones, and pay-ins."""
    desk.clock.go_to_noon()
    other = await books.merchant("M7001")
    actor = await desk.actor(FINANCE, SUPPLIER_CHAT)
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    opened = [await desk.open(10000) for _ in range(4)]
    await desk.see(opened[0], 10000)
    await desk.see(opened[1], 9900)
    await desk.see(opened[1], 10000, upstream_no="again")
    await books.pay(other, 5000)
    await books.advance(other, 70)
    await desk.runtime.accounts.payins.record(
        actor, supplier, Advance(Money(1234, "CNY"), "bank"), Cause(SUPPLIER_CHAT, 1, 1)
    )
    platform = await desk.runtime.reports.bills.platform()
    of_supplier = await desk.runtime.reports.bills.supplier(supplier.id)
    bills = [
        await desk.runtime.reports.bills.merchant(merchant.id)
        for merchant in await desk.runtime.parties.merchants.everybody()
    ]
    assert {bill.starts_at for bill in bills if bill.products} == {platform.starts_at}
    for name in ("opening_minor", "net_minor", "other_minor", "prepaid_minor", "closing_minor"):
        assert getattr(platform, name) == sum(getattr(bill, name) for bill in bills)
    for name in ("created", "cohort_paid", "paid", "amount_minor", "fee_minor", "net_minor"):
        total = sum(getattr(line, name) for bill in bills for line in bill.products)
        assert sum(getattr(line, name) for line in platform.products) == total
    assert platform.created == 4
    channels = [line for bill in bills for line in bill.channels]
    assert platform.fee_minor == sum(line.fee_minor for line in channels)
    assert platform.cost_minor == sum(line.cost_minor for line in channels)
    assert [line.merchant_no for line in platform.merchants] == ["M1001", "M7001"]
    (due,) = platform.suppliers
    assert due.closing_minor == of_supplier.closing_minor
    assert due.amount_minor == sum(line.amount_minor for line in of_supplier.lines)
    assert (due.paid_in_minor, of_supplier.paid_in_minor) == (1234, 1234)
    assert [line.minor for line in of_supplier.paid_in_lines] == [1234]
    assert sum(line.cost_minor for line in of_supplier.lines) == platform.cost_minor
    assert of_supplier.suspense_minor == platform.suspense_minor == 9900
    assert (of_supplier.open, platform.open) == (True, True)
    usd = await desk.runtime.reports.bills.platform(currency="USD")
    assert (usd.closing_minor, usd.products, usd.merchants, usd.suppliers) == (0, (), (), ())
    assert await books.faults() == []


async def test_an_order_completed_with_money_in_suspense_counts_for_its_supplier(
    desk: Desk,
) -> None:
    """Its completion moves none of the supplier's own accounts but suspense."""
    desk.clock.go_to_noon()
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    opened = await desk.open(10000)
    await desk.see(opened, 9900)
    before = await desk.runtime.reports.bills.supplier(supplier.id)
    assert [(line.paid, line.amount_minor) for line in before.lines] == [(0, 9900)]
    assert before.suspense_minor == 9900

    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "王浩", SUPPLIER_CHAT),
        request_id="hand", also=nothing,
    )  # fmt: skip
    after = await desk.runtime.reports.bills.supplier(supplier.id)
    assert [(line.paid, line.amount_minor) for line in after.lines] == [(1, 9900)]
    assert (after.suspense_minor, after.closing_minor) == (0, before.closing_minor)


async def test_twenty_merchants_are_named_and_the_rest_is_one_line(books: Books) -> None:
    books.clock.go_to_noon()
    merchants = [await books.merchant(f"M{8000 + n}") for n in range(23)]
    for n, merchant in enumerate(merchants):
        await books.pay(merchant, 1000 + n, fee=n)
    await books.advance(merchants[0], 5)
    bill = await books.runtime.reports.bills.platform()
    assert len(bill.merchants) == 21
    assert [line.merchant_no for line in bill.merchants[:2]] == ["M8022", "M8021"]
    rest = bill.merchants[-1]
    assert (rest.merchant_no, rest.paid, rest.amount_minor, rest.fee_minor) == (
        "", 3, 1000 + 1001 + 1002, 3,
    )  # fmt: skip
    assert rest.closing_minor == 1000 + 1001 + 1002 - 3 - 5
    await check_platform(books, bill)


async def test_sums_that_do_not_fit_are_a_bug(
    books: Books, servers: Servers, database: str
) -> None:
    noon = books.clock.go_to_noon()
    merchant = await books.merchant("M7001")
    await books.pay(merchant, 100)
    await books.pay_in(10)
    books.clock.advance(2 * 86400)
    await roll_all(books.runtime)
    today: date = noon.date()
    supplier = await books.runtime.parties.suppliers.by_no("S01")
    assert (await books.runtime.reports.bills.platform(Days.one(today))).closing_minor == 88
    async with owner(servers, database) as connection:
        await connection.execute("UPDATE closing SET minor = minor + 1 WHERE day = $1", today)
    with pytest.raises(Bug, match="does not add up"):
        await books.runtime.reports.bills.platform(Days.one(today))
    with pytest.raises(Bug, match="does not add up"):
        await books.runtime.reports.bills.supplier(supplier.id, Days.one(today))
