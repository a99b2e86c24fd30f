"""The buttons under prepayments and completions: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from handlers.kit.buttons import (
    Button,
    HolderKind,
    long,
    packed_days,
    packed_holder,
    read_days,
    read_holder,
    read_page,
    short,
)
from handlers.kit.day_buttons import read_relative
from texts.days import Relative


@dataclass(frozen=True, slots=True)
class TurnVouchers(Button):
    """Another page of the prepayments of a merchant (m), or of what a supplier (s) paid in.
    fresh: beside the message that carries the button."""

    holder: HolderKind
    holder_id: UUID
    first: date
    last: date
    page: int
    fresh: bool = False

    def data(self) -> str:
        span = packed_days(self.first, self.last)
        fresh = ":new" if self.fresh else ""
        return f"paid:{packed_holder(self.holder, self.holder_id)}:{span}:{self.page}{fresh}"


@dataclass(frozen=True, slots=True)
class OtherVouchers(Button):
    """The same of other days."""

    holder: HolderKind
    holder_id: UUID
    days: Relative

    def data(self) -> str:
        return f"paid:{packed_holder(self.holder, self.holder_id)}:{self.days}"


@dataclass(frozen=True, slots=True)
class TurnCompleted(Button):
    """Another page of a merchant's orders that were completed by hand, as the merchant may read
    it. fresh: beside the message that carries the button."""

    merchant_id: UUID
    first: date
    last: date
    page: int
    fresh: bool = False

    def data(self) -> str:
        span = packed_days(self.first, self.last)
        fresh = ":new" if self.fresh else ""
        return f"done:{short(self.merchant_id)}:{span}:{self.page}{fresh}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["paid", whose, days]:
            holder, holder_id, _ = read_holder(whose)
            return OtherVouchers(holder, holder_id, read_relative(days))
        case ["paid", whose, span, page, *fresh] if fresh in ([], ["new"]):
            holder, holder_id, _ = read_holder(whose)
            first, last = read_days(span)
            return TurnVouchers(holder, holder_id, first, last, read_page(page), bool(fresh))
        case ["done", merchant_id, span, page, *fresh] if fresh in ([], ["new"]):
            first, last = read_days(span)
            return TurnCompleted(long(merchant_id), first, last, read_page(page), bool(fresh))
    return None
