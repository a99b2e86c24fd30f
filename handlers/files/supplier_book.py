"""A supplier's workbook: what it took, what of it is due, what it paid in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from core.kernel.money import EXPONENTS
from core.reports.bills import SupplierBill
from core.reports.exports import TakingRow, VoucherRow
from handlers.files.columns import Speech, taking_columns, voucher_columns
from handlers.files.sheets import disclaimer, foot, period, sum_of, sum_where, titles
from handlers.files.workbook import Book, Formula, TableSheet
from handlers.kit.vocabulary import word
from texts import translator


class SupplierBook:
    """Rows first, then `close`. Blocking: to be called from a thread. No merchant is named."""

    def __init__(
        self, path: Path, bill: SupplierBill, speech: Speech, *, built_at: datetime
    ) -> None:
        self._bill = bill
        self._speech = speech
        self._built_at = built_at
        named = translator(speech.language).pgettext
        title = f"{bill.supplier_name} · {bill.supplier_no} · {bill.days}"
        self._book = book = Book(path, speech, title)
        self._summary = book.page(named("sheet", "Summary"))
        self._channels = book.page(named("sheet", "Channels"))
        self.takings: TableSheet[TakingRow] = book.table(
            named("sheet", "Bookings"), taking_columns(speech)
        )
        self.paid_in: TableSheet[VoucherRow] = book.table(
            named("sheet", "Paid in"), voucher_columns(speech)
        )

    def close(self) -> None:
        """Write the sums and the file."""
        self.takings.end()
        self.paid_in.end()
        self._write_summary()
        self._write_channels()
        self._book.close()

    def _write_summary(self) -> None:
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
        due = sum(line.due_minor for line in bill.lines)
        taken = self.takings.range(translate("Due"))
        paid_in = self.paid_in.range(named("desk", "Amount"))
        lines: tuple[tuple[str, int | Formula, str], ...] = (
            (named("supplier", "Due at the start"), bill.opening_minor,
             translate("what the supplier owed before; negative: overpaid")),
            (translate("Taken, less cost"), sum_of(taken, due),
             translate("plus the sum of the sheet of bookings")),
            (translate("Paid in"), sum_of(paid_in, bill.paid_in_minor),
             translate("less the sum of the sheet of what was paid in")),
        )  # fmt: skip
        first = page.row
        for name, value, why in lines:
            page.write((name, "text"), (value, "money"), (why, "text"))
        closing = page.write(
            (named("supplier", "Due at the end"), "bold"),
            (Formula(f"SUM($B${first + 1}:$B${first + 2})-$B${first + 3}", bill.closing_minor),
             "bold_money"),
            (translate("what the supplier owes; negative: overpaid"), "bold"),
        )  # fmt: skip
        books = page.write(
            (translate("Closing balance in the books"), "text"), (bill.closing_minor, "money")
        )
        places = EXPONENTS[bill.currency]
        page.write(
            (translate("Difference"), "text"),
            (Formula(f"ROUND($B${closing + 1}-$B${books + 1},{places})", 0), "money"),
            (Formula(f'IF($B${books + 2}=0,"OK","≠")', "OK"), "bold"),
        )
        unconfirmed = word("completion_state", "unconfirmed", self._speech.language)
        states = self.takings.range(named("desk", "State"))
        page.write(
            (translate("of it completions that are not confirmed"), "text"),
            (sum_where(taken, (states, f'"{unconfirmed}"'), bill.unconfirmed_due_minor), "money"),
            (translate("booked by hand, and not reported by the supplier yet"), "text"),
        )
        page.skip()
        page.write((translate("In suspense at the end"), "text"), (bill.suspense_minor, "money"))

    def _write_channels(self) -> None:
        bill, page = self._bill, self._channels
        translate, named = self._words()
        page.widths(12, 26, 12, 18, 16, 18, 18)
        heads = (
            named("desk", "Channel"), named("desk", "Product"), translate("Orders paid"),
            named("desk", "Amount"), named("desk", "Cost"), translate("Due"),
            translate("Due, unconfirmed"),
        )  # fmt: skip
        page.write(*((head, "head") for head in heads))
        page.freeze()
        for line in bill.lines:
            row = page.row + 1
            page.write(
                (line.channel_no, "text"),
                (self._speech.product(line.product_code), "text"),
                (line.paid, "count"),
                (line.amount_minor, "money"),
                (line.cost_minor, "money"),
                (Formula(f"$D{row}-$E{row}", line.due_minor), "money"),
                (line.unconfirmed_due_minor, "money"),
            )
        foot(
            page, len(bill.lines), (named("desk", "Total"), "bold"), (None, "bold"),
            (sum(x.paid for x in bill.lines), "bold_count"),
            (sum(x.amount_minor for x in bill.lines), "bold_money"),
            (sum(x.cost_minor for x in bill.lines), "bold_money"),
            (sum(x.due_minor for x in bill.lines), "bold_money"),
            (bill.unconfirmed_due_minor, "bold_money"),
        )  # fmt: skip

    def _words(self) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        texts = translator(self._speech.language)
        return texts.gettext, texts.pgettext
