"""The columns of tables: one list for the sheet of a workbook and for the CSV of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from core.books import KINDS, ORDERS
from core.kernel.money import Rate, format_minor
from core.reports.bills import DayLine, MerchantLine
from core.reports.exports import (
    CompletionRow,
    DiscrepancyRow,
    MovementRow,
    OrderRow,
    TakingRow,
    VoucherRow,
)
from handlers.kit.vocabulary import word
from texts import money, translator

R = TypeVar("R")
# money: in minor units of the table's currency. instant: aware; shown on the clocks of its zone.
# text: whatever people and peers wrote. figure: a number as we write it, which nothing spoils.
Kind = Literal["text", "figure", "money", "count", "day", "instant"]


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column: what it is called, and what a row has there: None for nothing. width: in
    characters."""

    title: str
    kind: Kind
    width: int
    value: Callable[[R], Any]


@dataclass(frozen=True, slots=True)
class Speech:
    """How a table speaks. names: of products by code; each is another one."""

    language: str
    currency: str
    zone: str
    names: Mapping[str, str]

    def product(self, code: str) -> str:
        return self.names.get(code, code)


def order_columns(speech: Speech, *, staff: bool) -> list[Column[OrderRow]]:
    """Paid orders; for staff with channel, cost and margin."""
    translate, named = _speaking(speech)
    rates: dict[str, str] = {}

    def rate(row: OrderRow) -> str:
        key = repr(row.rate)
        if key not in rates:
            rates[key] = rate_text(Rate.unpack(row.rate), speech.currency)
        return rates[key]

    def how(row: OrderRow) -> str:
        said = hows[row.how]
        return f"{said} · {late}" if row.late else said

    hows = {
        key: word("paid_how", key, speech.language) for key in ("reported", "asked", "completed")
    }
    late = translate("late")
    columns: list[Column[OrderRow]] = [
        Column(named("desk", "Order"), "text", 23, lambda row: row.order_no),
        Column(translate("Merchant's number"), "text", 24, lambda row: row.merchant_order_no),
        Column(named("desk", "Product"), "text", 14, lambda row: speech.product(row.product_code)),
        Column(named("desk", "Amount"), "money", 14, lambda row: row.amount_minor),
        Column(named("desk", "Fee"), "money", 12, lambda row: row.fee_minor),
        Column(named("desk", "Net"), "money", 14, lambda row: row.amount_minor - row.fee_minor),
        Column(named("desk", "Rate"), "figure", 10, rate),
        Column(translate("Business day"), "day", 11, lambda row: row.paid_day),
        Column(translate("Created at"), "instant", 19, lambda row: row.created_at),
        Column(translate("Paid at"), "instant", 19, lambda row: row.paid_at),
        Column(translate("How it was paid"), "text", 18, how),
    ]
    if staff:
        columns += [
            Column(named("desk", "Channel"), "text", 9, lambda row: row.channel_no or ""),
            Column(named("desk", "Cost"), "money", 12, lambda row: row.cost_minor or 0),
            Column(
                named("desk", "Margin"), "money", 12,
                lambda row: row.fee_minor - (row.cost_minor or 0),
            ),
        ]  # fmt: skip
    return columns


def voucher_columns(speech: Speech) -> list[Column[VoucherRow]]:
    """Prepayments, or what a supplier paid in."""
    translate, named = _speaking(speech)

    def original(row: VoucherRow) -> str:
        if not row.conversion_rate:
            return ""
        return money(row.original_minor, row.original_currency)

    return [
        Column(named("desk", "Time"), "instant", 19, lambda row: row.at),
        Column(translate("Business day"), "day", 11, lambda row: row.day),
        Column(translate("Record"), "text", 14, lambda row: row.record_no),
        Column(named("desk", "Amount"), "money", 16, lambda row: row.minor),
        Column(translate("Written as"), "text", 18, original),
        Column(translate("Exchange rate"), "figure", 10, lambda row: row.conversion_rate),
        Column(named("desk", "By"), "text", 16, lambda row: row.actor_name),
        Column(translate("Remark"), "text", 28, lambda row: row.remark),
        Column(translate("Undone by record"), "text", 14, lambda row: row.undone_by_no),
        Column(translate("Undoes record"), "text", 14, lambda row: row.reverses_no),
    ]


def movement_columns(speech: Speech) -> list[Column[MovementRow]]:
    """What moved the position besides orders and prepayments: amount - fee = net."""
    translate, named = _speaking(speech)
    return [
        Column(named("desk", "Time"), "instant", 19, lambda row: row.at),
        Column(translate("Business day"), "day", 11, lambda row: row.day),
        Column(named("sheet", "Kind"), "text", 16, lambda row: heading(row.kind, speech.language)),
        Column(named("desk", "Product"), "text", 14, lambda row: speech.product(row.product_code)),
        Column(translate("Orders paid"), "count", 10, lambda row: ORDERS.get(row.kind, 0)),
        Column(named("desk", "Amount"), "money", 16, lambda row: row.minor + row.fee_minor),
        Column(named("desk", "Fee"), "money", 14, lambda row: row.fee_minor),
        Column(named("desk", "Net"), "money", 16, lambda row: row.minor),
        Column(named("desk", "Order"), "text", 23, lambda row: row.order_no),
        Column(translate("Record"), "text", 18, lambda row: row.record_no),
        Column(named("desk", "By"), "text", 16, lambda row: row.actor_name),
        Column(named("desk", "Reason"), "text", 36, lambda row: row.reason),
    ]


def heading(kind: str, language: str) -> str:
    """Under what a bill shows a kind of event."""
    return word("heading", KINDS[kind] or kind, language)


def completion_columns(speech: Speech, *, staff: bool) -> list[Column[CompletionRow]]:
    """Completions; for staff with their reasons."""
    translate, named = _speaking(speech)
    undone, proof = translate("taken back"), translate("picture")
    columns: list[Column[CompletionRow]] = [
        Column(named("desk", "Time"), "instant", 19, lambda row: row.at),
        Column(translate("Business day"), "day", 11, lambda row: row.day),
        Column(named("desk", "Order"), "text", 23, lambda row: row.order_no),
        Column(translate("Merchant's number"), "text", 24, lambda row: row.merchant_order_no),
        Column(named("desk", "Amount"), "money", 14, lambda row: row.amount_minor),
        Column(named("desk", "By"), "text", 16, lambda row: row.actor_name),
        Column(translate("Evidence"), "text", 10, lambda row: proof if row.proof else ""),
        Column(named("desk", "State"), "text", 10, lambda row: undone if row.undone else ""),
    ]
    if staff:
        columns.append(Column(named("desk", "Reason"), "text", 36, lambda row: row.reason))
    return columns


def discrepancy_columns(speech: Speech) -> list[Column[DiscrepancyRow]]:
    translate, named = _speaking(speech)
    language = speech.language
    return [
        Column(named("desk", "Time"), "instant", 19, lambda row: row.at),
        Column(
            named("sheet", "Kind"), "text", 20, lambda row: word("discrepancy", row.kind, language)
        ),
        Column(named("desk", "Order"), "text", 23, lambda row: row.order_no),
        Column(named("desk", "Supplier"), "text", 9, lambda row: row.supplier_no),
        Column(translate("Supplier's number"), "text", 26, lambda row: row.upstream_no),
        Column(translate("Asked"), "money", 14, lambda row: row.asked_minor),
        Column(translate("Seen"), "money", 14, lambda row: row.seen_minor),
        Column(translate("Still in suspense"), "money", 16, lambda row: row.left_minor),
    ]


def taking_columns(speech: Speech) -> list[Column[TakingRow]]:
    """What a supplier took, and what of it is due."""
    translate, named = _speaking(speech)

    def state(row: TakingRow) -> str:
        return word("completion_state", row.state, speech.language) if row.state else ""

    return [
        Column(named("desk", "Time"), "instant", 19, lambda row: row.at),
        Column(
            named("sheet", "Kind"),
            "text",
            20,
            lambda row: word("taking", row.kind, speech.language),
        ),
        Column(named("desk", "State"), "text", 12, state),
        Column(translate("Attempt"), "text", 23, lambda row: row.attempt_no),
        Column(translate("Supplier's number"), "text", 26, lambda row: row.upstream_no),
        Column(named("desk", "Channel"), "text", 9, lambda row: row.channel_no),
        Column(named("desk", "Product"), "text", 14, lambda row: speech.product(row.product_code)),
        Column(named("desk", "Amount"), "money", 14, lambda row: row.amount_minor),
        Column(named("desk", "Cost"), "money", 12, lambda row: row.cost_minor),
        Column(translate("Due"), "money", 14, lambda row: row.due_minor),
    ]


def day_columns(speech: Speech) -> list[Column[DayLine]]:
    """Days of a merchant: opening + prepaid - net - other = closing, of its prepaid balance."""
    translate, named = _speaking(speech)
    return [
        Column(translate("Business day"), "day", 12, lambda row: row.day),
        Column(
            named("desk", "Opening prepaid balance"), "money", 16,
            lambda row: row.remaining_before_minor,
        ),
        Column(translate("Orders paid"), "count", 10, lambda row: row.paid),
        Column(named("desk", "Amount"), "money", 16, lambda row: row.amount_minor),
        Column(named("desk", "Fee"), "money", 14, lambda row: row.fee_minor),
        Column(named("desk", "Net"), "money", 16, lambda row: row.net_minor),
        Column(named("desk", "Other"), "money", 14, lambda row: row.other_minor),
        Column(translate("Fees in “other”"), "money", 14, lambda row: row.other_fee_minor),
        Column(named("desk", "Prepaid"), "money", 16, lambda row: row.prepaid_minor),
        Column(
            named("desk", "Closing prepaid balance"), "money", 16,
            lambda row: row.remaining_minor,
        ),
        Column(
            translate("of it owed by the merchant"), "money", 16,
            lambda row: row.closing.owing_minor,
        ),
    ]  # fmt: skip


def merchant_columns(speech: Speech) -> list[Column[MerchantLine]]:
    """Merchants of the platform's bill."""
    translate, named = _speaking(speech)
    return [
        Column(named("desk", "Merchant"), "text", 12, lambda row: row.merchant_no),
        Column(named("desk", "Name"), "text", 28, lambda row: row.merchant_name),
        Column(translate("Orders paid"), "count", 12, lambda row: row.paid),
        Column(named("desk", "Amount"), "money", 18, lambda row: row.amount_minor),
        Column(named("desk", "Fee"), "money", 16, lambda row: row.fee_minor),
        Column(named("desk", "Cost"), "money", 16, lambda row: row.cost_minor),
        Column(translate("Prepaid balance"), "money", 18, lambda row: row.closing.prepaid_minor),
        Column(translate("Owed by the merchant"), "money", 18, lambda row: row.closing.owing_minor),
        Column(translate("Owed to the merchant"), "money", 18, lambda row: row.closing.owed_minor),
    ]


def rate_text(rate: Rate, currency: str) -> str:
    """'1.2%', '1.2% + 0.10', '1.2%, 1.00 – 50.00'."""
    text = rate.percent()
    if rate.fixed_minor:
        text += f" + {format_minor(rate.fixed_minor, currency)}"
    if rate.min_minor or rate.max_minor is not None:
        most = format_minor(rate.max_minor, currency) if rate.max_minor is not None else ""
        text += f", {format_minor(rate.min_minor, currency)} – {most}".rstrip()
    return text


def _speaking(speech: Speech) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
    texts = translator(speech.language)
    return texts.gettext, texts.pgettext
