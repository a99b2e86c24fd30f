"""The buttons of groups: at most 64 bytes each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.groups.words import MAX_SEARCH_BYTES, Deed, Language
from handlers.kit.buttons import Button, read_page, whole
from handlers.kit.grammar import HOLDERS, is_holder_no

GroupAction = Literal["open", "segments", "label", "zone", "quiet", "segment", "unbind", "leave"]
HolderKind = Literal["merchant", "supplier"]
_MAX_NO: Final = 10**9 - 1
_MARK_CHARS: Final = 10


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


@dataclass(frozen=True, slots=True)
class TurnGroups(Button):
    """Another page of what matches."""

    page: int
    search: str = ""

    def data(self) -> str:
        return f"grps:{self.page}:{self.search}"


@dataclass(frozen=True, slots=True)
class OnGroup(Button):
    """Something to do with a group; what cannot be undone asks first. no: as in G3."""

    no: int
    action: GroupAction

    def data(self) -> str:
        return f"grp:{self.action}:{self.no}"


@dataclass(frozen=True, slots=True)
class SpeakInGroup(Button):
    """What is spoken in a group."""

    no: int
    language: Language

    def data(self) -> str:
        return f"grpl:{self.no}:{self.language}"


@dataclass(frozen=True, slots=True)
class TurnSegment(Button):
    """Put a group into a segment, or take it out. mark: of the segment's name, which may be longer
    than a button carries."""

    no: int
    member: bool
    mark: str

    def data(self) -> str:
        return f"grps{'+' if self.member else '-'}:{self.no}:{self.mark}"


@dataclass(frozen=True, slots=True)
class SureOfGroup(Button):
    """Yes: take this one off a group, or all; or leave it. holder_no: '' for all. shown: the mark
    of those that were shown then, see `mark_of_all`."""

    no: int
    deed: Deed
    holder_no: str = ""
    shown: str = ""

    def data(self) -> str:
        return f"grp!:{self.deed}:{self.no}:{self.holder_no}:{self.shown}"


@dataclass(frozen=True, slots=True)
class MakeGroup(Button):
    """What the group becomes in which it is pressed; whose, is asked next."""

    kind: Literal["merchant", "supplier", "ops"]

    def data(self) -> str:
        return f"grpk:{self.kind}"


@dataclass(frozen=True, slots=True)
class TurnHolders(Button):
    """Another page of those whose a group may become. no: of the group."""

    no: int
    kind: HolderKind
    page: int

    def data(self) -> str:
        return f"grph:{self.no}:{self.kind}:{self.page}"


@dataclass(frozen=True, slots=True)
class BindGroup(Button):
    """A group becomes this merchant's or supplier's."""

    no: int
    holder_no: str

    def data(self) -> str:
        return f"grpb:{self.no}:{self.holder_no}"


@dataclass(frozen=True, slots=True)
class LinkGroup(Button):
    """A link that makes a group this merchant's or supplier's."""

    holder_no: str

    def data(self) -> str:
        return f"grpx:{self.holder_no}"


def mark_of(name: str) -> str:
    """What a button says instead of a name, as that of a segment."""
    return hashlib.sha256(name.lower().encode()).hexdigest()[:_MARK_CHARS]


def mark_of_all(numbers: Collection[str]) -> str:
    """What tells these merchants and suppliers from any others, in whatever order; '' of none."""
    return mark_of(",".join(sorted(numbers))) if numbers else ""


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["unbind", "yes" | "no" as answer, approval_id]:
            return AnswerUnbind(UUID(hex=approval_id), answer == "yes")
        case ["unbind", "yes", approval_id, number] if number.isalnum():
            return AnswerUnbind(UUID(hex=approval_id), True, number)
        case ["grps", page, *search]:
            found = ":".join(search)
            if len(found.encode()) <= MAX_SEARCH_BYTES:
                return TurnGroups(read_page(page), found)
        case ["grp", action, no] if action in get_args(GroupAction):
            return OnGroup(whole(no, 1, _MAX_NO), action)  # type: ignore[arg-type]  # asked above
        case ["grpl", no, "zh" | "en" as language]:
            return SpeakInGroup(whole(no, 1, _MAX_NO), language)
        case ["grps+" | "grps-" as verb, no, mark]:
            return TurnSegment(whole(no, 1, _MAX_NO), verb == "grps+", mark)
        case ["grpk", "merchant" | "supplier" | "ops" as kind]:
            return MakeGroup(kind)
        case ["grph", no, "merchant" | "supplier" as kind, page]:
            return TurnHolders(whole(no, 1, _MAX_NO), kind, read_page(page))
        case ["grpb", no, holder_no] if is_holder_no(holder_no, HOLDERS):
            return BindGroup(whole(no, 1, _MAX_NO), holder_no)
        case ["grpx", holder_no] if is_holder_no(holder_no, HOLDERS):
            return LinkGroup(holder_no)
        case ["grp!", "unbind" | "leave" as deed, no, holder_no, shown]:
            return SureOfGroup(whole(no, 1, _MAX_NO), deed, holder_no, shown)
    return None
