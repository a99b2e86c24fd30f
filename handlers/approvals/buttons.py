"""The buttons under what waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.kit.buttons import Button, long, short


@dataclass(frozen=True, slots=True)
class AnswerApproval(Button):
    """Approve (yes), or reject; where it was asked, take it back."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"approve:{'yes' if self.yes else 'no'}:{short(self.approval_id)}"


@dataclass(frozen=True, slots=True)
class OpenApproval(Button):
    """Have the card of a question posted anew."""

    approval_id: UUID

    def data(self) -> str:
        return f"approve:open:{short(self.approval_id)}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["approve", "yes" | "no" as answer, approval_id]:
            return AnswerApproval(long(approval_id), answer == "yes")
        case ["approve", "open", approval_id]:
            return OpenApproval(long(approval_id))
    return None
