"""docs/books.md says what the desk does: its example is lived through and compared to the cent."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.file_builder import Builder, Progress
from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance, Cause, VoucherReceipt
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.money import Money, parse_money
from core.parties.merchants import App, Merchant
from core.people.actors import Actor
from core.reports.bills import HandedOut
from core.reports.exports import Paper
from core.runtime import Runtime
from core.trade.orders import ByHand, Opened, PaymentSeen, get_attempts, get_order
from handlers.kit.vocabulary import word
from handlers.money.money_lines import AdvanceLine, read_line
from handlers.money.prepayments import advance_of
from tests.bench.formulas import Sheets
from tests.core.conftest import clock, desk, entrance, runtime, supplier
from tests.core.support import ADMIN, Desk, SetClock, completing, nothing, set_setting, wanted
from texts.tariffs import parse_tariff

__all__ = ["clock", "desk", "entrance", "runtime", "supplier"]

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "books.md"
MERCHANT_NO = "M8001"


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def tables(title: str) -> list[list[list[str]]]:
    """The tables of a section: their rows, each a list of cells, the heads left out."""
    blocks = re.findall(r"((?:^\|.*\|\n)+)", section(title), re.MULTILINE)
    return [
        [[cell.strip().strip("`") for cell in line.strip().strip("|").split("|")] for line in lines]
        for lines in (block.splitlines()[2:] for block in blocks)
    ]


def figures(rows: list[list[str]]) -> dict[str, int]:
    return {name: minor(amount) for name, amount in rows}


def minor(amount: str) -> int:
    return parse_money(amount, "CNY").minor


class Example:
    """Does what the document says, with the amounts it says."""

    def __init__(self, desk: Desk, merchant: Merchant, app: App, actor: Actor) -> None:
        self.runtime: Runtime = desk.runtime
        self.merchant = merchant
        self.app = app
        self.actor = actor
        self.opened: dict[str, Opened] = {}
        self._messages = iter(range(1, 1000))

    async def tariff(self, product: str, text: str) -> None:
        tariff = parse_tariff(text, "CNY")
        await self.runtime.parties.merchants.offers.set_tariff(
            self.merchant, product, tariff, actor="example"
        )

    async def order(self, row: list[str]) -> None:
        """Open and pay an order as its row says, and compare what it is charged."""
        name, product, asked, paid, fee, cost, net, what = row
        opened = await self.runtime.trade.creation.open(
            self.app, wanted(minor(asked), product=product), request_id=name
        )
        self.opened[name] = opened
        await self.see(name, minor(paid))
        order = await get_order(self.runtime.system.store, self.merchant.id, opened.order.id)
        if what == "completed":
            order = await completing(self.runtime).complete(
                self.merchant.id, order.id, order.version, ByHand("short", ADMIN, "Lee", ADMIN),
                request_id=name, also=nothing,
            )  # fmt: skip
        assert order.state == "paid"
        assert order.cost_minor is not None
        charged = (
            order.agreed.fee_minor,
            order.cost_minor,
            order.amount.minor - order.agreed.fee_minor,
        )
        assert charged == (minor(fee), minor(cost), minor(net)), name

    async def see(self, name: str, amount_minor: int, again: str = "") -> str:
        opened = self.opened[name]
        assert opened.attempt is not None
        seen = PaymentSeen(
            self.merchant.id, opened.attempt.attempt_no, f"U-{name}{again}",
            Money(amount_minor, "CNY"), "reported",
        )  # fmt: skip
        return (await self.runtime.trade.payments.settle_payment(seen, request_id=name)).meaning

    async def record(self, row: list[str]) -> None:
        """Record a prepayment or adjustment as its row says, and compare what is kept of it."""
        kind, line, original, rate, booked = row
        read = read_line(line, 1)
        assert isinstance(read, AdvanceLine)
        receipt: VoucherReceipt
        if kind == "adjustment":
            correction = Correction(parse_money(str(read.amount.units), "CNY"), "charge-back")
            receipt = await self.runtime.accounts.adjustments.record(
                self.actor, self.merchant, correction, self.cause()
            )
        else:
            advance = advance_of(read, "CNY", self.actor, None)
            receipt = await self.runtime.accounts.prepayments.record(
                self.actor, self.merchant, advance, self.cause()
            )
        assert receipt.minor == minor(booked)
        kept = Money(receipt.original_minor, receipt.original_currency)
        assert f"{kept.plain()} {kept.currency}" == original
        assert receipt.conversion_rate == rate
        if kind.endswith("undone"):
            await self.runtime.accounts.prepayments.undo(
                self.actor, self.merchant, receipt.voucher_id, self.cause()
            )

    def cause(self) -> Cause:
        return Cause(ADMIN, next(self._messages), 1)

    async def bill(self, title: str) -> None:
        """Compare the open day's bill with the section's last table."""
        bill = await self.runtime.reports.bills.merchant(self.merchant.id)
        said = figures(tables(title)[-1])
        found: dict[str, int] = {
            "opening": bill.remaining_before_minor,
            **{line.product_code: line.net_minor for line in bill.products},
            **{movement.heading: movement.minor for movement in bill.movements},
            "prepaid": bill.prepaid_minor,
            "closing": bill.remaining_minor,
        }
        taken = sum(minor for name, minor in said.items() if name in found) - sum(
            said[name] for name in ("opening", "prepaid", "closing")
        )
        assert said["opening"] + said["prepaid"] - taken == said["closing"]
        assert {name: found.get(name, 0) for name in said} == said
        assert not {name for name, amount in found.items() if amount and name not in said}

    async def workbook(self, title: str, day: date, folder: Path, *, staff: bool) -> None:
        """Re-add the workbook of a closed day and compare it with the section's last table."""
        paper = Paper("excel", "m", self.merchant.id, Days.one(day), staff=staff)
        built = await Builder(self.runtime).file(paper, "en", folder, Progress())
        assert built.path is not None
        sheets = Sheets(built.path)
        assert sheets.wrong() == []
        summary, net = sheets.column("Summary", "B"), sheets.column("Products", "H")
        products = (await self.runtime.supply.market.now()).products
        places = {
            "opening": "Opening prepaid balance",
            "prepaid": "Prepaid",
            "closing": "Closing prepaid balance",
        }
        for name, amount in figures(tables(title)[-1]).items():
            if name in products:
                found = net[products[name].name_en]
            else:
                found = summary[places.get(name) or word("heading", name, "en")]
            assert found == Decimal(amount) / 100, name
        assert summary["Closing balance in the books"] == summary["Closing prepaid balance"]
        assert summary["Difference"] == 0
        assert sheets.column("Summary", "C")["Difference"] == "OK"
        seen = {
            cell for name in sheets.names for row in sheets.formulas[name].values for cell in row
        }
        assert ("Channel" in seen, "Margin" in seen, "short" in seen) == (staff, staff, staff)


@pytest.fixture
async def example(desk: Desk, clock: SetClock) -> Example:
    clock.go_to_noon()
    merchants = desk.runtime.parties.merchants
    merchant = await merchants.open(MERCHANT_NO, "Example", day_cut=DayCut(), reviewed=True)
    await merchants.apps.open(merchant, mode="live", name="shop", notify_url=None)
    (app,) = await merchants.apps.of(merchant)
    actor = await desk.runtime.people.access.actor(ADMIN, "Lee", ADMIN, private=True)
    return Example(desk, merchant, app, actor)


async def test_the_example_of_the_document(
    example: Example, desk: Desk, clock: SetClock, tmp_path: Path
) -> None:
    runtime = example.runtime
    first_text, second_text = section("Two days of one merchant"), section("Second day")
    rates = dict(re.findall(r"`(\w+_qr)`\s+at\s+`([^`]+)`", first_text))
    for product, text in rates.items():
        await example.tariff(product, text)
    orders, records, _ = tables("First day")
    for row in orders:
        await example.order(row)
    assert await example.see("A", minor("100.00"), again="-twice") == "duplicate"
    (found,) = (await runtime.trade.discrepancies.open_ones([example.merchant.id])).items
    await runtime.trade.discrepancies.resolve(
        example.actor, example.merchant.id, found.id, "credit_merchant", "theirs",
        left_minor=found.left_minor,
    )  # fmt: skip
    for row in records:
        await example.record(row)
    await example.bill("First day")
    first_day = await runtime.reports.bills.open_day(example.merchant.id)

    clock.advance(86_400)
    product, text = re.findall(r"`(\w+_qr)` costs `([^`]+)`", second_text)[0]
    await example.tariff(product, text)
    ((row,), _) = tables("Second day")
    await example.order(row)
    refund = await runtime.trade.refunds.reserve(
        example.actor, example.merchant.id, example.opened["H"].order.id, "R1",
        Money(minor("500.00"), "CNY"), fee_returned=True,
    )  # fmt: skip
    await runtime.trade.refunds.settle(example.merchant.id, refund.id, cost_returned=False)
    (text,) = re.findall(r"re-rated at `([^`]+)`", second_text)
    view = await runtime.accounts.reratings.preview(
        example.merchant, "wechat_qr", Days.one(first_day), parse_tariff(text, "CNY")
    )
    # The example has one person for it.
    await set_setting(runtime, "adjust_second", None)
    await set_setting(runtime, "below_cost_second", value=False)
    await runtime.accounts.reratings.apply(
        example.actor, example.merchant, "wechat_qr", Days.one(first_day), view.tariff,
        view.seen, example.cause(),
    )  # fmt: skip
    supplier = await runtime.parties.suppliers.by_no("S01")
    await runtime.accounts.payins.record(
        example.actor, supplier, Advance(Money(minor("7000.00"), "CNY"), ""), example.cause()
    )
    await example.bill("Second day")
    await desk.runtime.ledger.calendar.roll(example.merchant.id)
    for staff in (True, False):
        await example.workbook("First day", first_day, tmp_path, staff=staff)

    said = figures(tables("What the platform and the supplier see")[0])
    both = Days(first_day, first_day + timedelta(days=1))
    platform = await runtime.reports.bills.platform(both)
    assert platform.fee_minor == said["fees"]
    assert platform.cost_minor == said["cost"]
    assert platform.margin_minor == said["margin"]
    assert (platform.shortfall_minor, platform.adjust_minor) == (
        said["shortfalls"], said["adjustments"],
    )  # fmt: skip
    assert (platform.result_minor, platform.fx_minor) == (
        said["result"], said["handed out in USDT"],
    )  # fmt: skip
    in_usdt = await runtime.reports.bills.platform(both, "USDT")
    for bill in (platform, in_usdt):
        assert bill.handed_out == (HandedOut("USDT", "7.2", "CNY", 1, 100_000_000, 72_000),)
    assert (in_usdt.paid_out_minor, in_usdt.fx_minor) == (100_000_000, -100_000_000)
    assert (in_usdt.closing_minor, in_usdt.result_minor) == (0, 0)
    assert platform.paid_out_minor == minor("9500.00")
    whole = await runtime.reports.bills.merchant(example.merchant.id, both)
    assert whole.fee_minor == said["fees"]
    (refunds,) = [movement for movement in whole.movements if movement.heading == "refunds"]
    assert (refunds.gross_minor, refunds.fee_minor, refunds.minor) == (-50_000, -450, -49_550)
    theirs = await runtime.reports.bills.supplier(supplier.id, both)
    assert sum(line.amount_minor for line in theirs.lines) == said["supplier saw"]
    assert theirs.closing_minor == said["supplier owes"]
    await desk.sound()


async def test_a_completed_order_whose_money_another_supplier_has(desk: Desk) -> None:
    (rows,) = tables("Completions and their money")
    completed, together = ({row[0]: minor(row[n] or "0") for row in rows} for n in (1, 3))
    assert [minor(a or "0") + minor(b or "0") for _, a, b, _ in rows] == list(together.values())
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open(minor("100.00"))
    refused, _ = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", ADMIN, "Lee", ADMIN),
        request_id="r", also=nothing,
    )  # fmt: skip
    assert await desk.balances() == {a: m for a, m in completed.items() if m}
    await desk.see(opened, minor("99.00"), attempt_no=refused.attempt_no, upstream_no="U1")
    assert await desk.balances() == {a: m for a, m in together.items() if m}
