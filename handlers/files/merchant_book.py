"""A merchant's workbook: every total is a formula over the rows that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.kernel.money import EXPONENTS
from core.reports.bills import Bill, DayLine
from core.reports.exports import CompletionRow, DiscrepancyRow, MovementRow, OrderRow, VoucherRow
from handlers.files.columns import (
    Speech,
    completion_columns,
    discrepancy_columns,
    movement_columns,
    order_columns,
    voucher_columns,
)
from handlers.files.sheets import disclaimer, foot, period, sum_of, sum_where, titles, what_remains
from handlers.files.workbook import Book, Formula, Page, TableSheet, day_serial
from handlers.kit.vocabulary import word
from texts import translator


@dataclass(frozen=True, slots=True)
class _Ranges:
    """Columns of the rows' sheets, for formulas. reversals: the kind of movements that takes
    completions back."""

    product: str
    day: str
    amount: str
    fee: str
    net: str
    moved: str
    moved_gross: str
    moved_fee: str
    moved_orders: str
    moved_product: str
    moved_kind: str
    moved_day: str
    prepaid: str
    prepaid_day: str
    reversals: str

    def sold(self, cells: tuple[str, str], of: tuple[str, str, str] | None, value: int) -> Formula:
        """What orders come to, with the reversals of completions. cells: of the sheets of orders
        and of adjustments. of: the columns beside them, and the value that both are to have."""
        orders, moved = cells
        back = f'{self.moved_kind},"{self.reversals}"'
        if of is None:
            return Formula(f"SUM({orders})+SUMIFS({moved},{back})", value)
        beside, beside_moved, named = of
        where = f"{back},{beside_moved},{named}"
        return Formula(f"SUMIFS({orders},{beside},{named})+SUMIFS({moved},{where})", value)

    def reversed(self, cells: str, name: str, value: int) -> Formula:
        """What the reversals of completions of a product come to."""
        back = f'{self.moved_kind},"{self.reversals}"'
        return Formula(f"SUMIFS({cells},{back},{self.moved_product},{name})", value)

    def beside(self, cells: str, day: str, value: int) -> Formula:
        """What moved on a day beside orders and the reversals of completions."""
        others = f'{self.moved_kind},"<>{self.reversals}"'
        return Formula(f"SUMIFS({cells},{others},{self.moved_day},{day})", value)


class MerchantBook:
    """Rows first, in any order of sheets; then `close`, which adds what the rows come to.

    Blocking: to be called from a thread. staff: with channels, cost, margin, reasons and
    discrepancies.
    """

    def __init__(
        self, path: Path, bill: Bill, speech: Speech, *, staff: bool, built_at: datetime
    ) -> None:
        self._bill = bill
        self._speech = speech
        self._staff = staff
        self._built_at = built_at
        named = translator(speech.language).pgettext
        title = f"{bill.merchant_name} · {bill.merchant_no} · {bill.days}"
        self._book = book = Book(path, speech, title)
        self._summary = book.page(named("sheet", "Summary"))
        self._products = book.page(named("sheet", "Products"))
        self._days = book.page(named("sheet", "Days"))
        self._channels = book.page(named("sheet", "Channels")) if staff else None
        self.orders: TableSheet[OrderRow] = book.table(
            named("sheet", "Orders"), order_columns(speech, staff=staff)
        )
        self.prepayments: TableSheet[VoucherRow] = book.table(
            named("sheet", "Prepayments"), voucher_columns(speech)
        )
        self.movements: TableSheet[MovementRow] = book.table(
            named("sheet", "Adjustments"), movement_columns(speech)
        )
        self.completions: TableSheet[CompletionRow] = book.table(
            named("sheet", "Completions"), completion_columns(speech, staff=staff)
        )
        self._discrepancies: TableSheet[DiscrepancyRow] | None = None

    def add_discrepancies(self, rows: list[DiscrepancyRow]) -> None:
        """To the sheet that is there only where it has rows; for staff."""
        if self._discrepancies is None:
            named = translator(self._speech.language).pgettext
            self._discrepancies = self._book.table(
                named("sheet", "Discrepancies"), discrepancy_columns(self._speech)
            )
        self._discrepancies.add(rows)

    def close(self) -> None:
        """Write the sums and the file."""
        sheets: list[TableSheet[Any]] = [
            self.orders, self.prepayments, self.movements, self.completions
        ]  # fmt: skip
        if self._discrepancies is not None:
            sheets.append(self._discrepancies)
        for sheet in sheets:
            sheet.end()
        ranges = self._ranges()
        self._write_summary(ranges)
        self._write_products(ranges)
        self._write_days(ranges)
        if self._channels is not None:
            self._write_channels(self._channels)
        self._book.close()

    def _ranges(self) -> _Ranges:
        translate, named = self._words()
        day, amount = translate("Business day"), named("desk", "Amount")
        return _Ranges(
            product=self.orders.range(named("desk", "Product")),
            day=self.orders.range(day),
            amount=self.orders.range(amount),
            fee=self.orders.range(named("desk", "Fee")),
            net=self.orders.range(named("desk", "Net")),
            moved=self.movements.range(named("desk", "Net")),
            moved_gross=self.movements.range(amount),
            moved_fee=self.movements.range(named("desk", "Fee")),
            moved_orders=self.movements.range(translate("Orders paid")),
            moved_product=self.movements.range(named("desk", "Product")),
            moved_kind=self.movements.range(named("sheet", "Kind")),
            moved_day=self.movements.range(day),
            prepaid=self.prepayments.range(amount),
            prepaid_day=self.prepayments.range(day),
            reversals=word("heading", "reversals", self._speech.language),
        )

    def _write_summary(self, ranges: _Ranges) -> None:
        bill, page = self._bill, self._summary
        translate, named = self._words()
        page.widths(44, 20, 52)
        titles(page, self._book.title, period(bill, self._speech, self._built_at))
        disclaimer(page, self._speech)
        page.write(
            (translate("What it came to"), "head"),
            (f"{named('desk', 'Amount')} ({bill.currency})", "head"),
            (translate("How it adds up"), "head"),
        )
        first = page.row
        before = translate("what remained before; negative: owed to the merchant")
        name = named("desk", "Opening prepaid balance")
        self._line(page, name, bill.remaining_before_minor, before)
        self._line(
            page,
            named("desk", "Prepaid"),
            sum_of(ranges.prepaid, bill.prepaid_minor),
            translate("plus the sum of the sheet of prepayments"),
        )
        self._line(
            page,
            translate("Orders, net of fees"),
            ranges.sold((ranges.net, ranges.moved), None, bill.net_minor),
            translate(
                "less the sum of the sheet of orders,"
                " and the reversed completions of the sheet of adjustments"
            ),
        )
        for movement in bill.movements:
            name = word("heading", movement.heading, self._speech.language)
            where = sum_where(
                ranges.moved, (ranges.moved_kind, f"$A{page.row + 1}"), movement.minor
            )
            self._line(page, name, where, translate("less this, of the sheet of adjustments"))
        closing = page.write(
            (named("desk", "Closing prepaid balance"), "bold"),
            (what_remains(first, page.row, bill.remaining_minor), "bold_money"),
            (translate("what remains; negative: owed to the merchant"), "bold"),
        )
        self._check(page, closing)
        beyond = translate("beyond what was advanced to it")
        self._line(page, translate("of it owed by the merchant"), bill.closing.owing_minor, beyond)
        page.skip()
        self._totals(page, ranges)

    def _check(self, page: Page, closing: int) -> None:
        translate, _ = self._words()
        places = EXPONENTS[self._bill.currency]
        books = page.write(
            (translate("Closing balance in the books"), "text"),
            (self._bill.remaining_minor, "money"),
            (None, "text"),
        )
        page.write(
            (translate("Difference"), "text"),
            (Formula(f"ROUND($B${closing + 1}-$B${books + 1},{places})", 0), "money"),
            (Formula(f'IF($B${books + 2}=0,"OK","≠")', "OK"), "bold"),
        )

    def _totals(self, page: Page, ranges: _Ranges) -> None:
        bill = self._bill
        translate, named = self._words()
        products = bill.products
        paid = sum(line.paid for line in products)
        amount = sum(line.amount_minor for line in products)
        fee = sum(line.fee_minor for line in products)
        page.write((translate("Orders"), "head"), (None, "head"), (None, "head"))
        for name, value, style in (
            (translate("Orders paid"),
             Formula(f"COUNT({ranges.amount})+SUM({ranges.moved_orders})", paid), "count"),
            (named("desk", "Amount"),
             ranges.sold((ranges.amount, ranges.moved_gross), None, amount), "money"),
            (named("desk", "Fee"),
             ranges.sold((ranges.fee, ranges.moved_fee), None, fee), "money"),
            (translate("Total fees"),
             Formula(f"SUM({ranges.fee})+SUM({ranges.moved_fee})", bill.fee_minor), "money"),
            (translate("Orders created"), sum(x.created for x in products), "count"),
            (translate("of them paid the same day"), sum(x.cohort_paid for x in products), "count"),
            (translate("Paid orders created on an earlier day"), bill.carried, "count"),
            (translate("Orders still unpaid"), bill.unpaid, "count"),
            (translate("Advanced in all"), bill.advanced_minor, "money"),
        ):  # fmt: skip
            page.write((name, "text"), (value, style))
        if self._staff:
            cost = sum(line.cost_minor for line in bill.channels)
            margin = sum(line.margin_minor for line in bill.channels)
            why = translate("with what came after the orders; see channels")
            page.write((named("desk", "Cost"), "text"), (cost, "money"), (why, "text"))
            page.write((named("desk", "Margin"), "text"), (margin, "money"))

    def _write_products(self, ranges: _Ranges) -> None:
        bill, page = self._bill, self._products
        translate, named = self._words()
        page.widths(26, 12, 14, 12, 12, 18, 16, 18, 12, 18, 16)
        heads = (
            named("desk", "Product"), translate("Created"), translate("Paid same day"),
            named("desk", "Success"), translate("Orders paid"), named("desk", "Amount"),
            named("desk", "Fee"), named("desk", "Net"), translate("Reversed orders"),
            translate("Reversed amount"), translate("Reversed fee"),
        )  # fmt: skip
        page.write(*((head, "head") for head in heads))
        page.freeze()
        for line in bill.products:
            row = page.row + 1
            name = f"$A{row}"
            of = (ranges.product, ranges.moved_product, name)
            paid = f"COUNTIFS({of[0]},{name})+SUMIFS({ranges.moved_orders},{of[1]},{name})"
            page.write(
                (self._speech.product(line.product_code), "text"),
                (line.created, "count"),
                (line.cohort_paid, "count"),
                (_share(row, line.cohort_paid, line.created), "percent"),
                (Formula(paid, line.paid), "count"),
                (ranges.sold((ranges.amount, ranges.moved_gross), of, line.amount_minor),
                 "money"),
                (ranges.sold((ranges.fee, ranges.moved_fee), of, line.fee_minor), "money"),
                (ranges.sold((ranges.net, ranges.moved), of, line.net_minor), "money"),
                (sum_where(ranges.moved_orders, of[1:], line.reversed), "count"),
                (ranges.reversed(ranges.moved_gross, name, line.reversed_minor), "money"),
                (ranges.reversed(ranges.moved_fee, name, line.reversed_fee_minor), "money"),
            )  # fmt: skip
        lines = bill.products
        created, same_day = (sum(x.created for x in lines), sum(x.cohort_paid for x in lines))
        foot(
            page,
            len(lines),
            (named("desk", "Total"), "bold"),
            (created, "bold_count"),
            (same_day, "bold_count"),
            (None, "bold"),
            (sum(x.paid for x in lines), "bold_count"),
            (sum(x.amount_minor for x in lines), "bold_money"),
            (sum(x.fee_minor for x in lines), "bold_money"),
            (bill.net_minor, "bold_money"),
            (sum(x.reversed for x in lines), "bold_count"),
            (sum(x.reversed_minor for x in lines), "bold_money"),
            (sum(x.reversed_fee_minor for x in lines), "bold_money"),
        )

    def _write_days(self, ranges: _Ranges) -> None:
        page = self._days
        translate, named = self._words()
        page.widths(14, 18, 12, 18, 16, 18, 16, 18, 18, 18, 16)
        heads = (
            translate("Business day"), named("desk", "Opening prepaid balance"),
            translate("Orders paid"), named("desk", "Amount"), named("desk", "Fee"),
            named("desk", "Net"), named("desk", "Other"), named("desk", "Prepaid"),
            named("desk", "Closing prepaid balance"), translate("of it owed by the merchant"),
            translate("Fees in “other”"),
        )  # fmt: skip
        page.write(*((head, "head") for head in heads))
        page.freeze()
        lines = [line for line in days_of(self._bill) if not line.idle]
        for line in lines:
            row = page.row + 1
            day = f"$A{row}"
            of = (ranges.day, ranges.moved_day, day)
            paid = f"COUNTIFS({of[0]},{day})+SUMIFS({ranges.moved_orders},{of[1]},{day})"
            opening: int | Formula = line.remaining_before_minor
            if row > 2:
                opening = Formula(f"$I{row - 1}", line.remaining_before_minor)
            page.write(
                (day_serial(line.day), "day"),
                (opening, "money"),
                (Formula(paid, line.paid), "count"),
                (ranges.sold((ranges.amount, ranges.moved_gross), of, line.amount_minor),
                 "money"),
                (ranges.sold((ranges.fee, ranges.moved_fee), of, line.fee_minor), "money"),
                (ranges.sold((ranges.net, ranges.moved), of, line.net_minor), "money"),
                (ranges.beside(ranges.moved, day, line.other_minor), "money"),
                (sum_where(ranges.prepaid, (ranges.prepaid_day, day), line.prepaid_minor), "money"),
                (Formula(f"$B{row}+$H{row}-$F{row}-$G{row}", line.remaining_minor), "money"),
                (line.closing.owing_minor, "money"),
                (ranges.beside(ranges.moved_fee, day, line.other_fee_minor), "money"),
            )  # fmt: skip
        foot(
            page, len(lines), (named("desk", "Total"), "bold"), (None, "bold"),
            (sum(x.paid for x in lines), "bold_count"),
            (sum(x.amount_minor for x in lines), "bold_money"),
            (sum(x.fee_minor for x in lines), "bold_money"),
            (sum(x.net_minor for x in lines), "bold_money"),
            (sum(x.other_minor for x in lines), "bold_money"),
            (sum(x.prepaid_minor for x in lines), "bold_money"),
        )  # fmt: skip

    def _write_channels(self, page: Page) -> None:
        translate, named = self._words()
        page.widths(12, 26, 12, 18, 16, 16, 16)
        heads = (
            named("desk", "Channel"), named("desk", "Product"), translate("Orders paid"),
            named("desk", "Amount"), named("desk", "Fee"), named("desk", "Cost"),
            named("desk", "Margin"),
        )  # fmt: skip
        page.write(*((head, "head") for head in heads))
        page.freeze()
        lines, anew = self._bill.channels, word("heading", "reratings", self._speech.language)
        for line in lines:
            row = page.row + 1
            page.write(
                (line.channel_no or anew, "text"),
                (self._speech.product(line.product_code), "text"),
                (line.paid, "count"),
                (line.amount_minor, "money"),
                (line.fee_minor, "money"),
                (line.cost_minor, "money"),
                (Formula(f"$E{row}-$F{row}", line.margin_minor), "money"),
            )
        foot(
            page, len(lines), (named("desk", "Total"), "bold"), (None, "bold"),
            (sum(x.paid for x in lines), "bold_count"),
            (sum(x.amount_minor for x in lines), "bold_money"),
            (sum(x.fee_minor for x in lines), "bold_money"),
            (sum(x.cost_minor for x in lines), "bold_money"),
            (sum(x.margin_minor for x in lines), "bold_money"),
        )  # fmt: skip

    def _line(self, page: Page, name: str, value: int | Formula, why: str) -> None:
        page.write((name, "text"), (value, "money"), (why, "text"))

    def _words(self) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        texts = translator(self._speech.language)
        return texts.gettext, texts.pgettext


def _only_day(bill: Bill) -> DayLine:
    lines = bill.products
    return DayLine(
        day=bill.days.first,
        paid=sum(line.paid for line in lines),
        amount_minor=sum(line.amount_minor for line in lines),
        fee_minor=sum(line.fee_minor for line in lines),
        net_minor=bill.net_minor,
        prepaid_minor=bill.prepaid_minor,
        other_minor=bill.other_minor,
        other_fee_minor=sum(movement.fee_minor for movement in bill.movements),
        opening_minor=bill.opening_minor,
        closing_minor=bill.closing_minor,
        advanced_minor=bill.advanced_minor,
    )


def _share(row: int, part: int, whole: int) -> Formula:
    return Formula(f'IF($B{row}=0,"",$C{row}/$B{row})', part / whole if whole else "")


def days_of(bill: Bill) -> Sequence[DayLine]:
    """A bill's days; of one day, that one."""
    return bill.by_day or (_only_day(bill),)
