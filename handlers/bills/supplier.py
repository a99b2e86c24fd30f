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
    bill: SupplierBill, *, language: str, products: Mapping[str, Product], live: bool = False
) -> Screen:
    """A supplier's bill. live: as of a merchant's."""
    lines = Lines(language, bill.currency, bill.zone, products)
    return render_sheet(
        lambda size: _sheet(bill, lines, size),
        language,
        lines.keyboard("s", bill.supplier_id, bill.days, fresh=live),
    )


def _sheet(bill: SupplierBill, lines: Lines, size: Size) -> Sheet:
    named = lines.named
    due = lines.movements(
        [
            _due(
                bill.opening_minor,
                named("supplier", "Due at the start"),
                named("supplier", "Overpaid by the supplier at the start"),
            )
        ],
        _taken(bill, lines),
        [
            Moved(named("supplier", "Cost"), sum(line.cost_minor for line in bill.lines)),
            Moved(named("supplier", "Paid in"), bill.paid_in_minor),
        ],
        [
            _due(
                bill.closing_minor,
                named("supplier", "Due at the end"),
                named("supplier", "Overpaid by the supplier at the end"),
            )
        ],
    )
    parts: list[Table | str] = [*_channels(bill, lines, size), due]
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


def _due(minor: int, owes: str, overpaid: str) -> Moved:
    """What the supplier owes, or how much it paid too much: never a negative amount."""
    return Moved(owes, minor) if minor >= 0 else Moved(overpaid, -minor)


def _taken(bill: SupplierBill, lines: Lines) -> list[Moved]:
    """What the supplier saw, and apart from it what it is only taken to have seen."""
    named = lines.named
    amount = sum(line.amount_minor for line in bill.lines)
    taken = [Moved(named("supplier", "Taken"), amount - bill.unconfirmed_minor)]
    if bill.unconfirmed:
        due = lines.plural(
            "%(num)s order completed by hand · due %(due)s",
            "%(num)s orders completed by hand · due %(due)s",
            bill.unconfirmed,
        ) % {"num": bill.unconfirmed, "due": lines.amount(bill.unconfirmed_due_minor)}
        taken.append(Moved(named("supplier", "Unconfirmed"), bill.unconfirmed_minor, due))
    return taken


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
        if line.unconfirmed:
            words = {
                "amount": lines.amount(line.unconfirmed_minor),
                "due": lines.amount(line.unconfirmed_due_minor),
            }
            said = lines.translate("unconfirmed %(amount)s, of it due %(due)s") % words
            note = f"{note} · {said}"
        cells = (clip(name, size.name_chars), str(line.paid), lines.amount(line.amount_minor))
        rows.append(Row(cells, note))
    named = lines.named
    header = (named("desk", "Channel"), named("count", "Paid"), named("desk", "Amount"))
    return [Table(tuple(rows), header)]


def _added(lines: Iterable[SupplierLine]) -> SupplierLine:
    all_ = list(lines)
    return SupplierLine(
        "", "", sum(x.paid for x in all_), sum(x.amount_minor for x in all_),
        sum(x.cost_minor for x in all_), sum(x.unconfirmed for x in all_),
        sum(x.unconfirmed_minor for x in all_), sum(x.unconfirmed_cost_minor for x in all_),
    )  # fmt: skip
