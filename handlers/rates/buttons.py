"""The buttons under a rerating: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class AnswerRerating(Button):
    """Confirm that past orders are charged anew (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"rerate:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["rerate", "yes" | "no" as answer, approval_id]:
            return AnswerRerating(UUID(hex=approval_id), answer == "yes")
    return None
