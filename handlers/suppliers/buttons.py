"""The buttons of suppliers: at most 64 bytes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.kit.buttons import Button, long, short, whole

SupplierAction = Literal[
    "open", "live", "off", "back", "versions", "keys", "name", "legal_name", "licence_no",
    "licence_expires_on", "settles_to",
]  # fmt: skip  # fmt: skip


_MAX_PAGE: Final = 1000
_MAX_PLACE: Final = 200
_SEEN_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class TurnSuppliers(Button):
    """Another page of the suppliers."""

    page: int

    def data(self) -> str:
        return f"sups:{self.page}"


@dataclass(frozen=True, slots=True)
class OpenSupplier(Button):
    """Begin to open a supplier."""

    def data(self) -> str:
        return "sup+"


@dataclass(frozen=True, slots=True)
class OnSupplier(Button):
    """Something to do with a supplier. seen: the version it used when the button was made, as
    `seen` writes it."""

    supplier_id: UUID
    action: SupplierAction
    seen: str = ""

    def data(self) -> str:
        return f"sup:{self.action}:{short(self.supplier_id)}:{self.seen}"


@dataclass(frozen=True, slots=True)
class SetCredential(Button):
    """Ask for one credential of a supplier. place: in the order of its document, from 0."""

    supplier_id: UUID
    place: int

    def data(self) -> str:
        return f"key:{short(self.supplier_id)}:{self.place}"


@dataclass(frozen=True, slots=True)
class SwitchSupplier(Button):
    """Switch a supplier to another version. sure: False only asks. seen: as in `OnSupplier`."""

    supplier_id: UUID
    document_id: UUID
    seen: str
    sure: bool = False

    def data(self) -> str:
        ids = f"{short(self.supplier_id)}:{short(self.document_id)}"
        return f"{'to' if self.sure else 'try'}:{ids}:{self.seen}"


def seen(document_id: UUID) -> str:
    """Enough of a document's id to notice that it is another one."""
    return document_id.hex[-_SEEN_CHARS:]


def read(parts: list[str]) -> Button | None:
    """The button of these parts; None for one that is not ours. Raises ValueError likewise."""
    match parts:
        case ["sups", page]:
            return TurnSuppliers(whole(page, 1, _MAX_PAGE))
        case ["sup+"]:
            return OpenSupplier()
        case ["sup", action, supplier_id, before] if action in get_args(SupplierAction):
            return OnSupplier(long(supplier_id), action, before)  # type: ignore[arg-type]  # asked above
        case ["key", supplier_id, place]:
            return SetCredential(long(supplier_id), whole(place, 0, _MAX_PLACE))
        case ["to" | "try" as verb, supplier_id, document_id, before]:
            return SwitchSupplier(long(supplier_id), long(document_id), before, verb == "to")
    return None
