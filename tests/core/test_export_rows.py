"""Rows of files are of the right order, refund and person, and name no other supplier's numbers."""

from __future__ import annotations

from datetime import date, timedelta

from core.kernel.days import Days
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.reports.exports import MerchantReading, MovementRow, Paper, TakingRow
from core.reports.statistics import Query
from core.supply.channels import NewChannel
from core.trade.orders import Opened
from tests.core.support import FINANCE, OPS_CHAT, Desk
from tests.core.system.test_restored import complete, reverse


async def takings(desk: Desk, supplier_no: str) -> list[TakingRow]:
    runtime = desk.runtime
    supplier = await runtime.parties.suppliers.by_no(supplier_no)
    day = await runtime.reports.bills.open_day(supplier.id)
    paper = Paper("excel", "s", supplier.id, Days.one(day))
    async with runtime.reports.exports.supplier(paper) as reading:
        return [row async for chunk in reading.takings() for row in chunk]


async def at_both(desk: Desk) -> tuple[Opened, dict[str, str]]:
    """An order that C01 of S01 refused and C03 of S02 took; its attempt on each of them."""
    await desk.supplier.fault("create", "refuse", times=1)
    opened = await desk.open()
    rows = await desk.runtime.system.store.fetch("SELECT channel_no, attempt_no FROM attempt")
    numbers = {row["channel_no"]: row["attempt_no"] for row in rows}
    assert sorted(numbers) == ["C01", "C03"]
    return opened, numbers


async def lines(desk: Desk, supplier_no: str) -> list[tuple[str, int, int, int]]:
    """(channel, paid, amount, cost) of the supplier's bill of today, as its statistics say too."""
    runtime = desk.runtime
    supplier = await runtime.parties.suppliers.by_no(supplier_no)
    today = Days.one(await runtime.reports.bills.open_day(supplier.id))
    bill = await runtime.reports.bills.supplier(supplier.id, today)
    read = [(x.channel_no, x.paid, x.amount_minor, x.cost_minor) for x in bill.lines]
    counted = await runtime.reports.statistics.of_supplier(supplier.id, today)
    by_channel = {(r.channel_no, r.paid, r.amount_minor, r.cost_minor) for r in counted.rows}
    assert by_channel >= set(read)
    assert {number for number, *_ in by_channel - set(read)} <= {"C01", "C03"}  # attempts alone
    return read


async def costs(desk: Desk) -> dict[str | None, int]:
    """What each channel cost today, by the merchant's bill and by the statistics."""
    runtime = desk.runtime
    today = await runtime.reports.bills.open_day(desk.merchant.id)
    bill = await runtime.reports.bills.merchant(desk.merchant.id, Days.one(today))
    assert [(x.paid, x.amount_minor) for x in bill.channels if x.paid] == [(1, 10_000)]
    counted = await runtime.reports.statistics.read(
        Query(today, today, merchant_ids=(desk.merchant.id,), by=("channel",))
    )
    said: dict[str | None, int] = {x.channel_no: x.cost_minor for x in bill.channels}
    assert {r.channel_no: r.cost_minor for r in counted.rows} == said
    return said


async def test_a_completion_that_another_supplier_confirms_shows_each_its_own(desk: Desk) -> None:
    desk.clock.go_to_noon()
    opened, numbers = await at_both(desk)
    await complete(desk, opened)
    seen = await desk.see(opened, 10_000, attempt_no=numbers["C01"], upstream_no="U-theirs")
    assert seen.meaning == "confirmation"
    await desk.sound()
    for rolled in (False, True):
        assert [(r.kind, r.channel_no, r.attempt_no, r.upstream_no, r.amount_minor, r.cost_minor)
                for r in await takings(desk, "S02")] == [
            ("completed", "C03", numbers["C03"], "", 10_000, 70),
            ("confirmation", "C03", numbers["C03"], "", -10_000, -70),
        ]  # fmt: skip
        assert [(r.kind, r.channel_no, r.attempt_no, r.upstream_no, r.amount_minor, r.cost_minor)
                for r in await takings(desk, "S01")] == [
            ("confirmation", "C01", numbers["C01"], "U-theirs", 10_000, 65)
        ]  # fmt: skip
        assert await lines(desk, "S02") == [("C03", 1, 0, 0)]
        assert await lines(desk, "S01") == [("C01", 0, 10_000, 65)]
        assert await costs(desk) == {"C01": 65, "C03": 0}
        if not rolled:
            await desk.runtime.ledger.calendar.roll(desk.merchant.id)


async def test_a_completion_confirmed_on_another_channel_of_its_supplier_goes_there(
    desk: Desk,
) -> None:
    desk.clock.go_to_noon()
    runtime = desk.runtime
    dearer = NewChannel(
        "C05", "恒通 二", "alipay_qr", Tariff.flat(Rate(8000)), ("alipay_qr",), priority=1
    )
    await runtime.supply.channels.add_channel(await runtime.parties.suppliers.by_no("S01"), dearer)
    await runtime.system.store.execute("UPDATE channel SET priority = 2 WHERE channel_no = 'C03'")
    await desk.supplier.fault("create", "refuse", times=1)
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C05"
    rows = await runtime.system.store.fetch("SELECT channel_no, attempt_no FROM attempt")
    numbers = {row["channel_no"]: row["attempt_no"] for row in rows}
    assert sorted(numbers) == ["C01", "C05"]
    await complete(desk, opened)
    before = await desk.balances()
    await desk.see(opened, 10_000, attempt_no=numbers["C01"], upstream_no="U-first")
    assert await desk.balances() == before | {"due/S01": -9935, "cost/S01": -65}
    await desk.sound()
    assert [(r.kind, r.channel_no, r.attempt_no, r.upstream_no, r.amount_minor, r.cost_minor)
            for r in await takings(desk, "S01")] == [
        ("completed", "C05", numbers["C05"], "", 10_000, 80),
        ("confirmation", "C01", numbers["C01"], "U-first", 10_000, 65),
        ("confirmation", "C05", numbers["C05"], "", -10_000, -80),
    ]  # fmt: skip
    assert await lines(desk, "S01") == [("C01", 0, 10_000, 65), ("C05", 1, 0, 0)]
    assert [r.state for r in await takings(desk, "S01")] == ["confirmed", "", ""]
    assert await costs(desk) == {"C01": 65, "C05": 0}


async def test_completions_that_nobody_confirmed_are_told_apart(desk: Desk) -> None:
    noon = desk.clock.go_to_noon()
    runtime = desk.runtime
    supplier = await runtime.parties.suppliers.by_no("S01")
    confirmed, reversed_, left, paid = [await desk.open(10_000) for _ in range(4)]
    for opened in (confirmed, reversed_, left):
        await complete(desk, opened)
    await desk.see(paid, 10_000)

    async def said(day: date | None = None) -> tuple[list[str], tuple[int, int, int]]:
        days = Days.one(day or await runtime.reports.bills.open_day(supplier.id))
        bill = await runtime.reports.bills.supplier(supplier.id, days)
        paper = Paper("excel", "s", supplier.id, days)
        async with runtime.reports.exports.supplier(paper) as reading:
            rows = [row async for chunk in reading.takings() for row in chunk]
        states = [row.state for row in rows if row.kind == "completed"]
        open_due = sum(row.due_minor for row in rows if row.state == "unconfirmed")
        assert open_due == bill.unconfirmed_due_minor
        return states, (bill.unconfirmed, bill.unconfirmed_minor, bill.unconfirmed_due_minor)

    assert await said() == (["unconfirmed"] * 3, (3, 30_000, 3 * 9_935))
    await desk.see(confirmed, 10_000)
    await reverse(desk, reversed_)
    now = (["confirmed", "reversed", "unconfirmed"], (1, 10_000, 9_935))
    assert await said() == now
    desk.clock.advance(86_400)
    await desk.see(left, 10_000)
    assert await said(noon.date()) == now, "a closed day stays what it is"
    assert (await said())[1] == (0, 0, 0)
    days = Days(noon.date(), noon.date() + timedelta(days=1))
    assert (await runtime.reports.bills.supplier(supplier.id, days)).unconfirmed == 0


async def movements(desk: Desk) -> list[MovementRow]:
    runtime = desk.runtime
    day = Days.one(await runtime.reports.bills.open_day(desk.merchant.id))
    paper = Paper("excel", "m", desk.merchant.id, day, staff=True)
    async with runtime.reports.exports.merchant(paper) as reading:
        found = [row async for chunk in reading.movements() for row in chunk]
        others = [row for row in found if row.kind not in ("completion_reversed", "restored")]
        assert sum(row.minor for row in others) == reading.bill.other_minor
    return found


async def test_each_movement_is_of_its_own_refund_order_and_decision(desk: Desk) -> None:
    desk.clock.go_to_noon()
    runtime, merchant_id = desk.runtime, desk.merchant.id
    orders = [await desk.open(10_000) for _ in range(2)]
    expected = []
    for nth, opened in enumerate(orders):
        await desk.see(opened, 10_000)
        for part in range(2):
            number = f"R{nth}-{part}"
            refund = await runtime.trade.refunds.reserve(
                desk.app, merchant_id, opened.order.id, number, Money(100 + part, "CNY"),
                fee_returned=False,
            )  # fmt: skip
            expected.append(("refund_reserved", -100 - part, opened.order.order_no, number, "", ""))
            if part:
                await runtime.trade.refunds.release(merchant_id, refund.id, "refused")
                expected.append(("refund_released", 101, opened.order.order_no, number, "", ""))
            else:  # what the merchant bears was taken when it was reserved
                await runtime.trade.refunds.settle(merchant_id, refund.id, cost_returned=False)
    await desk.see(orders[0], 10_000, upstream_no="twice")
    (item,) = (await runtime.trade.discrepancies.open_ones(None)).items
    await runtime.trade.discrepancies.resolve(
        await desk.actor(FINANCE, OPS_CHAT), merchant_id, item.id, "credit_merchant", "theirs",
        left_minor=10_000,
    )  # fmt: skip
    by_hand = await desk.open(10_000)
    await complete(desk, by_hand)
    await reverse(desk, by_hand)
    await complete(desk, by_hand)
    rows = [
        (r.kind, r.minor, r.order_no, r.record_no, r.reason, r.actor_name)
        for r in await movements(desk)
    ]
    number = by_hand.order.order_no
    assert rows[:-3] == expected
    assert rows[-3][:5] == ("credited", 9880, orders[0].order.order_no, "", "theirs")
    assert rows[-2:] == [
        ("completion_reversed", -9880, number, "", "seen at the bank", "Lin"),
        ("restored", 9880, number, "", "seen at the bank", "Lin"),
    ]


async def test_a_file_of_a_day_looks_at_no_other_month(desk: Desk) -> None:
    """What its rows are joined with lies in the months of their orders."""
    noon = desk.clock.go_to_noon()
    opened = await desk.open()
    await desk.see(opened, 10_000)
    await desk.sound()
    runtime, merchant = desk.runtime, desk.merchant
    today = await runtime.reports.bills.open_day(merchant.id)
    paper = Paper("csv", "m", merchant.id, Days.one(today), staff=True)
    async with runtime.system.store.snapshot() as tx:
        bill = await runtime.reports.bills.merchant_in(tx, merchant, paper.days, today)
        reading = MerchantReading(tx, paper, bill)
        before = {row["month"]: row["looks"] for row in await tx.fetch(_LOOKS)}
        rows = [row async for chunk in reading.orders() for row in chunk]
        looked = [row for row in await tx.fetch(_LOOKS) if row["looks"] > before[row["month"]]]
    assert [row.channel_no for row in rows] == ["C01"]
    assert [row["month"] for row in looked] == [f"attempt_{noon:%Y_%m}"]


_LOOKS = """
SELECT relname AS month, seq_scan + idx_scan AS looks FROM pg_stat_xact_user_tables
WHERE relname ~ '^attempt_[0-9_]+$'
"""
