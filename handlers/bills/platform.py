"""The platform's bill: all merchants and all suppliers together, for finance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.books import MerchantBalance
from core.kernel.holder import HOUSE
from core.reports.bills import MerchantLine, PlatformBill, SupplierDueLine
from core.supply.channels import Product
from handlers.bills.lines import Lines
from handlers.kit.screen import Screen, clip
from handlers.kit.sheet import Row, Sheet, Size, Table, render_sheet, shortened
from texts import number


def render_platform_bill(
    bill: PlatformBill,
    *,
    language: str,
    products: Mapping[str, Product],
    currencies: Sequence[str] = (),
    live: bool = False,
) -> Screen:
    """The platform's bill in one currency. live: as of a merchant's. currencies: all that merchants
    have, so that nobody overlooks the others."""
    lines = Lines(language, bill.currency, bill.zone, products)
    also = tuple(currency for currency in currencies if currency != bill.currency)
    return render_sheet(
        lambda size: _sheet(bill, lines, size, also),
        language,
        lines.keyboard("p", HOUSE, bill.days, fresh=live, staff=True),
    )


def _sheet(bill: PlatformBill, lines: Lines, size: Size, also: Sequence[str]) -> Sheet:
    parts: list[Table | str] = [
        *lines.products(bill.products, size),
        *_earned(bill, lines),
        *lines.net_balance(bill),
        *_handed_out(bill, lines, size),
        *_merchants(bill, lines, size),
        *_suppliers(bill, lines, size),
    ]
    if bill.suspense_minor:
        held = lines.translate("In suspense, for no settled order: %(amount)s")
        parts.append("⚠️ " + held % {"amount": lines.amount(bill.suspense_minor)})
    parts += lines.channels(bill.channels, size)
    if also:
        words = {"currencies": ", ".join(also), "example": f"/bill {also[0]}"}
        parts.append("💱 " + lines.translate("Also in %(currencies)s: %(example)s") % words)
    return Sheet(
        title=lines.title(bill.days),
        name=lines.translate("The platform, all merchants"),
        status=lines.status(is_open=bill.open),
        parts=tuple(parts),
        footer=lines.period(bill.starts_at, bill.ends_at),
    )


def _earned(bill: PlatformBill, lines: Lines) -> list[Table | str]:
    """The margin, what else was lost or won, and the result; and what was advanced in another
    currency, which is neither."""
    named, moved = lines.named, lines.moved
    rows = [
        Row((named("desk", "Fees"), moved(bill.fee_minor))),
        Row((named("supplier", "Cost"), moved(-bill.cost_minor))),
        Row((named("desk", "Margin"), moved(bill.margin_minor)), bold=True),
    ]
    beside = (
        (named("desk", "Shortfalls of completions"), bill.shortfall_minor),
        (named("heading", "Adjustments"), bill.adjust_minor),
    )
    rows += [Row((name, moved(minor))) for name, minor in beside if minor]
    if bill.shortfall_minor or bill.adjust_minor:
        rows.append(Row((named("desk", "Result"), moved(bill.result_minor)), bold=True))
    parts: list[Table | str] = [Table(tuple(rows))]
    if bill.fx_minor:
        said = lines.translate("Of the prepayments, handed out in another currency: %(amount)s")
        parts.append("💱 " + said % {"amount": lines.amount(bill.fx_minor)})
    return parts


def _handed_out(bill: PlatformBill, lines: Lines, size: Size) -> list[Table | str]:
    """What was advanced in another currency than the merchants', at which rates."""
    if not bill.handed_out:
        return []
    rows = [
        Row(
            (
                f"{one.original_currency} × {one.conversion_rate}",
                number(one.original_minor, one.original_currency),
                f"{number(one.minor, one.currency)} {one.currency}",
            ),
            lines.plural("%(num)s record", "%(num)s records", one.records) % {"num": one.records},
        )
        for one in bill.handed_out
    ]
    shown = rows[-size.rows :]
    named = lines.named
    header = (named("desk", "Handed out"), named("desk", "Amount"), lines.translate("counts as"))
    parts: list[Table | str] = [Table(tuple(shown), header)]
    if len(shown) < len(rows):
        more = lines.translate("%(shown)s of %(count)s rates; all are in the Excel.")
        parts.append(more % {"shown": len(shown), "count": len(rows)})
    all_ = lines.translate("Handed out in %(currency)s: %(amount)s")
    words = {"currency": bill.currency, "amount": lines.amount(bill.paid_out_minor)}
    return [*parts, all_ % words]


def _merchants(bill: PlatformBill, lines: Lines, size: Size) -> list[Table]:
    if not bill.merchants:
        return []
    others = lines.translate("Other merchants")
    # What the bill has in one line without a name comes last.
    largest = sorted(
        bill.merchants, key=lambda x: (not x.merchant_no, -x.amount_minor, x.merchant_no)
    )
    called = [(f"{x.merchant_no} {x.merchant_name}".strip() or others, x) for x in largest]
    shown = shortened(called, size.rows, lambda rest: (others, _added(x for _, x in rest)))
    rows = []
    for name, line in shown:
        note = lines.translate("fee %(fee)s · cost %(cost)s · %(balance)s") % {
            "fee": lines.amount(line.fee_minor),
            "cost": lines.amount(line.cost_minor),
            "balance": lines.balance(line.closing),
        }
        cells = (clip(name, size.name_chars), str(line.paid), lines.amount(line.amount_minor))
        rows.append(Row(cells, note))
    named = lines.named
    header = (named("desk", "Merchant"), named("count", "Paid"), named("desk", "Amount"))
    return [Table(tuple(rows), header)]


def _suppliers(bill: PlatformBill, lines: Lines, size: Size) -> list[Table]:
    if not bill.suppliers:
        return []
    others = lines.translate("Other suppliers")
    largest = sorted(bill.suppliers, key=lambda x: (-x.amount_minor, x.supplier_no))
    called = [(f"{x.supplier_no} {x.supplier_name}", x) for x in largest]
    shown = shortened(called, size.rows, lambda rest: (others, _added_due(x for _, x in rest)))
    rows = []
    for name, line in shown:
        note = lines.translate("cost %(cost)s · paid in %(paid_in)s") % {
            "cost": lines.amount(line.cost_minor),
            "paid_in": lines.amount(line.paid_in_minor),
        }
        figures = (lines.amount(line.amount_minor), lines.due(line.closing_minor))
        rows.append(Row((clip(name, size.name_chars), *figures), note))
    named = lines.named
    header = (named("desk", "Supplier"), named("supplier", "Taken"), named("supplier", "Due"))
    return [Table(tuple(rows), header)]


def _added(lines: Iterable[MerchantLine]) -> MerchantLine:
    all_ = list(lines)
    return MerchantLine(
        "", "", sum(x.paid for x in all_), sum(x.amount_minor for x in all_),
        sum(x.fee_minor for x in all_), sum(x.cost_minor for x in all_),
        MerchantBalance.sum_of(x.closing for x in all_),
    )  # fmt: skip


def _added_due(lines: Iterable[SupplierDueLine]) -> SupplierDueLine:
    all_ = list(lines)
    return SupplierDueLine(
        "", "", sum(x.amount_minor for x in all_), sum(x.cost_minor for x in all_),
        sum(x.paid_in_minor for x in all_), sum(x.closing_minor for x in all_),
    )  # fmt: skip
