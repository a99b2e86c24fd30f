"""The workbook of a list of orders: what they come to, and all of its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from core.reports.order_lists import FilteredOrders, ListedOrder, Sight, Totals
from handlers.files.columns import Column, Speech
from handlers.files.sheets import sum_of, titles
from handlers.files.workbook import Book, Formula, TableSheet
from handlers.kit.vocabulary import word
from texts import instant, translator

# What a merchant's server was told of a paid order, as the filter calls it.
_NEWS: Final = {"pending": "waiting", "delivered": "told", "exhausted": "failed"}


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list is. whose: numbers and names; empty for everybody. totals: what all lines come
    to. read_at: when it was read."""

    title: str
    whose: tuple[str, ...]
    listed: FilteredOrders
    totals: Totals
    read_at: datetime


class OrderListBook:
    """Lines first, then `close`. Blocking: to be called from a thread. What the reader of the list
    may not see has no column."""

    def __init__(self, path: Path, head: ListHead, speech: Speech) -> None:
        self._head = head
        self._speech = speech
        named = translator(speech.language).pgettext
        self._book = book = Book(path, speech, head.title)
        self._summary = book.page(named("sheet", "Summary"))
        self.lines: TableSheet[ListedOrder] = book.table(
            named("sheet", "Orders"), list_columns(speech, head.listed)
        )

    def close(self) -> None:
        """Write the sums and the file."""
        self.lines.end()
        self._write_summary()
        self._book.close()

    def _write_summary(self) -> None:
        head, page, totals = self._head, self._summary, self._head.totals
        translate, named = _speaking(self._speech)
        page.widths(30, 14, 20)
        zone, currency = self._speech.zone, self._speech.currency
        as_of = translate("As of %(at)s") % {"at": instant(head.read_at, zone)}
        whose = " · ".join(head.whose) or translate("All merchants")
        titles(page, head.title, (whose, f"{as_of} · {zone} · {currency}"))
        page.skip()
        page.write(
            (translate("What it came to"), "head"),
            (named("sheet", "Orders"), "head"),
            (f"{named('desk', 'Amount')} ({currency})", "head"),
        )
        amount = self.lines.range(named("desk", "Amount"))
        paid = self.lines.range(named("desk", "Received"))
        first = page.row
        page.write(
            (named("count", "All"), "text"),
            (Formula(f"COUNT({amount})", totals.count), "count"),
            (sum_of(amount, totals.amount_minor), "money"),
        )
        page.write(
            (named("count", "Paid"), "text"),
            (Formula(f"COUNT({paid})", totals.paid), "count"),
            (sum_of(paid, totals.paid_minor), "money"),
        )
        counted, summed = (f"{column}{first + 1}-{column}{first + 2}" for column in "BC")
        page.write(
            (named("count", "Unpaid"), "text"),
            (Formula(counted, totals.count - totals.paid), "count"),
            (Formula(summed, totals.amount_minor - totals.paid_minor), "money"),
        )
        self._write_earned()

    def _write_earned(self) -> None:
        """What the paid ones brought, where it may be told."""
        page, totals, sight = self._summary, self._head.totals, self._head.listed.sight
        _, named = _speaking(self._speech)
        if sight.fees:
            fees = sum_of(self.lines.range(named("desk", "Fee")), totals.fee_minor)
            page.write((named("desk", "Fees"), "text"), (None, "text"), (fees, "money"))
        if sight.costs:
            cost = sum_of(self.lines.range(named("desk", "Cost")), totals.cost_minor)
            row = page.write((named("supplier", "Cost"), "text"), (None, "text"), (cost, "money"))
            margin = Formula(f"C{row}-C{row + 1}", totals.fee_minor - totals.cost_minor)
            page.write((named("desk", "Margin"), "bold"), (None, "bold"), (margin, "bold_money"))


def list_columns(speech: Speech, listed: FilteredOrders) -> list[Column[ListedOrder]]:
    """The lines of a list, as its reader may see them."""
    if listed.rows == "attempts":
        return _attempt_columns(speech)
    return _order_columns(speech, listed.sight)


def _order_columns(speech: Speech, sight: Sight) -> list[Column[ListedOrder]]:
    translate, named = _speaking(speech)
    completed = word("order_filter", "completed", speech.language)

    def standing(line: ListedOrder) -> str:
        said = word("order", line.standing, speech.language)
        by_hand = line.by_hand and line.standing != "completed"
        return f"{said} · {completed}" if by_hand else said

    def news(line: ListedOrder) -> str:
        told = _NEWS.get(line.news)
        return word("news_filter", told, speech.language) if told else ""

    columns: list[Column[ListedOrder]] = [
        Column(translate("Created at"), "instant", 19, lambda line: line.at),
        Column(named("desk", "Order"), "text", 23, lambda line: line.number),
        Column(translate("Merchant's number"), "text", 24, lambda line: line.merchant_order_no),
        Column(named("desk", "Merchant"), "text", 10, lambda line: line.merchant_no),
        *_shared(speech),
    ]
    if sight.fees:
        columns.append(Column(named("desk", "Fee"), "money", 12, lambda line: line.fee_minor))
    if sight.costs:
        columns.append(Column(named("desk", "Cost"), "money", 12, lambda line: line.cost_minor))
    columns += [
        Column(named("desk", "State"), "text", 20, standing),
        Column(translate("Paid at"), "instant", 19, lambda line: line.paid_at),
        Column(named("desk", "Callback"), "text", 20, news),
    ]
    if sight.channels:
        columns.append(Column(named("desk", "Channel"), "text", 9, lambda line: line.channel_no))
    return columns


def _attempt_columns(speech: Speech) -> list[Column[ListedOrder]]:
    translate, named = _speaking(speech)

    def standing(line: ListedOrder) -> str:
        return word("attempt", line.standing, speech.language)

    return [
        Column(translate("Created at"), "instant", 19, lambda line: line.at),
        Column(translate("Attempt"), "text", 23, lambda line: line.number),
        Column(translate("Supplier's number"), "text", 26, lambda line: line.merchant_order_no),
        Column(named("desk", "Channel"), "text", 9, lambda line: line.channel_no),
        *_shared(speech),
        Column(named("desk", "State"), "text", 16, standing),
    ]


def _shared(speech: Speech) -> list[Column[ListedOrder]]:
    """What was ordered, for how much, and how much of it is here."""
    named = translator(speech.language).pgettext
    return [
        Column(
            named("desk", "Product"), "text", 14, lambda line: speech.product(line.product_code)
        ),
        Column(named("desk", "Amount"), "money", 14, lambda line: line.amount_minor),
        Column(
            named("desk", "Received"), "money", 14,
            lambda line: line.amount_minor if line.paid else None,
        ),
    ]  # fmt: skip


def _speaking(speech: Speech) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
    texts = translator(speech.language)
    return texts.gettext, texts.pgettext
