"""The platform's workbook: merchants, suppliers, products and channels, and the margin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from core.kernel.money import EXPONENTS
from core.reports.bills import PlatformBill
from handlers.files.columns import Speech
from handlers.files.sheets import disclaimer, foot, period, titles, what_remains
from handlers.files.workbook import Book, Formula, Page
from handlers.kit.vocabulary import word
from texts import money, translator


def write_platform_book(
    path: Path, bill: PlatformBill, speech: Speech, *, built_at: datetime
) -> None:
    """Write the file. Blocking: to be called from a thread."""
    _PlatformBook(path, bill, speech, built_at).write()


class _PlatformBook:
    def __init__(self, path: Path, bill: PlatformBill, speech: Speech, built_at: datetime) -> None:
        self._bill = bill
        self._speech = speech
        self._built_at = built_at
        self._texts = translator(speech.language)
        title = f"{self._texts.gettext('Platform')} · {bill.days}"
        self._book = Book(path, speech, title)

    def write(self) -> None:
        self._write_summary()
        self._write_merchants()
        self._write_suppliers()
        self._write_products()
        self._write_channels()
        if self._bill.handed_out:
            self._write_handed_out()
        self._book.close()

    def _write_summary(self) -> None:
        bill = self._bill
        translate, named = self._texts.gettext, self._texts.pgettext
        page = self._book.page(named("sheet", "Summary"))
        page.widths(44, 20, 52)
        titles(page, self._book.title, period(bill, self._speech, self._built_at))
        disclaimer(page, self._speech)
        page.write(
            (translate("What it came to"), "head"),
            (f"{named('desk', 'Amount')} ({bill.currency})", "head"),
            (translate("How it adds up"), "head"),
        )
        less = translate("less this")
        lines = [
            (named("desk", "Opening balance, net"), bill.remaining_before_minor,
             translate("what merchants owed before, less what was owed to them")),
            (named("desk", "Prepaid"), bill.prepaid_minor, translate("plus this")),
            (translate("Orders, net of fees"), bill.net_minor, less),
            *(
                (word("heading", movement.heading, self._speech.language), movement.minor, less)
                for movement in bill.movements
            ),
        ]  # fmt: skip
        first = page.row
        for name, minor, why in lines:
            page.write((name, "text"), (minor, "money"), (why, "text"))
        closing = page.write(
            (named("desk", "Closing balance, net"), "bold"),
            (what_remains(first, page.row, bill.remaining_minor), "bold_money"),
            (translate("what merchants owe, less what is owed to them"), "bold"),
        )
        books = page.write(
            (translate("Closing balance in the books"), "text"), (bill.remaining_minor, "money")
        )
        places = EXPONENTS[bill.currency]
        page.write(
            (translate("Difference"), "text"),
            (Formula(f"ROUND($B${closing + 1}-$B${books + 1},{places})", 0), "money"),
            (Formula(f'IF($B${books + 2}=0,"OK","≠")', "OK"), "bold"),
        )
        self._made_of(page, closing)
        page.skip()
        page.write((translate("Orders created"), "text"), (bill.created, "count"))
        fee = page.write((named("desk", "Fee"), "text"), (bill.fee_minor, "money"))
        page.write((named("desk", "Cost"), "text"), (bill.cost_minor, "money"))
        margin = Formula(f"$B${fee + 1}-$B${fee + 2}", bill.margin_minor)
        page.write((named("desk", "Margin"), "bold"), (margin, "bold_money"))
        lacked = translate("what completed orders lacked")
        shortfalls = (named("desk", "Shortfalls of completions"), "text")
        page.write(shortfalls, (bill.shortfall_minor, "money"), (lacked, "text"))
        page.write((named("heading", "Adjustments"), "text"), (bill.adjust_minor, "money"))
        result = Formula(f"SUM($B${fee + 3}:$B${fee + 5})", bill.result_minor)
        page.write((named("desk", "Result"), "bold"), (result, "bold_money"))
        page.write(
            (translate("Handed out in another currency"), "text"),
            (bill.fx_minor, "money"),
            (translate("of the prepayments; no part of the result"), "text"),
        )  # fmt: skip
        page.write((translate("In suspense at the end"), "text"), (bill.suspense_minor, "money"))

    def _made_of(self, page: Page, closing: int) -> None:
        """What the closing balance is made of: no debt pays what is owed to another merchant."""
        translate, stands = self._texts.gettext, self._bill.closing
        first = page.row + 1
        for name, minor, why in (
            (translate("Prepaid balance"), stands.prepaid_minor, translate("plus this")),
            (translate("Owed by the merchant"), stands.owing_minor, translate("plus this")),
            (translate("Owed to the merchant"), stands.owed_minor, translate("less this")),
        ):
            page.write((name, "text"), (minor, "money"), (why, "text"))
        net = Formula(f"$B${first}+$B${first + 1}-$B${first + 2}", self._bill.remaining_minor)
        page.write(
            (self._texts.pgettext("desk", "Closing balance, net"), "text"),
            (net, "money"),
            (Formula(f'IF($B${first + 3}=$B${closing + 1},"OK","≠")', "OK"), "bold"),
        )

    def _write_merchants(self) -> None:
        translate, named = self._texts.gettext, self._texts.pgettext
        self._table(
            named("sheet", "Merchants"),
            (12, 28, 12, 18, 16, 16, 18, 18, 18),
            "text text count money money money money money money",
            (
                named("desk", "Merchant"), named("desk", "Name"), translate("Orders paid"),
                named("desk", "Amount"), named("desk", "Fee"), named("desk", "Cost"),
                translate("Prepaid balance"), translate("Owed by the merchant"),
                translate("Owed to the merchant"),
            ),
            [
                (x.merchant_no, x.merchant_name, x.paid, x.amount_minor,
                 x.fee_minor, x.cost_minor, x.closing.prepaid_minor, x.closing.owing_minor,
                 x.closing.owed_minor)
                for x in self._bill.merchants
            ],
        )  # fmt: skip

    def _write_suppliers(self) -> None:
        translate, named = self._texts.gettext, self._texts.pgettext
        self._table(
            named("sheet", "Suppliers"),
            (12, 28, 18, 16, 18, 18),
            "text text money money money money",
            (
                named("desk", "Supplier"), named("desk", "Name"), named("desk", "Amount"),
                named("desk", "Cost"), translate("Paid in"), named("supplier", "Due at the end"),
            ),
            [
                (x.supplier_no, x.supplier_name, x.amount_minor,
                 x.cost_minor, x.paid_in_minor, x.closing_minor)
                for x in self._bill.suppliers
            ],
        )  # fmt: skip

    def _write_products(self) -> None:
        translate, named = self._texts.gettext, self._texts.pgettext
        self._table(
            named("sheet", "Products"),
            (26, 12, 14, 12, 18, 16, 18),
            "text count count count money money money",
            (
                named("desk", "Product"), translate("Created"), translate("Paid same day"),
                translate("Orders paid"), named("desk", "Amount"), named("desk", "Fee"),
                named("desk", "Net"),
            ),
            [
                (self._speech.product(x.product_code), x.created, x.cohort_paid, x.paid,
                 x.amount_minor, x.fee_minor, x.net_minor)
                for x in self._bill.products
            ],
        )  # fmt: skip

    def _write_channels(self) -> None:
        translate, named = self._texts.gettext, self._texts.pgettext
        self._table(
            named("sheet", "Channels"),
            (12, 26, 12, 18, 16, 16, 16),
            "text text count money money money money",
            (
                named("desk", "Channel"), named("desk", "Product"), translate("Orders paid"),
                named("desk", "Amount"), named("desk", "Fee"), named("desk", "Cost"),
                named("desk", "Margin"),
            ),
            [
                (x.channel_no or word("heading", "reratings", self._speech.language),
                 self._speech.product(x.product_code), x.paid,
                 x.amount_minor, x.fee_minor, x.cost_minor,
                 x.margin_minor)
                for x in self._bill.channels
            ],
        )  # fmt: skip

    def _write_handed_out(self) -> None:
        """What is in the bill's own currency is a number, what is in another one a text."""
        translate, named = self._texts.gettext, self._texts.pgettext
        own = self._bill.currency
        page = self._book.page(named("desk", "Handed out"))
        page.widths(14, 14, 12, 18, 14, 18)
        heads = (
            translate("Currency"), translate("Exchange rate"), translate("Records"),
            named("desk", "Amount"), translate("Counts in"), translate("counts as"),
        )  # fmt: skip
        page.write(*((head, "head") for head in heads))
        page.freeze()
        for one in self._bill.handed_out:
            left: tuple[Any, str] = (money(one.original_minor, one.original_currency), "text")
            came: tuple[Any, str] = (money(one.minor, one.currency), "text")
            if one.original_currency == own:
                left = (one.original_minor, "money")
            else:
                came = (one.minor, "money")
            page.write(
                (one.original_currency, "text"), (one.conversion_rate, "text"),
                (one.records, "count"), left, (one.currency, "text"), came,
            )  # fmt: skip

    def _table(
        self,
        name: str,
        widths: Sequence[int],
        kinds: str,
        heads: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """A sheet of rows with a foot that adds up their numbers. kinds: a format per column."""
        page = self._book.page(name)
        styles = kinds.split()
        page.widths(*widths)
        page.write(*((head, "head") for head in heads))
        page.freeze()
        for row in rows:
            page.write(*zip(row, styles, strict=True))
        cells: list[tuple[Any, str]] = [(self._texts.pgettext("desk", "Total"), "bold")]
        for column, style in enumerate(styles[1:], start=1):
            if style == "text":
                cells.append((None, "bold"))
            else:
                cells.append((sum(row[column] for row in rows), f"bold_{style}"))
        foot(page, len(rows), *cells)
