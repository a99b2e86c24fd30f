"""What the sheets of all workbooks share: heads, feet, sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from core.reports.bills import Bill, PlatformBill, SupplierBill
from handlers.files.columns import Speech
from handlers.files.workbook import Formula, Page
from texts import instant, translator

_SUMMARY_COLUMNS = 3


def titles(page: Page, title: str, lines: tuple[str, ...]) -> None:
    """The head of a summary."""
    page.wide(title, "title", _SUMMARY_COLUMNS, height=24)
    for line in lines:
        page.wide(line, "note", _SUMMARY_COLUMNS)


def period(
    bill: Bill | SupplierBill | PlatformBill, speech: Speech, built_at: datetime
) -> tuple[str, ...]:
    """From when to when, on whose clocks, and whether that is all."""
    translate = translator(speech.language).gettext
    span = f"{instant(bill.starts_at, bill.zone)} – {instant(bill.ends_at, bill.zone)}"
    state = (
        translate("The last day is still open: as of %(at)s") % {"at": instant(built_at, bill.zone)}
        if bill.open
        else translate("Closed: these figures never change")
    )
    return f"{span} · {bill.zone} · {bill.currency}", state


def disclaimer(page: Page, speech: Speech) -> None:
    translate = translator(speech.language).gettext
    page.wide(
        translate(
            "Balances and prepayments are records between the parties. They are not deposits, "
            "and nothing is held in custody."
        ),
        "note", _SUMMARY_COLUMNS, height=32,
    )  # fmt: skip
    page.skip()


def sum_of(cells: str, value: int) -> Formula:
    return Formula(f"SUM({cells})", value)


def sum_where(cells: str, criterion: tuple[str, str], value: int) -> Formula:
    """The sum of those cells beside which a column has a value. criterion: column, value."""
    return Formula(f"SUMIFS({cells},{criterion[0]},{criterion[1]})", value)


def what_remains(first: int, last: int, value: int) -> Formula:
    """The closing prepaid balance: the two rows from `first` on, less those up to `last`. Rows
    count from 0; `last` is not one of them."""
    return Formula(f"SUM($B${first + 1}:$B${first + 2})-SUM($B${first + 3}:$B${last})", value)


def foot(page: Page, lines: int, *cells: tuple[Any, str]) -> None:
    """A last row that adds up the `lines` rows above it; texts and blanks stay what they are."""
    if not lines:
        return
    last = page.row
    added: list[tuple[Any, str]] = []
    for column, (value, style) in enumerate(cells):
        if isinstance(value, int):
            letter = xl_col_to_name(column)
            value = Formula(f"SUM({letter}{last - lines + 1}:{letter}{last})", value)
        added.append((value, style))
    page.write(*added)


def distinct(speech: Speech) -> Speech:
    """Where two products have one name, their codes stand beside it: formulas go by names."""
    names = list(speech.names.values())
    told = {
        code: name if names.count(name) == 1 else f"{name} ({code})"
        for code, name in speech.names.items()
    }
    return replace(speech, names=told)
