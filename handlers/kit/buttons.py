"""What buttons carry: at most 64 bytes, ids and nothing that could be believed unchecked.

A button authorises nothing: who pressed it is asked for the right, and what it names is looked up
among what that person may see there. Each topic has its own buttons; here is what they are made of.
"""

from __future__ import annotations

import base64
import binascii
from abc import abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from core.kernel.holder import HOUSE
from core.kernel.money import EXPONENTS
from core.people.actors import Actor

MAX_BYTES: Final = 64
MAX_PAGE: Final = 100_000
_MAX_TURN: Final = 10**6

HolderKind = Literal["m", "s", "p"]


class Button:
    """Something to press. A frozen dataclass each."""

    __slots__ = ()

    @abstractmethod
    def data(self) -> str:
        """What it carries; the reader of its topic reads it back."""

    def welcomes(self, stranger: Actor) -> bool:
        """Whether somebody whom nobody here knows may press it where they are."""
        return False


@dataclass(frozen=True, slots=True)
class InDialogue(Button):
    """An answer that is pressed. turn: of the question, 0 for what fits any. choice: a word of
    ours (`cancel`, `skip`, `propose`, …), or the place of an option."""

    dialogue_id: str
    turn: int
    choice: str

    def data(self) -> str:
        return f"talk:{short(UUID(hex=self.dialogue_id))}:{self.turn}:{self.choice}"


def read(parts: list[str]) -> Button | None:
    """The button of dialogues that carries these parts; None for none. It may raise ValueError."""
    match parts:
        case ["talk", dialogue_id, turn, choice]:
            return InDialogue(long(dialogue_id).hex, whole(turn, 0, _MAX_TURN), choice)
    return None


def short(value: UUID) -> str:
    """An id in 22 characters."""
    return base64.urlsafe_b64encode(value.bytes).rstrip(b"=").decode()


def long(text: str) -> UUID:
    """The id of 22 characters. Raises ValueError."""
    try:
        return UUID(bytes=base64.b64decode(text + "==", altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError(text) from error


def whole(text: str, least: int, most: int) -> int:
    """A number within bounds. Raises ValueError."""
    number = int(text)
    if not least <= number <= most:
        raise ValueError(text)
    return number


def packed_holder(holder: HolderKind, holder_id: UUID, currency: str | None = None) -> str:
    """There is one platform: in the place of its id stands the currency of its books."""
    return f"p{currency or ''}" if holder == "p" else holder + short(holder_id)


def read_holder(text: str) -> tuple[HolderKind, UUID, str | None]:
    """(merchant, supplier or platform; its id; the currency of the platform). Raises ValueError."""
    kind, rest = text[:1], text[1:]
    if kind == "p" and (not rest or rest in EXPONENTS):
        return "p", HOUSE, rest or None
    match kind:
        case "m" | "s":
            return kind, long(rest), None
    raise ValueError(text)


def packed_days(first: date, last: date) -> str:
    return f"{first:%Y%m%d}-{last:%Y%m%d}"


def read_days(text: str) -> tuple[date, date]:
    """The first and the last day. Raises ValueError."""
    first, _, last = text.partition("-")
    return _date(first), _date(last)


def read_page(text: str) -> int:
    """The number of a page. Raises ValueError."""
    return whole(text, 1, MAX_PAGE)


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
