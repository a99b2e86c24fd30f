"""The buttons of documents, suppliers and private dialogues: at most 64 bytes each."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

DocumentAction = Literal["open", "approve", "reject", "diff", "text", "withdraw"]
SupplierAction = Literal[
    "open", "live", "off", "back", "versions", "keys", "name", "legal_name", "licence_no",
    "licence_expires_on", "settles_to",
]  # fmt: skip

_MAX_PAGE: Final = 1000
_MAX_PLACE: Final = 200
_SEEN_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class OnDocument:
    """Something to do with a version of a document."""

    document_id: UUID
    action: DocumentAction

    def data(self) -> str:
        return f"doc:{self.action}:{_short(self.document_id)}"


@dataclass(frozen=True, slots=True)
class FromLibrary:
    """Look at a document that comes with the desk; without a code: at the list of them."""

    code: str = ""

    def data(self) -> str:
        return f"lib:{self.code}"


@dataclass(frozen=True, slots=True)
class SendDocument:
    """Begin to send a document of one's own."""

    def data(self) -> str:
        return "lib+"


@dataclass(frozen=True, slots=True)
class TurnSuppliers:
    """Another page of the suppliers."""

    page: int

    def data(self) -> str:
        return f"sups:{self.page}"


@dataclass(frozen=True, slots=True)
class OpenSupplier:
    """Begin to open a supplier."""

    def data(self) -> str:
        return "sup+"


@dataclass(frozen=True, slots=True)
class OnSupplier:
    """Something to do with a supplier. seen: the version it used when the button was made, as
    `seen` writes it."""

    supplier_id: UUID
    action: SupplierAction
    seen: str = ""

    def data(self) -> str:
        return f"sup:{self.action}:{_short(self.supplier_id)}:{self.seen}"


@dataclass(frozen=True, slots=True)
class SetCredential:
    """Ask for one credential of a supplier. place: in the order of its document, from 0."""

    supplier_id: UUID
    place: int

    def data(self) -> str:
        return f"key:{_short(self.supplier_id)}:{self.place}"


@dataclass(frozen=True, slots=True)
class SwitchSupplier:
    """Switch a supplier to another version. sure: False only asks. seen: as in `OnSupplier`."""

    supplier_id: UUID
    document_id: UUID
    seen: str
    sure: bool = False

    def data(self) -> str:
        ids = f"{_short(self.supplier_id)}:{_short(self.document_id)}"
        return f"{'to' if self.sure else 'try'}:{ids}:{self.seen}"


@dataclass(frozen=True, slots=True)
class InDialogue:
    """An answer that is pressed. turn: of the question, 0 for what fits any. choice: a word of
    ours (`cancel`, `skip`, `propose`, …), or the place of an option."""

    dialogue_id: str
    turn: int
    choice: str

    def data(self) -> str:
        return f"talk:{_short(UUID(hex=self.dialogue_id))}:{self.turn}:{self.choice}"


SupplierButton = (
    OnDocument | FromLibrary | SendDocument | TurnSuppliers | OpenSupplier | OnSupplier
    | SetCredential | SwitchSupplier | InDialogue
)  # fmt: skip


def seen(document_id: UUID) -> str:
    """Enough of a document's id to notice that it is another one."""
    return document_id.hex[-_SEEN_CHARS:]


def read_supplier_button(parts: list[str]) -> SupplierButton | None:
    """The button of these parts; None for one that is not ours. Raises ValueError likewise."""
    match parts:
        case ["doc", action, document_id] if action in get_args(DocumentAction):
            return OnDocument(_long(document_id), action)  # type: ignore[arg-type]  # asked above
        case ["lib", code]:
            return FromLibrary(code)
        case ["lib+"]:
            return SendDocument()
        case ["sups", page]:
            return TurnSuppliers(_whole(page, 1, _MAX_PAGE))
        case ["sup+"]:
            return OpenSupplier()
        case ["sup", action, supplier_id, before] if action in get_args(SupplierAction):
            return OnSupplier(_long(supplier_id), action, before)  # type: ignore[arg-type]  # asked above
        case ["key", supplier_id, place]:
            return SetCredential(_long(supplier_id), _whole(place, 0, _MAX_PLACE))
        case ["to" | "try" as verb, supplier_id, document_id, before]:
            return SwitchSupplier(_long(supplier_id), _long(document_id), before, verb == "to")
        case ["talk", dialogue_id, turn, choice]:
            return InDialogue(_long(dialogue_id).hex, _whole(turn, 0, 10**6), choice)
        case _:
            return None


def _short(value: UUID) -> str:
    return base64.urlsafe_b64encode(value.bytes).rstrip(b"=").decode()


def _long(text: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(text + "==", altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError(text) from error


def _whole(text: str, least: int, most: int) -> int:
    number = int(text)
    if not least <= number <= most:
        raise ValueError(text)
    return number
