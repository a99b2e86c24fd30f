"""A merchant's bill: of a business day, or of several in a row."""

from __future__ import annotations

from collections.abc import Mapping

from core.reports.bills import Bill
from core.supply.channels import Product
from handlers.bills.lines import Lines
from handlers.kit.screen import Screen, clip, credit_bar
from handlers.kit.sheet import SHOWN_NAME_CHARS, Row, Sheet, Size, Table, render_sheet


def render_bill(
    bill: Bill,
    *,
    label: str,
    language: str,
    live: bool,
    products: Mapping[str, Product],
    staff: bool,
) -> Screen:
    """A merchant's bill. label: what the group calls prepayments. live: the one that stays what
    it is, whose buttons post other days beside it. staff: only staff reads along, so that
    channels, cost and margin may be shown."""
    lines = Lines(language, bill.currency, bill.zone, products)
    if language != "zh" and label == "预付":
        label = lines.named("desk", "Prepaid")
    return render_sheet(
        lambda size: _sheet(bill, lines, label, staff, size),
        language,
        lines.keyboard("m", bill.merchant_id, bill.days, fresh=live, staff=staff),
    )


def _sheet(bill: Bill, lines: Lines, label: str, staff: bool, size: Size) -> Sheet:
    parts: list[Table | str] = [*lines.products(bill.products, size)]
    if bill.carried:
        carried = lines.plural(
            "%(count)s of the paid orders was created on an earlier day.",
            "%(count)s of the paid orders were created on an earlier day.",
            bill.carried,
        )
        parts.append(carried % {"count": bill.carried})
    parts += lines.fees(bill)
    parts.append(lines.prepaid_balance(bill, label))
    parts += _standing(bill, lines)
    parts += _by_day(bill, lines, label, size)
    if staff:
        parts += lines.channels(bill.channels, size)
    parts += lines.vouchers(bill.prepaid_lines, bill.prepaid_count, label, size)
    parts += lines.completions(bill, size)
    if bill.unpaid:
        unpaid = lines.plural(
            "%(count)s order still unpaid", "%(count)s orders still unpaid", bill.unpaid
        )
        parts.append("⏳ " + unpaid % {"count": bill.unpaid})
    return Sheet(
        title=lines.title(bill.days),
        name=f"{clip(bill.merchant_name, SHOWN_NAME_CHARS)} · {bill.merchant_no}",
        status=lines.status(is_open=bill.open),
        parts=tuple(parts),
        footer=lines.period(bill.starts_at, bill.ends_at),
    )


def _standing(bill: Bill, lines: Lines) -> list[str]:
    """What is owed where nothing is left, and how much of what was advanced is left."""
    said = []
    if bill.remaining_minor < 0:
        owed = lines.translate("Owed to the merchant: %(amount)s")
        said.append(owed % {"amount": lines.amount(-bill.remaining_minor)})
    bar = credit_bar(bill.remaining_minor, bill.advanced_minor)
    if bar is not None:
        said.append(f"{bar.blocks} {bar.percent}%")
    return said


def _by_day(bill: Bill, lines: Lines, label: str, size: Size) -> list[Table | str]:
    """A row for each day on which something moved; of more than a message can hold, the newest."""
    moved = [line for line in bill.by_day if not line.idle]
    if not moved:
        return []
    shown = moved[-size.days :]
    other, owing = lines.named("heading", "Other"), lines.translate("Owed by the merchant")
    rows = []
    for line in shown:
        closing = line.closing
        beside = (
            (label, lines.moved(line.prepaid_minor) if line.prepaid_minor else ""),
            (other, lines.moved(line.other_minor) if line.other_minor else ""),
            (owing, lines.amount(closing.owing_minor) if closing.owing_minor else ""),
        )
        note = " · ".join(f"{name} {figure}" for name, figure in beside if figure)
        balance = closing.prepaid_minor - closing.owed_minor
        figures = (lines.amount(line.net_minor), lines.amount(balance))
        rows.append(Row((f"{line.day:%m-%d}", str(line.paid), *figures), note))
    named = lines.named
    header = (
        named("desk", "Day"), named("count", "Paid"), named("desk", "Net"),
        lines.translate("Prepaid balance"),
    )  # fmt: skip
    parts: list[Table | str] = [Table(tuple(rows), header)]
    if len(shown) < len(moved):
        newest = lines.translate("The newest %(shown)s of %(count)s days; all are in the Excel.")
        parts.append(newest % {"shown": len(shown), "count": len(moved)})
    return parts
