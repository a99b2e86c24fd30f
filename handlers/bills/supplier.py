"""A supplier's bill: what it took for us, what that cost, what it paid in, what it owes.

Names no merchant and no fee: its own people read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.reports.bills import SupplierBill, SupplierLine
from core.supply.channels import Product
from handlers.bills.lines import RATE_PLACES, Lines, Moved
from handlers.kit.screen import Screen, clip, percent
from handlers.kit.sheet import SHOWN_NAME_CHARS, Row, Sheet, Size, Table, render_sheet, shortened


def render_supplier_bill(
    bill: SupplierBill, *, language: str, products: Mapping[str, Product]
) -> Screen:
    """A supplier's bill."""
    lines = Lines(language, bill.currency, bill.zone, products)
    return render_sheet(
        lambda size: _sheet(bill, lines, size),
        language,
        lines.keyboard("s", bill.supplier_id, bill.days, fresh=False),
    )


def _sheet(bill: SupplierBill, lines: Lines, size: Size) -> Sheet:
    named = lines.named
    due = lines.movements(
        [Moved(named("supplier", "Due at the start"), bill.opening_minor)],
        [Moved(named("supplier", "Taken"), sum(line.amount_minor for line in bill.lines))],
        [
            Moved(named("supplier", "Cost"), sum(line.cost_minor for line in bill.lines)),
            Moved(named("supplier", "Paid in"), bill.paid_in_minor),
        ],
        [Moved(named("supplier", "Due at the end"), bill.closing_minor)],
    )
    parts: list[Table | str] = [*_channels(bill, lines, size), due]
    if bill.closing_minor < 0:
        overpaid = lines.translate("Overpaid by the supplier: %(amount)s")
        parts.append(overpaid % {"amount": lines.amount(-bill.closing_minor)})
    if bill.suspense_minor:
        held = lines.translate("of which in suspense, for no settled order: %(amount)s")
        parts.append("⚠️ " + held % {"amount": lines.amount(bill.suspense_minor)})
    title = named("supplier", "Paid in")
    parts += lines.vouchers(bill.paid_in_lines, bill.paid_in_count, title, size)
    return Sheet(
        title=lines.title(bill.days),
        name=f"{clip(bill.supplier_name, SHOWN_NAME_CHARS)} · {bill.supplier_no}",
        status=lines.status(is_open=bill.open),
        parts=tuple(parts),
        footer=lines.period(bill.starts_at, bill.ends_at),
    )


def _channels(bill: SupplierBill, lines: Lines, size: Size) -> list[Table]:
    if not bill.lines:
        return []
    others = lines.translate("Other channels")
    largest = sorted(bill.lines, key=lambda x: (-x.amount_minor, x.channel_no, x.product_code))
    called = [(f"{x.channel_no or '–'} {lines.product(x.product_code)}", x) for x in largest]
    shown = shortened(called, size.rows, lambda rest: (others, _added(x for _, x in rest)))
    rows = []
    for name, line in shown:
        note = lines.translate("cost %(cost)s (%(rate)s) · due %(due)s") % {
            "cost": lines.amount(line.cost_minor),
            "rate": percent(line.cost_minor, line.amount_minor, RATE_PLACES),
            "due": lines.amount(line.due_minor),
        }
        cells = (clip(name, size.name_chars), str(line.paid), lines.amount(line.amount_minor))
        rows.append(Row(cells, note))
    named = lines.named
    header = (named("desk", "Channel"), named("count", "Paid"), named("desk", "Amount"))
    return [Table(tuple(rows), header)]


def _added(lines: Iterable[SupplierLine]) -> SupplierLine:
    all_ = list(lines)
    return SupplierLine(
        "", "", sum(x.paid for x in all_), sum(x.amount_minor for x in all_),
        sum(x.cost_minor for x in all_),
    )  # fmt: skip
