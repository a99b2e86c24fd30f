"""The buttons of colleagues: at most 64 bytes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from core.people.people import RIGHTS, STAFF_ROLES, Change
from handlers.kit.buttons import Button, long, short, whole

PersonAction = Literal["open", "role", "allow", "deny", "leave"]
_MAX_PAGE: Final = 1000
_MAX_ID: Final = 2**52
_SEEN_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class TurnPeople(Button):
    """Another page of the colleagues."""

    page: int

    def data(self) -> str:
        return f"pps:{self.page}"


@dataclass(frozen=True, slots=True)
class OnPerson(Button):
    """Open a card, or ask which role or right it is to be, or whether somebody leaves."""

    user_id: int
    action: PersonAction

    def data(self) -> str:
        return f"pp:{self.action}:{self.user_id}"


@dataclass(frozen=True, slots=True)
class MakePerson(Button):
    """Change a person. seen: how that person stood when the button was made."""

    user_id: int
    change: Change
    seen: str

    def data(self) -> str:
        return f"ppto:{self.change.what}:{self.change.word}:{self.user_id}:{self.seen}"


@dataclass(frozen=True, slots=True)
class HireAs(Button):
    """Make a link for a role; without one, ask for which."""

    role: str = ""

    def data(self) -> str:
        return f"hire:{self.role}"


@dataclass(frozen=True, slots=True)
class EndLink(Button):
    """End a link that nobody opened yet."""

    invitation_id: UUID

    def data(self) -> str:
        return f"hirex:{short(self.invitation_id)}"


def read(parts: list[str]) -> Button | None:
    """The button of these parts; None for one that is not ours. Raises ValueError likewise."""
    match parts:
        case ["pps", page]:
            return TurnPeople(whole(page, 1, _MAX_PAGE))
        case ["pp", action, user_id] if action in get_args(PersonAction):
            return OnPerson(whole(user_id, 1, _MAX_ID), action)  # type: ignore[arg-type]  # asked above
        case ["ppto", what, word, user_id, seen] if len(seen) == _SEEN_CHARS:
            change = _change(what, word)
            return MakePerson(whole(user_id, 1, _MAX_ID), change, seen) if change else None
        case ["hirex", invitation_id]:
            return EndLink(long(invitation_id))
        case ["hire", role] if role in ("", *STAFF_ROLES):
            return HireAs(role)
    return None


def _change(what: str, word: str) -> Change | None:
    match what:
        case "role" if word in STAFF_ROLES:
            return Change("role", word)
        case "allow" | "deny" if word in RIGHTS:
            return Change(what, word)
        case "leave" if not word:
            return Change("leave")
    return None
