"""Bills: every number from the ledger, days that join, and what each line counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from core.bills import Bill
from core.ledger import BusinessDay, Event, Posting
from core.money import Money
from core.prepayments import Advance, Cause
from core.store import Tx
from tests.conftest import Servers
from tests.core.support import CHAT, Desk, owner


async def advance(desk: Desk, minor: int, message_id: int) -> None:
    await desk.runtime.prepayments.record(
        await desk.actor(),
        desk.merchant,
        Advance(Money(minor, "CNY"), "advance"),
        Cause(CHAT, message_id, 1),
    )


def adds_up(bill: Bill) -> bool:
    net = sum(line.net_minor for line in bill.products)
    return bill.opening_minor + net + bill.other_minor - bill.prepaid_minor == bill.closing_minor


async def test_a_day_with_orders_and_prepayments(desk: Desk) -> None:
    desk.clock.advance(1)
    orders = [await desk.open(10000) for _ in range(3)]
    bank = await desk.open(20000, product="wechat_qr")
    await desk.see(orders[0], 10000)
    await desk.see(orders[1], 9900)
    await desk.see(bank, 20000)
    await advance(desk, 100000, 1)
    await advance(desk, -20000, 2)
    bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert adds_up(bill)
    assert bill.open
    lines = {line.product_code: line for line in bill.products}
    alipay, wechat = lines["alipay_qr"], lines["wechat_qr"]
    assert (alipay.created, alipay.cohort_paid, alipay.paid) == (3, 1, 1)
    assert (alipay.amount_minor, alipay.fee_minor, alipay.net_minor) == (10000, 120, 9880)
    assert (wechat.created, wechat.paid, wechat.net_minor) == (1, 1, 19800)
    assert (bill.prepaid_minor, bill.prepaid_count, bill.advanced_minor) == (80000, 2, 80000)
    assert [line.minor for line in bill.prepaid_lines] == [100000, -20000]
    assert (bill.opening_minor, bill.closing_minor) == (0, 9880 + 19800 - 80000)
    assert bill.remaining_minor == 80000 - 29680
    assert bill.unpaid == 2
    position = await desk.runtime.ledger.position(
        desk.runtime.store, desk.merchant.id, "live", "CNY"
    )
    assert (bill.closing_minor, bill.remaining_minor) == (position.minor, position.remaining_minor)
    await desk.sound()


async def test_days_join_and_a_closed_day_stands_still(desk: Desk) -> None:
    first, late = await desk.open(10000), await desk.open(10000)
    desk.clock.go_to_noon()
    await desk.see(first, 10000)
    await advance(desk, 50000, 1)
    today = (await desk.runtime.bills.bill(desk.merchant.id)).day
    desk.clock.advance(86400)
    await desk.see(late, 10000)
    await advance(desk, 1, 2)
    desk.clock.advance(2 * 86400)
    bills = [
        await desk.runtime.bills.bill(desk.merchant.id, today + timedelta(days=n))
        for n in range(-1, 4)
    ]
    assert all(adds_up(bill) for bill in bills)
    for before, after in pairwise(bills):
        assert before.closing_minor == after.opening_minor
    assert [b.closing_minor for b in bills] == [0, -40120, -30241, -30241, -30241]
    assert [b.open for b in bills] == [False, False, False, False, True]
    # paid on its booking day, created on its creation day
    assert [sum(line.paid for line in b.products) for b in bills] == [0, 1, 1, 0, 0]
    created = await desk.runtime.bills.bill(desk.merchant.id, first.order.created_day)
    assert [(line.created, line.cohort_paid, line.paid) for line in created.products] == [(2, 2, 0)]
    assert await desk.runtime.bills.bill(desk.merchant.id, today) == bills[1]
    await desk.sound()


async def test_an_undone_prepayment_shows_who_took_it_back(desk: Desk) -> None:
    actor = await desk.actor()
    receipt = await desk.runtime.prepayments.record(
        actor, desk.merchant, Advance(Money(7000, "CNY"), "typo"), Cause(CHAT, 1, 1)
    )
    await desk.runtime.prepayments.undo(
        actor, desk.merchant, UUID(receipt["prepayment_id"]), Cause(CHAT, 2, 1)
    )
    bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert (bill.prepaid_minor, bill.closing_minor) == (0, 0)
    assert [(p.minor, p.undone_by) for p in bill.prepaid_lines] == [(7000, actor.name)]


async def test_test_orders_are_on_no_bill(desk: Desk) -> None:
    keys = await desk.runtime.merchants.open_app(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    desk.app = await desk.runtime.access.app(keys.key_id, "127.0.0.1")
    await desk.see(await desk.open(), 10000)
    bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert (bill.products, bill.closing_minor, bill.unpaid) == ((), 0, 0)


async def test_a_bill_is_read_while_money_is_booked(
    desk: Desk, servers: Servers, database: str
) -> None:
    """Whoever is paid holds the open day; whoever reads a bill does not wait for that."""
    async with owner(servers, database) as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM business_day WHERE holder_id = $1 AND closed_at IS NULL FOR SHARE",
            desk.merchant.id,
        )
        async with asyncio.timeout(10):
            bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert bill.open


async def test_a_bill_is_read_as_of_the_callers_moment(
    desk: Desk, servers: Servers, database: str
) -> None:
    bills, merchant = desk.runtime.bills, desk.merchant
    await advance(desk, 500, 1)
    day = await bills.open_day(merchant)
    async with owner(servers, database) as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tx = Tx(connection)
            before = await bills.bill_in(tx, merchant, day, day)
            await advance(desk, 700, 2)
            assert await bills.bill_in(tx, merchant, day, day) == before
            position = await desk.runtime.ledger.position(tx, merchant.id, "live", "CNY")
        assert before.closing_minor == position.minor == -500
        assert (await bills.bill_in(Tx(connection), merchant, day, day)).closing_minor == -1200


async def test_what_was_booked_before_the_day_is_not_added_up_again(
    desk: Desk, servers: Servers, database: str
) -> None:
    """The opening comes from the balances; entries of days before are not even looked at."""
    desk.clock.go_to_noon()
    await advance(desk, 500, 1)
    desk.clock.advance(86400)
    await advance(desk, 30, 2)
    async with owner(servers, database) as connection:
        await connection.execute(
            "DELETE FROM ledger_entry WHERE merchant_id = $1 AND minor IN (500, -500)",
            desk.merchant.id,
        )
    bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert (bill.opening_minor, bill.closing_minor, bill.advanced_minor) == (-500, -530, 530)


async def test_what_neither_orders_nor_prepayments_booked_is_on_the_bill(desk: Desk) -> None:
    async def adjust(tx: Tx, day: BusinessDay) -> None:
        postings = (Posting("payable", "CNY", 250), Posting("adjust", "CNY", -250))
        await desk.runtime.ledger.book(tx, day, Event("adjust:1", "adjusted", "live", postings))

    await desk.see(await desk.open(), 10000)
    await desk.runtime.ledger.in_open_day(desk.merchant.id, desk.merchant.day_cut, adjust)
    bill = await desk.runtime.bills.bill(desk.merchant.id)
    assert (bill.other_minor, bill.closing_minor) == (250, 9880 + 250)
    assert adds_up(bill)
