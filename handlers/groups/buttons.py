"""The buttons under the question whether a group is unbound.

They carry at most 64 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class AnswerUnbind(Button):
    """Take the bindings off a group (yes), or not.

    number: of the merchant or supplier that is taken off alone.
    """

    approval_id: UUID
    yes: bool
    number: str | None = None

    def data(self) -> str:
        one = "" if self.number is None else f":{self.number}"
        return f"unbind:{'yes' if self.yes else 'no'}:{self.approval_id.hex}{one}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["unbind", "yes" | "no" as answer, approval_id]:
            return AnswerUnbind(UUID(hex=approval_id), answer == "yes")
        case ["unbind", "yes", approval_id, number] if number.isalnum():
            return AnswerUnbind(UUID(hex=approval_id), True, number)
    return None
