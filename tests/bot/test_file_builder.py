"""Workbooks of every kind re-add to the bills they stand beside."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.file_builder import Builder, Progress
from core.accounts.vouchers import Advance, Cause
from core.kernel import codec
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.reports.exports import Paper
from core.reports.order_lists import OrderFilter, Turn
from core.runtime import Runtime
from core.trade.orders import OpenOrder
from tests.bench.formulas import Sheets
from tests.bot.busy import busy_day
from tests.conftest import SUPPLIER_KEYS
from tests.core.abroad import new_channel, open_shop, open_supplier, pay
from tests.core.support import ADMIN, CHAT, FINANCE, OPS_CHAT, SUPPLIER_CHAT, SetClock

ORDERS = 30


async def live(runtime: Runtime, clock: SetClock, merchant: Merchant) -> None:
    """A day with orders, prepayments and what a supplier paid in, one of each undone."""
    await busy_day(runtime, clock, merchant, ORDERS)
    actor = await runtime.people.access.actor(FINANCE, "Lin", FINANCE, private=True)
    supplier = await runtime.parties.suppliers.by_no("S01")
    for number, minor in enumerate((300_000, -5_000, 70_000)):
        advance = Advance(Money(minor, "CNY"), f"=cmd{number}")
        cause = Cause(FINANCE, number, 1)
        await runtime.accounts.prepayments.record(actor, merchant, advance, cause)
        await runtime.accounts.payins.record(actor, supplier, advance, Cause(FINANCE, number, 2))


async def built(runtime: Runtime, paper: Paper, folder: Path) -> Sheets:
    file = await Builder(runtime).file(paper, "en", folder, Progress())
    assert file.path is not None
    sheets = Sheets(file.path)
    assert sheets.wrong() == []
    return sheets


def yuan(minor: int) -> Decimal:
    return Decimal(minor) / 100


def texts(sheets: Sheets) -> set[Any]:
    return {cell for name in sheets.names for row in sheets.formulas[name].values for cell in row}


async def test_a_suppliers_workbook(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    await live(runtime, clock, shop[0])
    supplier = await runtime.parties.suppliers.by_no("S01")
    days = Days.one(await runtime.reports.bills.open_day(supplier.id))
    bill = await runtime.reports.bills.supplier(supplier.id, days)
    sheets = await built(runtime, Paper("excel", "s", supplier.id, days), tmp_path)
    assert sheets.names == ["Summary", "Channels", "Bookings", "Paid in"]
    said = sheets.column("Summary", "B")
    due = sum(line.due_minor for line in bill.lines)
    assert said["Due at the start"] == yuan(bill.opening_minor) == 0
    assert said["Taken, less cost"] == yuan(due) > 0
    assert said["Paid in"] == yuan(bill.paid_in_minor) == 3650
    assert said["Due at the end"] == yuan(bill.closing_minor) == yuan(due - 365_000)
    assert said["Closing balance in the books"] == said["Due at the end"]
    assert said["Difference"] == 0
    channels = sheets.column("Channels", "F")
    assert channels == {
        "Channel": "Due", **{x.channel_no: yuan(x.due_minor) for x in bill.lines},
        "Total": yuan(due),
    }  # fmt: skip
    assert set(channels) == {"Channel", "C01", "C02", "C06", "Total"}
    assert sheets.formulas["Bookings"].max_row == ORDERS // 2 + 1
    # Whose orders these are, and what they were charged, is none of the supplier's business.
    seen = texts(sheets)
    assert not {shop[0].merchant_no, shop[0].name, "Fee", "Margin"} & seen
    assert not any("SHOP-" in cell for cell in seen if isinstance(cell, str))


async def test_workbooks_in_a_currency_of_three_decimals(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    clock.go_to_noon()
    supplier = await open_supplier(runtime, "KWD")
    await runtime.supply.channels.add_channel(supplier, new_channel())
    merchant, app = await open_shop(runtime, "KWD")
    for minor in (12_345, 1_000):
        await pay(runtime, app, Money(minor, "KWD"))
    days = Days.one(await runtime.reports.bills.open_day(supplier.id))
    due = Decimal("13.345") - Decimal("0.087") - Decimal("0.014")
    sheets = await built(runtime, Paper("excel", "s", supplier.id, days), tmp_path)
    assert sheets.column("Summary", "B")["Due at the end"] == due
    assert sheets.column("Channels", "F") == {"Channel": "Due", "C77": due, "Total": due}
    for currency, amount in (("KWD", Decimal("13.345")), ("CNY", Decimal(0))):
        paper = Paper("excel", "p", HOUSE, days, currency=currency)
        sheets = await built(runtime, paper, tmp_path)
        merchants = sheets.column("Merchants", "D")
        assert merchants.get(merchant.merchant_no, Decimal(0)) == amount
        assert sheets.column("Summary", "B")["Difference"] == 0
    assert {file.name for file in tmp_path.iterdir()} == {
        f"S77_{days}.xlsx", f"paydesk_KWD_{days}.xlsx", f"paydesk_CNY_{days}.xlsx",
    }  # fmt: skip
    built_chart = await Builder(runtime).chart(
        Paper("chart", "p", HOUSE, days, currency="KWD"), "en", tmp_path
    )
    assert built_chart.caption == f"📈 Platform · KWD · {days}"


async def test_the_platforms_workbook(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    await live(runtime, clock, shop[0])
    days = Days.one(await runtime.reports.bills.open_day(HOUSE))
    bill = await runtime.reports.bills.platform(days)
    sheets = await built(runtime, Paper("excel", "p", HOUSE, days, staff=True), tmp_path)
    assert sheets.names == ["Summary", "Merchants", "Suppliers", "Products", "Channels"]
    said = sheets.column("Summary", "B")
    assert said["Orders, net of fees"] == yuan(bill.net_minor)
    assert said["Prepaid"] == yuan(bill.prepaid_minor) == 3650
    assert said["Closing balance, net"] == yuan(365_000 - bill.net_minor)
    assert bill.remaining_minor == 365_000 - bill.net_minor
    assert said["Difference"] == 0
    assert said["Orders created"] == ORDERS
    assert (said["Fee"], said["Cost"]) == (yuan(bill.fee_minor), yuan(bill.cost_minor))
    assert said["Margin"] == yuan(bill.margin_minor) == yuan(bill.fee_minor - bill.cost_minor)
    amount = sum(line.amount_minor for line in bill.products)
    for sheet, column, minor in (
        ("Merchants", "D", amount), ("Merchants", "I", bill.closing.owed_minor),
        ("Suppliers", "C", amount), ("Suppliers", "E", 365_000), ("Products", "E", amount),
        ("Products", "G", bill.net_minor), ("Channels", "D", amount),
        ("Channels", "G", bill.margin_minor),
    ):  # fmt: skip
        assert sheets.column(sheet, column)["Total"] == yuan(minor), (sheet, column)
    assert sheets.column("Merchants", "C")[shop[0].merchant_no] == ORDERS


async def test_a_merchants_workbook_tells_staff_more(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    await live(runtime, clock, shop[0])
    days = Days.one(await runtime.reports.bills.open_day(shop[0].id))
    bill = await runtime.reports.bills.merchant(shop[0].id, days)
    detail = {"Channel", "Cost", "Margin", "Reason"}
    for staff in (True, False):
        paper = Paper("excel", "m", shop[0].id, days, staff=staff)
        sheets = await built(runtime, paper, tmp_path)
        said = sheets.column("Summary", "B")
        assert said["Closing prepaid balance"] == yuan(bill.remaining_minor)
        assert said["Orders paid"] == ORDERS
        assert ("Channels" in sheets.names, "Margin" in said) == (staff, staff)
        heads = {
            cell.value for name in ("Orders", "Completions") for cell in sheets.formulas[name][1]
        }
        assert detail & heads == (detail if staff else set())
        cells = texts(sheets)
        assert ({f"C0{n}" for n in range(1, 7)} <= cells) is staff
        assert "=cmd1" in {sheets.value("Prepayments", f"H{row}") for row in range(2, 5)}


async def test_a_lists_workbook_adds_up_and_tells_what_its_reader_may_see(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    await live(runtime, clock, shop[0])
    wanted = OpenOrder("LATER-1", Money(12_345, "CNY"), "alipay_qr", "x", "203.0.113.9")
    await runtime.trade.creation.open(shop[1], wanted, request_id="test")
    lists, day = runtime.reports.order_lists, await runtime.reports.bills.open_day(shop[0].id)
    hidden = {"Fee", "Cost", "Channel", "Margin", "Fees"}
    for chat_id, told in (
        (OPS_CHAT, hidden), (CHAT, {"Fee", "Fees"}), (SUPPLIER_CHAT, {"Channel"})
    ):  # fmt: skip
        actor = await runtime.people.access.actor(ADMIN, "x", chat_id, private=False)
        listed = lists.seen(actor, OrderFilter(Days.one(day), "CNY"))
        totals = (await lists.page(listed, Turn())).totals
        sheets = await built(runtime, Paper.of_list(listed, "Asia/Shanghai"), tmp_path)
        assert sheets.names == ["Summary", "Orders"]
        counts, sums = sheets.column("Summary", "B"), sheets.column("Summary", "C")
        assert counts["All"] == totals.count == sheets.formulas["Orders"].max_row - 1
        assert counts["Paid"] == totals.paid
        assert counts["Unpaid"] == totals.count - totals.paid
        assert sums["All"] == yuan(totals.amount_minor)
        assert sums["Paid"] == yuan(totals.paid_minor)
        assert sums["Unpaid"] == yuan(totals.amount_minor - totals.paid_minor)
        seen = texts(sheets)
        assert hidden & seen == told
        if chat_id == SUPPLIER_CHAT:
            assert "C01" in seen
            assert not {shop[0].merchant_no, shop[0].name, "LATER-1"} & seen
            continue
        assert (totals.count, totals.paid) == (ORDERS + 1, ORDERS)
        assert {shop[0].merchant_no, "LATER-1"} <= seen
        assert ({f"C0{n}" for n in range(1, 7)} & seen != set()) is (chat_id == OPS_CHAT)
        assert sums["Fees"] == yuan(totals.fee_minor) > 0
        if chat_id == OPS_CHAT:
            assert sums["Margin"] == yuan(totals.fee_minor - totals.cost_minor)


async def test_the_log_of_an_orders_calls_is_a_text_and_is_sent_again(
    runtime: Runtime, shop: tuple[Merchant, App], tmp_path: Path
) -> None:
    wanted = OpenOrder("LOG-1", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9")
    order = (await runtime.trade.creation.open(shop[1], wanted, request_id="test")).order
    days = Days.one(order.created_day)
    paper = Paper("calls", "m", shop[0].id, days, order_id=order.id)
    assert codec.unpack(Paper, codec.pack(paper)) == paper
    builder = Builder(runtime)
    file = await builder.file(paper, "zh", tmp_path, Progress())
    assert file.path is not None
    assert file.path.name == f"{order.order_no}_calls.txt"
    text = file.path.read_text(encoding="utf-8")
    assert "签名原文" in text
    assert not any(key in text for key in SUPPLIER_KEYS.values())
    again = await builder.file(paper, "zh", tmp_path, Progress())
    assert again.digest == file.digest
