"""Buttons that lead to business days: as a bill, as a chart, as a file. Whatever shows days leads
to the other ways to see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.kit.buttons import (
    Button,
    HolderKind,
    packed_days,
    packed_holder,
    read_days,
    read_holder,
)
from texts.days import Relative

_RELATIVES: Final[dict[str, Relative]] = {days: days for days in get_args(Relative)}


@dataclass(frozen=True, slots=True)
class TurnBill(Button):
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
        return (
            f"bill:{packed_holder(self.holder, self.holder_id, self.currency)}:{self.days}{fresh}"
        )


@dataclass(frozen=True, slots=True)
class OpenChart(Button):
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
        holder = packed_holder(self.holder, self.holder_id, self.currency)
        return f"{verb}:{holder}:{packed_days(self.first, self.last)}"


@dataclass(frozen=True, slots=True)
class OpenExport(Button):
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
        holder = packed_holder(self.holder, self.holder_id, self.currency)
        span = packed_days(self.first, self.last)
        table = "" if self.table == "orders" else f":{self.table}"
        return f"{self.kind}:{holder}:{span}{table}"


def read_relative(text: str) -> Relative:
    """Days as a button names them. Raises ValueError."""
    if text not in _RELATIVES:
        raise ValueError(text)
    return _RELATIVES[text]


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["bill", whose, days, *fresh] if fresh in ([], ["new"]):
            holder, holder_id, currency = read_holder(whose)
            return TurnBill(holder, holder_id, read_relative(days), bool(fresh), currency)
        case ["chart" | "turn" as verb, whose, span]:
            holder, holder_id, currency = read_holder(whose)
            return OpenChart(holder, holder_id, *read_days(span), verb == "turn", currency)
        case ["excel" | "csv" as kind, whose, span]:
            holder, holder_id, currency = read_holder(whose)
            return OpenExport(kind, holder, holder_id, *read_days(span), currency=currency)
        case ["csv", whose, span, "prepayments" as table]:
            holder, holder_id, _ = read_holder(whose)
            return OpenExport("csv", holder, holder_id, *read_days(span), table)
    return None
