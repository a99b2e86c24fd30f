"""The buttons under bills: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from handlers.kit.buttons import (
    Button,
    HolderKind,
    packed_days,
    packed_holder,
    read_days,
    read_holder,
    read_page,
)

Relative = Literal["today", "yesterday", "this_month"]


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
class TurnVouchers(Button):
    """Another page of the prepayments of a merchant (m), or of what a supplier (s) paid in."""

    holder: HolderKind
    holder_id: UUID
    first: date
    last: date
    page: int

    def data(self) -> str:
        span = packed_days(self.first, self.last)
        return f"paid:{packed_holder(self.holder, self.holder_id)}:{span}:{self.page}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["bill", whose, "today" | "yesterday" | "this_month" as days, *fresh]:
            holder, holder_id, currency = read_holder(whose)
            if fresh in ([], ["new"]):
                return TurnBill(holder, holder_id, days, bool(fresh), currency)
            return None
        case ["paid", whose, span, page]:
            holder, holder_id, _ = read_holder(whose)
            return TurnVouchers(holder, holder_id, *read_days(span), read_page(page))
    return None
