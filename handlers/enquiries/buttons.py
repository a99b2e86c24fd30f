"""The buttons of enquiries. They carry at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.people.actors import Actor
from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class TakeEnquiry(Button):
    """I see to it: pressed by anybody in the supplier's group."""

    enquiry_id: UUID

    def data(self) -> str:
        return f"enquiry:take:{self.enquiry_id.hex}"

    def welcomes(self, stranger: Actor) -> bool:
        return stranger.in_suppliers_group


@dataclass(frozen=True, slots=True)
class PassEnquiry(Button):
    """Pass it on, now that its supplier has a group."""

    enquiry_id: UUID

    def data(self) -> str:
        return f"enquiry:pass:{self.enquiry_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["enquiry", "take", enquiry_id]:
            return TakeEnquiry(UUID(hex=enquiry_id))
        case ["enquiry", "pass", enquiry_id]:
            return PassEnquiry(UUID(hex=enquiry_id))
    return None
