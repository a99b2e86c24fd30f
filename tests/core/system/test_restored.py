"""An order whose completion was reversed, and that was paid after all, is one order. The reversal
lowers its product's figures on its own day, and what came again raises them on its day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.file_builder import Builder, Progress
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.reports.bills import Bill
from core.reports.exports import Paper
from core.reports.statistics import Query
from core.trade.orders import ByHand, Opened
from tests.bench.formulas import Sheets
from tests.core.reports.bills.books import joined
from tests.core.support import OPERATOR, Desk, completing, nothing

ONE_DAY = timedelta(days=1)
_BY = ByHand("seen at the bank", OPERATOR, "Lin", OPERATOR)


async def complete(desk: Desk, opened: Opened) -> None:
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, _BY, request_id="x", also=nothing
    )


async def reverse(desk: Desk, opened: Opened) -> None:
    version = (await desk.order(opened)).version
    await completing(desk.runtime).reverse(
        desk.merchant.id, opened.order.id, version, _BY, asked_by=1, request_id="x", also=nothing
    )


async def report(desk: Desk, opened: Opened) -> None:
    assert (await desk.see(opened, 10_000)).meaning == "order"


@dataclass
class Lived:
    """Three days of one order of 100.00 and, on the third, another one of 30.00."""

    days: list[date]
    bills: list[Bill]


async def live(desk: Desk, again: Callable[[Desk, Opened], Awaitable[None]]) -> Lived:
    desk.clock.go_to_noon()
    opened = await desk.open(10_000)
    days: list[date] = []
    for step in (complete, reverse, again):
        if days:
            desk.clock.advance(86_400)
        days.append(await desk.runtime.reports.bills.open_day(desk.merchant.id))
        await step(desk, opened)
    await desk.see(await desk.open(3_000), 3_000)
    bills = [
        await desk.runtime.reports.bills.merchant(desk.merchant.id, Days.one(day)) for day in days
    ]
    return Lived(days, bills)


@pytest.mark.parametrize("again", [report, complete])
async def test_it_counts_once_over_its_days(
    desk: Desk, tmp_path: Path, again: Callable[[Desk, Opened], Awaitable[None]]
) -> None:
    lived = await live(desk, again)
    runtime, merchant_id = desk.runtime, desk.merchant.id
    for rolled in (False, True):
        bills = lived.bills
        assert joined(bills)
        assert [[(x.paid, x.amount_minor) for x in bill.products] for bill in bills] == [
            [(1, 10_000)], [(-1, -10_000)], [(2, 13_000)]
        ]  # fmt: skip
        assert [
            [(x.reversed, x.reversed_minor, x.reversed_fee_minor) for x in bill.products]
            for bill in bills
        ] == [[(0, 0, 0)], [(-1, -10_000, -120)], [(1, 10_000, 120)]]
        assert [bill.movements for bill in bills] == [(), (), ()]
        assert [bill.carried for bill in bills] == [0, 0, 0]
        span = Days(lived.days[0], lived.days[-1])
        whole = await runtime.reports.bills.merchant(merchant_id, span)
        assert [(x.paid, x.amount_minor) for x in whole.products] == [(2, 13_000)]
        assert [(x.reversed, x.reversed_minor) for x in whole.products] == [(0, 0)]
        assert whole.movements == ()
        assert whole.closing_minor == bills[-1].closing_minor
        by_day = [(1, 10_000), (-1, -10_000), (2, 13_000)]
        assert [(x.paid, x.amount_minor) for x in whole.by_day] == by_day

        counted = await runtime.reports.statistics.read(Query(span.first, span.last, by=("day",)))
        assert [(row.paid, row.amount_minor) for row in counted.rows] == by_day
        assert (counted.total.created, counted.total.cohort_paid) == (2, 2)
        platform = await runtime.reports.bills.platform(span)
        assert [(x.paid, x.amount_minor) for x in platform.products] == [(2, 13_000)]
        chart = await runtime.reports.exports.chart(Paper("chart", "m", merchant_id, span))
        assert [p.amount_minor for p in chart.points] == [10_000, -10_000, 13_000]
        assert (chart.paid, chart.created) == (2, 2)

        for day, bill in zip(lived.days, bills, strict=True):
            await same_as_its_workbook(desk, Days.one(day), bill, tmp_path)
        await same_as_its_workbook(desk, span, whole, tmp_path)
        if not rolled:
            await runtime.ledger.calendar.roll(merchant_id)
    await runtime.ledger.calendar.roll(HOUSE)
    await its_volume(desk, lived)


async def same_as_its_workbook(desk: Desk, days: Days, bill: Bill, folder: Path) -> None:
    """The sheet of orders and the reversals among adjustments have what the product lines say, the
    rest of the adjustments what else moved. Every formula says what it is written with."""
    paper = Paper("excel", "m", desk.merchant.id, days, staff=True)
    async with desk.runtime.reports.exports.merchant(paper) as reading:
        orders = [row async for chunk in reading.orders() for row in chunk]
        movements = [row async for chunk in reading.movements() for row in chunk]
        assert await reading.count() == len(orders)
    back = [row for row in movements if row.kind in ("completion_reversed", "restored")]
    others = [row for row in movements if row not in back]
    assert len(orders) + sum(x.reversed for x in bill.products) == sum(
        x.paid for x in bill.products
    )
    gross = sum(row.minor + row.fee_minor for row in back)
    assert gross == sum(x.reversed_minor for x in bill.products)
    assert sum(row.amount_minor for row in orders) + gross == sum(
        x.amount_minor for x in bill.products
    )
    net = sum(row.amount_minor - row.fee_minor for row in orders) + sum(x.minor for x in back)
    assert net == bill.net_minor
    assert sum(row.minor for row in others) == bill.other_minor
    built = await Builder(desk.runtime).file(paper, "zh", folder, Progress())
    assert built.path is not None
    sheets = Sheets(built.path)
    assert sheets.wrong() == []
    kinds = {row[2].value for row in sheets.formulas["调账"].iter_rows()}
    assert ("补单冲正" in kinds) is bool(back)
    said = sheets.column("概要", "B")
    assert said["成交笔数"] == sum(x.paid for x in bill.products)
    assert said["差额"] == 0


async def its_volume(desk: Desk, lived: Lived) -> None:
    """What tiers go by: what was taken back lowers it, what came again raises it."""
    ledger, store = desk.runtime.ledger, desk.runtime.system.store
    volumes = [
        await ledger.volume(store, desk.merchant.id, "live", "CNY", "alipay_qr", day)
        for day in lived.days
    ]
    assert volumes == [0, 10_000, 0]
    desk.clock.advance(86_400)
    today = await ledger.calendar.today(desk.merchant.id)
    assert await ledger.volume(store, desk.merchant.id, "live", "CNY", "alipay_qr", today) == 13_000


async def test_a_suppliers_file_says_what_happened(desk: Desk) -> None:
    lived = await live(desk, report)
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    paper = Paper("excel", "s", supplier.id, Days(lived.days[0], lived.days[-1]))
    async with desk.runtime.reports.exports.supplier(paper) as reading:
        rows = [row async for chunk in reading.takings() for row in chunk]
        assert [row.kind for row in rows] == [
            "completed", "completion_reversed", "restored", "order"
        ]  # fmt: skip
        assert sum(line.paid for line in reading.bill.lines) == 2
        assert sum(row.amount_minor for row in rows) == 13_000


async def test_a_file_of_the_first_day_says_how_it_was_paid_in_the_end(desk: Desk) -> None:
    desk.clock.go_to_noon()
    opened = await desk.open(10_000)
    first = Days.one(await desk.runtime.reports.bills.open_day(desk.merchant.id))
    paper = Paper("excel", "m", desk.merchant.id, first)
    await complete(desk, opened)
    desk.clock.advance(86_400)
    said = []
    for step in (None, reverse, report):
        if step is not None:
            await step(desk, opened)
        async with desk.runtime.reports.exports.merchant(paper) as reading:
            ((row,),) = [chunk async for chunk in reading.orders()]
            said.append((row.how, row.late, await reading.digest("zh")))
    assert [how for how, _, _ in said] == ["completed", "completed", "reported"]
    assert said[0][2] != said[2][2]
