"""What buttons carry: at most 64 bytes, ids and nothing that could be believed unchecked.

A button authorises nothing: who pressed it is asked for the right, and what it names is looked up
among what that person may see there.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from core.kernel.holder import HOUSE
from core.kernel.money import EXPONENTS
from handlers.channel_buttons import ChannelButton, read_channel_button
from handlers.refund_buttons import RefundButton, read_refund_button
from handlers.supplier_buttons import SupplierButton, read_supplier_button

MAX_BYTES: Final = 64
MAX_PAGE: Final = 100_000

HolderKind = Literal["m", "s", "p"]
Relative = Literal["today", "yesterday", "this_month"]


@dataclass(frozen=True, slots=True)
class UndoVoucher:
    """Take back what a receipt tells of: a prepayment, an adjustment, a pay-in."""

    voucher_id: UUID

    def data(self) -> str:
        return f"undo:{self.voucher_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerSlip:
    """What may be a slip is meant (yes), or is dropped."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"slip:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerCompletion:
    """Confirm a completion (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"complete:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerReversal:
    """Confirm the reversal of a completion (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"uncomplete:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class TurnDiscrepancies:
    """Another page of what is in suspense. merchant_id: of one merchant alone. test: of test
    orders."""

    page: int
    merchant_id: UUID | None = None
    test: bool = False

    def data(self) -> str:
        whose = self.merchant_id.hex if self.merchant_id else ""
        return f"differ:page:{self.page}:{whose}{':test' if self.test else ''}"


@dataclass(frozen=True, slots=True)
class OnDiscrepancy:
    """Open a discrepancy's card, or ask to do one of the things its card offers."""

    discrepancy_id: UUID
    action: Literal["open", "refund_payer", "credit_merchant", "complete"]

    def data(self) -> str:
        return f"differ:{self.action}:{self.discrepancy_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerResolution:
    """Confirm what becomes of a discrepancy (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"resolve:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerRerating:
    """Confirm that past orders are charged anew (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"rerate:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class OnAlarm:
    """Under an alarm: show what it goes by, or send again what could not be sent."""

    alarm_id: UUID
    action: Literal["evidence", "again"]

    def data(self) -> str:
        return f"alarm:{self.action}:{self.alarm_id.hex}"


@dataclass(frozen=True, slots=True)
class OnCard:
    """A button of an order's card."""

    order_id: UUID
    action: Literal["ask", "complete", "notify", "why", "log"]

    def data(self) -> str:
        return f"card:{self.action}:{self.order_id.hex}"


@dataclass(frozen=True, slots=True)
class TurnBill:
    """Other days of the bill of a merchant (m), a supplier (s) or the platform (p; nil id).

    fresh: posted anew, for the bill that carries the button stays what it is. currency: of the
    platform's bill; others are in their own.
    """

    holder: HolderKind
    holder_id: UUID
    days: Relative
    fresh: bool = False
    currency: str | None = None

    def data(self) -> str:
        fresh = ":new" if self.fresh else ""
        return f"bill:{_packed(self.holder, self.holder_id, self.currency)}:{self.days}{fresh}"


@dataclass(frozen=True, slots=True)
class TurnVouchers:
    """Another page of the prepayments of a merchant (m), or of what a supplier (s) paid in."""

    holder: HolderKind
    holder_id: UUID
    first: date
    last: date
    page: int

    def data(self) -> str:
        span = _span(self.first, self.last)
        return f"paid:{_packed(self.holder, self.holder_id)}:{span}:{self.page}"


@dataclass(frozen=True, slots=True)
class AnswerUnbind:
    """Take the bindings off a group (yes), or not.

    number: of the merchant or supplier that is taken off alone.
    """

    approval_id: UUID
    yes: bool
    number: str | None = None

    def data(self) -> str:
        one = "" if self.number is None else f":{self.number}"
        return f"unbind:{'yes' if self.yes else 'no'}:{self.approval_id.hex}{one}"


@dataclass(frozen=True, slots=True)
class OpenChart:
    """A chart of business days. holder, currency: as in `TurnBill`. replace: in the place of the
    chart that carries the button, instead of in a reply."""

    holder: HolderKind
    holder_id: UUID
    first: date
    last: date
    replace: bool = False
    currency: str | None = None

    def data(self) -> str:
        verb = "turn" if self.replace else "chart"
        holder = _packed(self.holder, self.holder_id, self.currency)
        return f"{verb}:{holder}:{_span(self.first, self.last)}"


@dataclass(frozen=True, slots=True)
class OpenExport:
    """A file of business days: the workbook, or a table as CSV. holder, currency: as in
    `TurnBill`."""

    kind: Literal["excel", "csv"]
    holder: HolderKind
    holder_id: UUID
    first: date
    last: date
    table: Literal["orders", "prepayments"] = "orders"
    currency: str | None = None

    def data(self) -> str:
        holder = _packed(self.holder, self.holder_id, self.currency)
        span = _span(self.first, self.last)
        table = "" if self.table == "orders" else f":{self.table}"
        return f"{self.kind}:{holder}:{span}{table}"


Button = (
    UndoVoucher
    | AnswerSlip
    | AnswerCompletion
    | AnswerReversal
    | TurnDiscrepancies
    | OnDiscrepancy
    | AnswerResolution
    | AnswerRerating
    | OnAlarm
    | OnCard
    | TurnBill
    | TurnVouchers
    | AnswerUnbind
    | OpenChart
    | OpenExport
    | SupplierButton
    | ChannelButton
    | RefundButton
)


def read_button(data: str) -> Button | None:
    """The button that carries this data; None for one that is not ours."""
    try:
        return _read(data.split(":"))
    except ValueError:
        return None


def _read(parts: list[str]) -> Button | None:
    match parts:
        case ["undo", voucher_id]:
            return UndoVoucher(UUID(hex=voucher_id))
        case ["slip", "yes" | "no" as answer, approval_id]:
            return AnswerSlip(UUID(hex=approval_id), answer == "yes")
        case ["complete", "yes" | "no" as answer, approval_id]:
            return AnswerCompletion(UUID(hex=approval_id), answer == "yes")
        case ["uncomplete", "yes" | "no" as answer, approval_id]:
            return AnswerReversal(UUID(hex=approval_id), answer == "yes")
        case ["differ", "page", page, merchant_id, *test] if test in ([], ["test"]):
            whose = UUID(hex=merchant_id) if merchant_id else None
            return TurnDiscrepancies(_page(page), whose, bool(test))
        case ["differ", action, discrepancy_id]:
            return _on_discrepancy(action, UUID(hex=discrepancy_id))
        case ["resolve", "yes" | "no" as answer, approval_id]:
            return AnswerResolution(UUID(hex=approval_id), answer == "yes")
        case ["rerate", "yes" | "no" as answer, approval_id]:
            return AnswerRerating(UUID(hex=approval_id), answer == "yes")
        case ["alarm", "evidence" | "again" as action, alarm_id]:
            return OnAlarm(UUID(hex=alarm_id), action)
        case ["card", "ask" | "complete" | "notify" | "why" | "log" as action, order_id]:
            return OnCard(UUID(hex=order_id), action)
        case ["bill", whose, "today" | "yesterday" | "this_month" as days, *fresh]:
            holder, holder_id, currency = _holder(whose)
            if fresh in ([], ["new"]):
                return TurnBill(holder, holder_id, days, bool(fresh), currency)
            return None
        case ["paid", whose, span, page]:
            holder, holder_id, _ = _holder(whose)
            return TurnVouchers(holder, holder_id, *_days(span), _page(page))
        case ["unbind", "yes" | "no" as answer, approval_id]:
            return AnswerUnbind(UUID(hex=approval_id), answer == "yes")
        case ["unbind", "yes", approval_id, number] if number.isalnum():
            return AnswerUnbind(UUID(hex=approval_id), True, number)
        case ["chart" | "turn" as verb, whose, span]:
            holder, holder_id, currency = _holder(whose)
            return OpenChart(holder, holder_id, *_days(span), verb == "turn", currency)
        case ["excel" | "csv" as kind, whose, span]:
            holder, holder_id, currency = _holder(whose)
            return OpenExport(kind, holder, holder_id, *_days(span), currency=currency)
        case ["csv", whose, span, "prepayments" as table]:
            holder, holder_id, _ = _holder(whose)
            return OpenExport("csv", holder, holder_id, *_days(span), table)
        case _:
            return (
                read_supplier_button(parts)
                or read_channel_button(parts)
                or read_refund_button(parts)
            )


def _on_discrepancy(action: str, discrepancy_id: UUID) -> Button | None:
    match action:
        case "open" | "refund_payer" | "credit_merchant" | "complete":
            return OnDiscrepancy(discrepancy_id, action)
    return None


def _packed(holder: HolderKind, holder_id: UUID, currency: str | None = None) -> str:
    """There is one platform: in the place of its id stands the currency of its books."""
    if holder == "p":
        return f"p{currency or ''}"
    return holder + base64.urlsafe_b64encode(holder_id.bytes).rstrip(b"=").decode()


def _holder(text: str) -> tuple[HolderKind, UUID, str | None]:
    kind, rest = text[:1], text[1:]
    if kind == "p" and (not rest or rest in EXPONENTS):
        return "p", HOUSE, rest or None
    try:
        holder_id = UUID(bytes=base64.b64decode(rest + "==", altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError(text) from error
    match kind:
        case "m" | "s":
            return kind, holder_id, None
    raise ValueError(text)


def _span(first: date, last: date) -> str:
    return f"{first:%Y%m%d}-{last:%Y%m%d}"


def _days(text: str) -> tuple[date, date]:
    first, _, last = text.partition("-")
    return _date(first), _date(last)


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _page(text: str) -> int:
    page = int(text)
    if not 1 <= page <= MAX_PAGE:
        raise ValueError(text)
    return page
