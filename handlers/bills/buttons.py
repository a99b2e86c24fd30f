"""The buttons under prepayments: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
        case ["paid", whose, span, page]:
            holder, holder_id, _ = read_holder(whose)
            return TurnVouchers(holder, holder_id, *read_days(span), read_page(page))
    return None
