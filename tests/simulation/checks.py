"""The desk's bills, statistics, files and balances against what the merchants wrote down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.reports.bills import Bill, PlatformBill, SupplierBill
from core.reports.exports import Paper
from core.reports.statistics import Query
from core.trade.orders import get_order
from tests.simulation.books import Books, Line, Sale, Windows, agree
from tests.simulation.desk import LifeDesk
from tests.simulation.life import Shop, windows_of

SOLD: Final = ("orders", "reversals")
OTHER: Final = ("refunds", "credits", "adjustments", "reratings")


async def check(desk: LifeDesk, shops: Sequence[Shop]) -> None:
    """Everything the desk says is what own books say."""
    for shop in shops:
        await _check_orders(desk, shop)
        await _check_suspense(desk, shop.books)
        await _check_merchant(desk, shop)
    for supplier in await desk.runtime.parties.suppliers.all():
        if any(x.supplier == supplier.supplier_no for s in shops for x in s.books.lines):
            await _check_supplier(desk, supplier.id, shops)
    for currency in {shop.books.currency for shop in shops}:
        await _check_platform(desk, currency, shops)
    found = [
        str(difference) for difference in (await desk.runtime.reports.verify.whole()).differences
    ]
    agree(found, [], "verify-books")


# ── merchants ────────────────────────────────────────────────────────────────────────────────────
async def _check_orders(desk: LifeDesk, shop: Shop) -> None:
    for sale in shop.books.sales.values():
        order = await get_order(desk.runtime.system.store, shop.merchant.id, sale.id)
        state = order.state if order.settled else "unpaid"
        said = (state, order.disputed, order.paid_how or "")
        agree(said, (sale.state, sale.disputed, sale.how), sale)
    rows = await desk.runtime.system.store.fetch(_OUT_OF_TURN, shop.merchant.id)
    agree([dict(row) for row in rows], [], "booked before what came before it")
    rows = await desk.runtime.system.store.fetch(_NET_FEES, shop.merchant.id)
    for row in rows:
        assert row["minor"] >= 0, f"{row['order_id']} earned {row['minor']} of fees"


async def _check_suspense(desk: LifeDesk, books: Books) -> None:
    page = await desk.runtime.trade.discrepancies.open_ones([books.merchant_id])
    agree(page.total, len(books.open_money()), "open discrepancies")
    for mode in ("live", "test"):
        position = await desk.runtime.ledger.position(
            desk.runtime.system.store, books.merchant_id, mode, books.currency
        )
        agree(position.payable_minor, books.payable(mode), mode, "payable")
        agree(position.minor, books.owed(mode), mode, "position")
        for supplier, minor in _by_supplier(books, mode).items():
            account = f"suspense/{supplier}"
            agree(await _balance(desk, books, mode, account), minor, mode, account)


async def _check_merchant(desk: LifeDesk, shop: Shop) -> None:
    runtime, books = desk.runtime, shop.books
    live = [line for line in books.lines if line.mode == "live"]
    await runtime.reports.bills.open_day(shop.merchant.id)
    windows = await windows_of(desk, shop.merchant.id)
    owed, bills = 0, []
    for day, start, end in windows:
        bill = await runtime.reports.bills.merchant(shop.merchant.id, Days.one(day))
        agree((bill.starts_at, bill.ends_at), (start, end), day)
        moved = _within(live, start, end)
        agree(bill.opening_minor, owed, day, "opening")
        owed += sum(x.net + x.prepaid for x in moved)
        agree(bill.closing_minor, owed, day, "closing")
        _check_moved(bill, moved)
        _check_created(bill, books, start, end)
        await _check_orders_sheet(desk, shop, bill)
        bills.append(bill)
    for before, after in pairwise(bills):
        assert (before.closing_minor, before.ends_at) == (after.opening_minor, after.starts_at)
    days = Days(windows[0][0], windows[-1][0])
    whole = await runtime.reports.bills.merchant(shop.merchant.id, days)
    agree(whole.closing_minor, owed, days, "closing")
    _check_moved(whole, live)
    await _check_statistics(desk, shop, days, windows, live)


def _check_moved(bill: Bill | PlatformBill, moved: Sequence[Line]) -> None:
    """Product lines, headings and prepayments."""
    sold = [x for x in moved if x.heading in SOLD]
    for line in bill.products:
        of = [x for x in sold if x.product == line.product_code]
        back = [x for x in of if x.heading == "reversals"]
        agree(
            (line.paid, line.amount_minor, line.fee_minor, line.net_minor),
            (_orders(of), sum(x.net + x.fees for x in of), sum(x.fees for x in of),
             sum(x.net for x in of)),
            bill.days, line.product_code,
        )  # fmt: skip
        agree(
            (line.reversed, line.reversed_minor, line.reversed_fee_minor),
            (_orders(back), sum(x.net + x.fees for x in back), sum(x.fees for x in back)),
            bill.days, line.product_code, "reversed",
        )  # fmt: skip
    agree(sum(line.paid for line in bill.products), _orders(sold), bill.days, "paid")
    said = {str(movement.heading): movement.minor for movement in bill.movements}
    ours = {h: sum(x.net for x in moved if x.heading == h) for h in OTHER}
    agree(_without_zeros(said), _without_zeros(ours), bill.days)
    charged = {str(movement.heading): movement.fee_minor for movement in bill.movements}
    ours = {h: sum(x.fees for x in moved if x.heading == h) for h in OTHER}
    agree(_without_zeros(charged), _without_zeros(ours), bill.days, "fees beside orders")
    agree(bill.prepaid_minor, -sum(x.prepaid for x in moved), bill.days, "prepaid")
    fees, costs = sum(x.fees for x in moved), sum(x.cost for x in moved)
    agree(bill.fee_minor, fees, bill.days, "fees")
    agree(sum(line.fee_minor for line in bill.channels), fees, bill.days, "fees of channels")
    agree(sum(line.cost_minor for line in bill.channels), costs, bill.days, "costs of channels")


def _check_created(bill: Bill, books: Books, start: datetime, end: datetime) -> None:
    for line in bill.products:
        made = [
            sale for sale in books.sales.values()
            if sale.mode == "live" and sale.product == line.product_code
            and start <= sale.created_at < end
        ]  # fmt: skip
        in_time = [sale for sale in made if sale.paid_at and sale.paid_at < end]
        said = (line.created, line.cohort_paid)
        agree(said, (len(made), len(in_time)), bill.days, line.product_code, "created")


async def _check_orders_sheet(desk: LifeDesk, shop: Shop, bill: Bill) -> None:
    """The rows of the day's workbook add up to its product lines and movements."""
    if not bill.products and not bill.movements:
        return
    paper = Paper("excel", "m", shop.merchant.id, bill.days, staff=True)
    async with desk.runtime.reports.exports.merchant(paper) as reading:
        orders = [row async for chunk in reading.orders() for row in chunk]
        movements = [row async for chunk in reading.movements() for row in chunk]
    for line in bill.products:
        rows = [row for row in orders if row.product_code == line.product_code]
        amount, fee = sum(row.amount_minor for row in rows), sum(row.fee_minor for row in rows)
        agree(
            (len(rows) + line.reversed, amount + line.reversed_minor,
             fee + line.reversed_fee_minor),
            (line.paid, line.amount_minor, line.fee_minor),
            "orders sheet", bill.days, line.product_code,
        )  # fmt: skip
    others = [row for row in movements if row.kind not in ("completion_reversed", "restored")]
    agree(sum(row.minor for row in others), bill.other_minor, "movements sheet", bill.days)
    charged = sum(movement.fee_minor for movement in bill.movements)
    agree(sum(row.fee_minor for row in others), charged, "fees of movements", bill.days)


async def _check_statistics(
    desk: LifeDesk, shop: Shop, days: Days, windows: Windows, live: Sequence[Line]
) -> None:
    query = Query(
        days.first, days.last, merchant_ids=(shop.merchant.id,), currency=shop.books.currency,
        by=("day", "product"),
    )  # fmt: skip
    rows = {
        (r.day, r.product_code): r for r in (await desk.runtime.reports.statistics.read(query)).rows
    }
    for day, start, end in windows:
        moved = _within(live, start, end)
        for product in {x.product for x in moved} | {r[1] for r in rows if r[0] == day}:
            of = [x for x in moved if x.product == product]
            made = [
                sale for sale in shop.books.sales.values()
                if (sale.mode, sale.product) == ("live", product)
                and start <= sale.created_at < end
            ]  # fmt: skip
            ours = _counted(of, made)
            row = rows.pop((day, product), None)
            said = (
                (row.created, row.cohort_paid, row.paid, row.amount_minor, row.fee_minor,
                 row.cost_minor)
                if row is not None else (0,) * 6
            )  # fmt: skip
            agree(said, ours, "statistics", day, product)
    agree(rows, {}, "statistics")


def _counted(lines: Sequence[Line], made: Sequence[Sale]) -> tuple[int, ...]:
    orders = [x for x in lines if x.heading in SOLD]
    return (
        len(made), sum(sale.paid_at is not None for sale in made), _orders(orders),
        sum(x.net + x.fees for x in orders), sum(x.fees for x in lines),
        sum(x.cost for x in lines),
    )  # fmt: skip


def _orders(lines: Iterable[Line]) -> int:
    """How many orders were paid, net of what was taken back."""
    return sum(-1 if x.net + x.fees < 0 else 1 for x in lines)


# ── windows over all merchants ───────────────────────────────────────────────────────────────────
async def _check_supplier(desk: LifeDesk, supplier_id: UUID, shops: Sequence[Shop]) -> None:
    supplier = await desk.runtime.parties.suppliers.by_id(supplier_id)
    lines = [x for x in _all(shops) if x.supplier == supplier.supplier_no]
    await desk.runtime.reports.bills.open_day(supplier_id)
    windows = await windows_of(desk, supplier_id)
    bills: list[SupplierBill] = []
    for day, start, end in windows:
        bill = await desk.runtime.reports.bills.supplier(supplier_id, Days.one(day))
        moved, before = _within(lines, start, end), _within(lines, windows[0][1], end)
        where = (supplier.supplier_no, day)
        agree(bill.currency, supplier.currency, *where)
        agree(sum(x.due_minor for x in bill.lines), sum(x.due for x in moved), *where, "due")
        agree(sum(x.cost_minor for x in bill.lines), sum(x.cost for x in moved), *where, "cost")
        agree(bill.closing_minor, sum(x.due for x in before), *where, "closing")
        agree(bill.suspense_minor, sum(x.suspense for x in before), *where, "suspense")
        bills.append(bill)
    _check_join(bills, windows)


async def _check_platform(desk: LifeDesk, currency: str, shops: Sequence[Shop]) -> None:
    """All merchants together, and all suppliers."""
    lines = _all(shops, currency)
    await desk.runtime.reports.bills.open_day(HOUSE)
    windows = await windows_of(desk, HOUSE)
    bills: list[PlatformBill] = []
    for day, start, end in windows:
        bill = await desk.runtime.reports.bills.platform(Days.one(day), currency)
        moved, before = _within(lines, start, end), _within(lines, windows[0][1], end)
        where = (currency, day)
        _check_moved(bill, moved)
        agree(bill.closing_minor, sum(x.net + x.prepaid for x in before), *where, "closing")
        agree(bill.fee_minor, sum(x.fees for x in moved), *where, "fee")
        agree(bill.cost_minor, sum(x.cost for x in moved), *where, "cost")
        agree(bill.suspense_minor, sum(x.suspense for x in before), *where, "suspense")
        due = {
            x.supplier_no: (x.amount_minor - x.cost_minor, x.closing_minor) for x in bill.suppliers
        }
        ours = {
            s: (_due(moved, s), _due(before, s)) for s in {x.supplier for x in before if x.supplier}
        }
        agree(_without_zeros(due), _without_zeros(ours), *where)
        agree(sum(x.fee_minor for x in bill.merchants), bill.fee_minor, *where, "merchants' fees")
        agree(sum(x.cost_minor for x in bill.merchants), bill.cost_minor, *where, "their costs")
        bills.append(bill)
    _check_join(bills, windows)


def _check_join(bills: Sequence[SupplierBill | PlatformBill], windows: Windows) -> None:
    for bill, (_, start, end) in zip(bills, windows, strict=True):
        agree((bill.starts_at, bill.ends_at), (start, end))
    for before, after in pairwise(bills):
        assert (before.closing_minor, before.ends_at) == (after.opening_minor, after.starts_at)


def _without_zeros(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in (0, (0, 0))}


def _all(shops: Sequence[Shop], currency: str | None = None) -> list[Line]:
    return [
        line for shop in shops for line in shop.books.lines
        if line.mode == "live" and currency in (None, shop.books.currency)
    ]  # fmt: skip


def _within(lines: Iterable[Line], start: datetime, end: datetime) -> list[Line]:
    return [line for line in lines if start <= line.at < end]


def _due(lines: Iterable[Line], supplier: str) -> int:
    return sum(line.due for line in lines if line.supplier == supplier)


def _by_supplier(books: Books, mode: str) -> dict[str, int]:
    lines = [x for x in books.lines if x.mode == mode and x.supplier]
    return {
        s: sum(x.suspense for x in lines if x.supplier == s) for s in {x.supplier for x in lines}
    }


async def _balance(desk: LifeDesk, books: Books, mode: str, account: str) -> int:
    minor: int | None = await desk.runtime.system.store.fetchval(
        "SELECT minor FROM balance WHERE merchant_id = $1 AND mode = $2 AND currency = $3"
        " AND account = $4",
        books.merchant_id, mode, books.currency, account,
    )  # fmt: skip
    return minor or 0


# Events of an order in the order in which they were written, as their ids are drawn.
_OUT_OF_TURN: Final = """
SELECT order_id, kind, booked_at, before FROM (
    SELECT order_id, kind, booked_at,
           lag(booked_at) OVER (PARTITION BY order_id ORDER BY id) AS before
    FROM ledger_event WHERE merchant_id = $1 AND order_id IS NOT NULL
) AS e
WHERE booked_at < before
"""
# All that was booked to `fees` for an order, and what it was charged more or less afterwards.
_NET_FEES: Final = """
SELECT order_id, sum(minor)::bigint AS minor FROM (
    SELECT v.order_id, l.minor FROM ledger_event v
    JOIN ledger_entry l ON l.merchant_id = v.merchant_id AND l.event_id = v.id
    WHERE v.merchant_id = $1 AND l.account = 'fees' AND v.order_id IS NOT NULL
      AND v.kind <> 'rerated'  -- its orders say it below
    UNION ALL
    SELECT order_id, fee_now_minor - fee_then_minor FROM rerated_order WHERE merchant_id = $1
) AS moved
GROUP BY order_id
"""
