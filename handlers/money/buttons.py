"""The buttons under receipts of money, and under what may be a slip.

They carry at most 64 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class UndoVoucher(Button):
    """Take back what a receipt tells of: a prepayment, an adjustment, a pay-in."""

    voucher_id: UUID

    def data(self) -> str:
        return f"undo:{self.voucher_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerSlip(Button):
    """What may be a slip is meant (yes), or is dropped."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"slip:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["undo", voucher_id]:
            return UndoVoucher(UUID(hex=voucher_id))
        case ["slip", "yes" | "no" as answer, approval_id]:
            return AnswerSlip(UUID(hex=approval_id), answer == "yes")
    return None
