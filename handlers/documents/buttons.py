"""The buttons of connector documents: at most 64 bytes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from handlers.kit.buttons import Button, long, short

DocumentAction = Literal["open", "approve", "reject", "diff", "text", "withdraw"]


@dataclass(frozen=True, slots=True)
class OnDocument(Button):
    """Something to do with a version of a document."""

    document_id: UUID
    action: DocumentAction

    def data(self) -> str:
        return f"doc:{self.action}:{short(self.document_id)}"


@dataclass(frozen=True, slots=True)
class FromLibrary(Button):
    """Look at a document that comes with the desk; without a code: at the list of them."""

    code: str = ""

    def data(self) -> str:
        return f"lib:{self.code}"


@dataclass(frozen=True, slots=True)
class SendDocument(Button):
    """Begin to send a document of one's own."""

    def data(self) -> str:
        return "lib+"


def read(parts: list[str]) -> Button | None:
    """The button of these parts; None for one that is not ours. Raises ValueError likewise."""
    match parts:
        case ["doc", action, document_id] if action in get_args(DocumentAction):
            return OnDocument(long(document_id), action)  # type: ignore[arg-type]  # asked above
        case ["lib", code]:
            return FromLibrary(code)
        case ["lib+"]:
            return SendDocument()
    return None
