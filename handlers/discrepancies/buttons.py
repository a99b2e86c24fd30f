"""The buttons under money in suspense: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from handlers.kit.buttons import Button, read_page


@dataclass(frozen=True, slots=True)
class TurnDiscrepancies(Button):
    """Another page of what is in suspense. merchant_id: of one merchant alone. test: of test
    orders."""

    page: int
    merchant_id: UUID | None = None
    test: bool = False

    def data(self) -> str:
        whose = self.merchant_id.hex if self.merchant_id else ""
        return f"differ:page:{self.page}:{whose}{':test' if self.test else ''}"


@dataclass(frozen=True, slots=True)
class OpenDiscrepancies(Button):
    """What a merchant has in suspense, in reply to what carries the button."""

    merchant_id: UUID

    def data(self) -> str:
        return f"differ:list:{self.merchant_id.hex}"


@dataclass(frozen=True, slots=True)
class OnDiscrepancy(Button):
    """Open a discrepancy's card, or ask to do one of the things its card offers."""

    discrepancy_id: UUID
    action: Literal["open", "refund_payer", "credit_merchant", "complete"]

    def data(self) -> str:
        return f"differ:{self.action}:{self.discrepancy_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerResolution(Button):
    """Confirm what becomes of a discrepancy (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"resolve:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["differ", "page", page, merchant_id, *test] if test in ([], ["test"]):
            whose = UUID(hex=merchant_id) if merchant_id else None
            return TurnDiscrepancies(read_page(page), whose, bool(test))
        case ["differ", "list", merchant_id]:
            return OpenDiscrepancies(UUID(hex=merchant_id))
        case ["differ", action, discrepancy_id]:
            return _on_discrepancy(action, UUID(hex=discrepancy_id))
        case ["resolve", "yes" | "no" as answer, approval_id]:
            return AnswerResolution(UUID(hex=approval_id), answer == "yes")
    return None


def _on_discrepancy(action: str, discrepancy_id: UUID) -> Button | None:
    match action:
        case "open" | "refund_payer" | "credit_merchant" | "complete":
            return OnDiscrepancy(discrepancy_id, action)
    return None
