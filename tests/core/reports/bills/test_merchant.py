"""A merchant's bill: every number from the books, days that join, and what each line counts."""

from __future__ import annotations

import asyncio
from calendar import SUNDAY, monthrange
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from core.accounts.vouchers import Advance, Cause
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.reports.bills import Bill, ChannelLine, Movement
from core.runtime import Runtime
from core.system.store import Tx
from tests.conftest import Servers
from tests.core.reports.bills.books import Books, adds_up, joined
from tests.core.support import CHAT, Desk, owner

ONE_DAY = timedelta(days=1)


async def advance(desk: Desk, minor: int, message_id: int) -> UUID:
    receipt = await desk.runtime.accounts.prepayments.record(
        await desk.actor(),
        desk.merchant,
        Advance(Money(minor, "CNY"), "advance"),
        Cause(CHAT, message_id, 1),
    )
    return receipt.voucher_id


async def bills_of(runtime: Runtime, merchant: Merchant, first: date, days: int) -> list[Bill]:
    return [
        await runtime.reports.bills.merchant(merchant.id, Days.one(first + n * ONE_DAY))
        for n in range(days)
    ]


async def test_a_day_with_orders_and_prepayments(desk: Desk) -> None:
    desk.clock.go_to_noon()
    orders = [await desk.open(10000) for _ in range(3)]
    wechat = await desk.open(20000, product="wechat_qr")
    await desk.see(orders[0], 10000)
    await desk.see(orders[1], 9900)
    await desk.see(wechat, 20000)
    await advance(desk, 100000, 1)
    await advance(desk, -20000, 2)
    bill = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    assert adds_up(bill)
    assert bill.open
    lines = {line.product_code: line for line in bill.products}
    alipay = lines["alipay_qr"]
    assert (alipay.created, alipay.cohort_paid, alipay.paid) == (3, 1, 1)
    assert (alipay.amount_minor, alipay.fee_minor, alipay.net_minor) == (10000, 120, 9880)
    assert (lines["wechat_qr"].created, lines["wechat_qr"].net_minor) == (1, 19800)
    assert bill.channels == (
        ChannelLine("C01", "alipay_qr", 1, 10000, 120, 65 + 64),  # the short payment's cost too
        ChannelLine("C02", "wechat_qr", 1, 20000, 200, 120),
    )
    assert [channel.margin_minor for channel in bill.channels] == [-9, 80]
    assert (bill.prepaid_minor, bill.prepaid_count, bill.advanced_minor) == (80000, 2, 80000)
    assert [line.minor for line in bill.prepaid_lines] == [100000, -20000]
    assert (bill.opening_minor, bill.closing_minor) == (0, 9880 + 19800 - 80000)
    assert bill.remaining_minor == 80000 - 29680
    assert (bill.unpaid, bill.carried, bill.movements, bill.by_day) == (2, 0, (), ())
    position = await desk.runtime.ledger.position(
        desk.runtime.system.store, desk.merchant.id, "live", "CNY"
    )
    assert (bill.closing_minor, bill.remaining_minor) == (position.minor, position.remaining_minor)
    await desk.sound()


async def test_days_join_and_a_closed_day_stands_still(desk: Desk) -> None:
    desk.clock.go_to_noon()
    first, late = await desk.open(10000), await desk.open(10000)
    await desk.see(first, 10000)
    await advance(desk, 50000, 1)
    created = (await desk.runtime.reports.bills.merchant(desk.merchant.id)).days.first
    stood = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    desk.clock.advance(86400)
    await desk.see(late, 10000)
    await advance(desk, 1, 2)
    desk.clock.advance(2 * 86400)
    bills = await bills_of(desk.runtime, desk.merchant, created - ONE_DAY, 5)
    assert joined(bills)
    assert [b.closing_minor for b in bills] == [0, -40120, -30241, -30241, -30241]
    assert [b.open for b in bills] == [False, False, False, False, True]
    # paid on its booking day, created on its creation day, success as the day ended
    assert [sum(line.paid for line in b.products) for b in bills] == [0, 1, 1, 0, 0]
    assert [(x.created, x.cohort_paid) for x in bills[1].products] == [(2, 1)]
    assert [b.carried for b in bills] == [0, 0, 1, 0, 0]
    assert [b.unpaid for b in bills] == [0, 0, 0, 0, 0]
    assert bills[1].products == stood.products
    assert (bills[1].closing_minor, bills[1].channels) == (stood.closing_minor, stood.channels)
    await desk.sound()


async def test_several_days_are_the_sum_of_each(books: Books) -> None:
    merchant = await books.merchant("M7001")
    noon = books.clock.go_to_noon()
    first = noon.date()
    for n in range(4):
        await books.pay(merchant, 1000 + n)
        await books.pay(merchant, 500, product="bank_web", channel="C04", supplier="S02", fee=1)
        await books.advance(merchant, 300 * (-1) ** n)
        if n == 2:
            await books.adjust(merchant, -40)
        await books.pay(merchant, 77777, mode="test")
        books.clock.advance(86400)
    days = await bills_of(books.runtime, merchant, first - 2 * ONE_DAY, 8)
    assert joined(days)
    month = await books.runtime.reports.bills.merchant(merchant.id, Days.month(first))
    whole = await books.runtime.reports.bills.merchant(
        merchant.id, Days(first - 2 * ONE_DAY, first + 5 * ONE_DAY)
    )
    for bill in (whole, month):
        assert adds_up(bill)
        assert bill.open
        for line in bill.products:
            same = [x for day in days for x in day.products if x.product_code == line.product_code]
            for name in ("created", "cohort_paid", "paid", "amount_minor", "fee_minor"):
                assert getattr(line, name) == sum(getattr(x, name) for x in same)
        assert {line.product_code: line.paid for line in bill.products} == {
            "alipay_qr": 4,
            "bank_web": 4,
        }
        assert bill.movements == (Movement("adjustments", -40, 0, 1),)
        assert bill.prepaid_minor == sum(day.prepaid_minor for day in days)
        assert bill.advanced_minor == 0
        assert (bill.opening_minor, bill.closing_minor) == (0, days[-1].closing_minor)
        assert sum(channel.margin_minor for channel in bill.channels) == 4 * (12 + 1 - 5 - 5)
        assert len(bill.by_day) == len(bill.days)
    assert (whole.starts_at, whole.ends_at) == (days[0].starts_at, days[-1].ends_at)
    for shown, day in zip(whole.by_day, days, strict=True):
        assert shown.day == day.days.first
        assert (shown.opening_minor, shown.closing_minor) == (day.opening_minor, day.closing_minor)
        assert (shown.paid, shown.net_minor) == (sum(x.paid for x in day.products), day.net_minor)
        assert (shown.prepaid_minor, shown.other_minor) == (day.prepaid_minor, day.other_minor)
        assert shown.amount_minor - shown.fee_minor == shown.net_minor
    some = await books.runtime.reports.bills.merchant(
        merchant.id, Days(first + ONE_DAY, first + ONE_DAY)
    )
    assert some == days[3]
    assert not some.open
    ahead = await books.runtime.reports.bills.merchant(merchant.id, Days.one(first + 90 * ONE_DAY))
    assert (ahead.opening_minor, ahead.closing_minor, ahead.products, ahead.open) == (
        whole.closing_minor, whole.closing_minor, (), True,
    )  # fmt: skip


async def test_rolled_up_or_not_it_is_the_same_bill(desk: Desk) -> None:
    """What is rolled up and the live tail are read as one, at any moment of a day."""
    desk.clock.go_to_noon()
    for n in range(3):
        opened = [await desk.open(10000) for _ in range(2)]
        await desk.see(opened[0], 10000)
        await advance(desk, 100 + n, n)
        live = await desk.runtime.reports.bills.merchant(desk.merchant.id)
        tail = await desk.runtime.system.store.fetchval(
            "SELECT count(*) FROM ledger_entry e JOIN business_day d ON d.holder_id = e.merchant_id"
            " WHERE d.closed_at IS NULL AND e.booked_at >= d.rolled_to"
        )
        assert tail > 0
        await desk.runtime.ledger.calendar.roll(desk.merchant.id)
        assert await desk.runtime.reports.bills.merchant(desk.merchant.id) == live
        assert live.products[0].created == 2 * (n + 1)
        assert live.products[0].cohort_paid == n + 1
        desk.clock.advance(1800)
    await desk.sound()


async def test_a_booking_straddles_the_cut(books: Books) -> None:
    """What begins before the cut and is booked after it belongs to the new day."""
    merchant = await books.merchant("M7002")
    noon = books.clock.go_to_noon()
    midnight = noon + timedelta(hours=12)  # in Shanghai
    books.clock.go_to(midnight - timedelta(milliseconds=3))
    for n in range(8):
        await books.pay(merchant, 100 + n)
    before, after = await bills_of(books.runtime, merchant, noon.date(), 2)
    assert joined([before, after])
    assert before.ends_at == midnight
    paid = [sum(line.paid for line in bill.products) for bill in (before, after)]
    assert sum(paid) == 8
    assert paid[1] > 0
    for bill, count in zip((before, after), paid, strict=True):
        booked = await books.moved("^payable$", bill.starts_at, bill.ends_at)
        assert (bill.net_minor, count > 0) == (booked, booked > 0)


async def test_a_changed_cut_counts_from_the_next_day_on(books: Books) -> None:
    merchant = await books.merchant("M7003")
    noon = books.clock.go_to_noon()
    await books.pay(merchant, 100)
    today = (await books.runtime.reports.bills.merchant(merchant.id)).days.first
    await books.runtime.system.store.execute(
        "UPDATE merchant SET day_cut = '18:00', zone = 'Europe/Berlin' WHERE id = $1", merchant.id
    )
    merchant = await books.runtime.parties.merchants.by_id(merchant.id)
    for _ in range(12):
        books.clock.advance(6 * 3600)
        await books.pay(merchant, 100)
    bills = await bills_of(books.runtime, merchant, today, 6)
    assert joined(bills)
    assert bills[0].ends_at == noon + timedelta(hours=12)
    assert [(b.ends_at.hour, b.ends_at.minute) for b in bills[1:]] == [(17, 0)] * 5  # CET
    assert [b.zone for b in bills] == ["Asia/Shanghai", *["Europe/Berlin"] * 5]
    assert await books.runtime.ledger.calendar.zone_on(merchant.id, today) == "Asia/Shanghai"
    assert sum(line.paid for bill in bills for line in bill.products) == 13
    await books.roll(merchant)
    assert await books.faults() == []


def sunday(month: int, index: int) -> date:
    """One of the Sundays of a month of next year, which is ahead of every clock."""
    first = date(datetime.now(UTC).year + 1, month, 1)
    days = (first + timedelta(days=n) for n in range(monthrange(first.year, month)[1]))
    return [day for day in days if day.weekday() == SUNDAY][index]


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Berlin", sunday(3, -1)),  # 02:30 is skipped
        ("Europe/Berlin", sunday(10, -1)),  # 02:30 comes twice
        ("America/New_York", sunday(3, 1)),
        ("America/New_York", sunday(11, 0)),
    ],
)
async def test_a_night_in_which_the_clocks_change(books: Books, zone: str, night: date) -> None:
    """The day is cut once, at the first 02:30 or the first instant that exists after it."""
    cut = DayCut(time(2, 30), zone)
    start = datetime.combine(night - ONE_DAY, time(20, 0), UTC)
    assert await books.runtime.system.store.make_months(start.date(), 2) == 0
    books.clock.go_to(start)
    merchant = await books.merchant("M7004", cut)
    booked: list[datetime] = []
    for _ in range(60):
        await books.pay(merchant, 100)
        booked.append(books.clock.now())
        books.clock.advance(1800)
    first = cut.day_of(start)
    bills = await bills_of(books.runtime, merchant, first, 3)
    assert joined(bills)
    for bill in bills:
        within = [at for at in booked if bill.starts_at <= at < bill.ends_at]
        assert sum(line.paid for line in bill.products) == len(within)
    assert sum(line.paid for bill in bills for line in bill.products) == 60
    hours = {(b.ends_at - b.starts_at) / timedelta(hours=1) for b in bills}
    assert hours <= {22.5, 23.0, 23.5, 24.0, 24.5, 25.0, 25.5}
    assert hours != {24.0}
    await books.roll(merchant)
    assert bills[0] == (await bills_of(books.runtime, merchant, first, 1))[0]


async def test_an_undone_prepayment_shows_who_took_it_back(desk: Desk) -> None:
    actor = await desk.actor()
    voucher_id = await advance(desk, 7000, 1)
    await desk.runtime.accounts.prepayments.undo(
        actor, desk.merchant, voucher_id, Cause(CHAT, 2, 1)
    )
    bill = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    assert (bill.prepaid_minor, bill.closing_minor, bill.prepaid_count) == (0, 0, 1)
    assert [(p.minor, p.undone_by) for p in bill.prepaid_lines] == [(7000, actor.name)]
    for n in range(6):
        await advance(desk, 10 + n, 10 + n)
    bill = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    assert (bill.prepaid_minor, bill.prepaid_count) == (75, 7)
    assert [line.minor for line in bill.prepaid_lines] == [11, 12, 13, 14, 15]
    month = await desk.runtime.reports.bills.merchant(desk.merchant.id, Days.month(bill.days.first))
    assert month.prepaid_lines == bill.prepaid_lines


async def test_test_orders_are_on_no_bill(desk: Desk) -> None:
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    desk.app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    await desk.see(await desk.open(), 10000)
    bill = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    assert (bill.products, bill.channels, bill.closing_minor, bill.unpaid) == ((), (), 0, 0)


async def test_a_bill_is_read_while_money_is_booked(
    desk: Desk, servers: Servers, database: str
) -> None:
    """Whoever is paid holds the open day; whoever reads a bill does not wait for that."""
    # At some hours the day that was open when the desk was filled is over, and is closed first.
    await desk.runtime.reports.bills.open_day(desk.merchant.id)
    async with owner(servers, database) as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM business_day WHERE holder_id = $1 AND closed_at IS NULL FOR SHARE",
            desk.merchant.id,
        )
        async with asyncio.timeout(10):
            bill = await desk.runtime.reports.bills.merchant(desk.merchant.id)
    assert bill.open


async def test_a_bill_is_read_as_of_the_callers_moment(
    desk: Desk, servers: Servers, database: str
) -> None:
    bills, merchant = desk.runtime.reports.bills, desk.merchant
    await advance(desk, 500, 1)
    day = await bills.open_day(merchant.id)
    one = Days.one(day)
    async with owner(servers, database) as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tx = Tx(connection)
            before = await bills.merchant_in(tx, merchant, one, day)
            await advance(desk, 700, 2)
            assert await bills.merchant_in(tx, merchant, one, day) == before
            position = await desk.runtime.ledger.position(tx, merchant.id, "live", "CNY")
        assert before.closing_minor == position.minor == -500
        bill = await bills.merchant_in(Tx(connection), merchant, one, day)
        assert bill.closing_minor == -1200


async def test_what_was_booked_before_the_day_is_not_added_up_again(
    books: Books, servers: Servers, database: str
) -> None:
    """The opening comes from what the day before closed with; nothing before it is looked at."""
    merchant = await books.merchant("M7005")
    noon = books.clock.go_to_noon()
    await books.advance(merchant, 500)
    books.clock.advance(86400)
    await books.advance(merchant, 30)
    async with owner(servers, database) as connection:
        for table in ("ledger_entry", "rollup_entry", "rollup_entry_day"):
            await connection.execute(f"DELETE FROM {table} WHERE minor IN (500, -500)")
    bill = await books.runtime.reports.bills.merchant(merchant.id)
    assert (bill.opening_minor, bill.closing_minor, bill.advanced_minor) == (-500, -530, 530)
    with pytest.raises(Bug, match="does not add up"):
        await books.runtime.reports.bills.merchant(merchant.id, Days.one(noon.date()))
