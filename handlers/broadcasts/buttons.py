"""The buttons of broadcasts: at most 64 bytes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.kit.buttons import Button, long, read_page, short, whole

BroadcastAction = Literal[
    "open", "all", "merchants", "suppliers", "pick", "search", "pin", "unpin", "time", "now",
    "test", "send", "drop", "stop", "retry", "withdraw", "sure", "results", "file",
]  # fmt: skip
# So much of what is looked for fits into a button.
MAX_SEARCH_BYTES: Final = 18
_MAX_NO: Final = 10**9 - 1


@dataclass(frozen=True, slots=True)
class OnBroadcast(Button):
    """Something to do with a broadcast."""

    broadcast_id: UUID
    action: BroadcastAction

    def data(self) -> str:
        return f"bc:{self.action}:{short(self.broadcast_id)}"


@dataclass(frozen=True, slots=True)
class TurnBroadcasts(Button):
    """Another page of all broadcasts."""

    page: int

    def data(self) -> str:
        return f"bcs:{self.page}"


@dataclass(frozen=True, slots=True)
class TurnResults(Button):
    """Another page of what became of a broadcast in each chat."""

    broadcast_id: UUID
    page: int

    def data(self) -> str:
        return f"bcr:{short(self.broadcast_id)}:{self.page}"


@dataclass(frozen=True, slots=True)
class TurnTargets(Button):
    """Another page of the chats of which some are picked."""

    broadcast_id: UUID
    page: int
    search: str = ""

    def data(self) -> str:
        return f"bcp:{short(self.broadcast_id)}:{self.page}:{self.search}"


@dataclass(frozen=True, slots=True)
class PickTarget(Button):
    """Pick a chat, or leave it out again. no: as in G3. page, search: what is shown then."""

    broadcast_id: UUID
    no: int
    page: int
    search: str = ""

    def data(self) -> str:
        return f"bcc:{short(self.broadcast_id)}:{self.no}:{self.page}:{self.search}"


@dataclass(frozen=True, slots=True)
class AimAtSegment(Button):
    """A broadcast is for a segment. mark: of its name."""

    broadcast_id: UUID
    mark: str

    def data(self) -> str:
        return f"bcg:{short(self.broadcast_id)}:{self.mark}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["bc", action, broadcast_id] if action in get_args(BroadcastAction):
            return OnBroadcast(long(broadcast_id), action)  # type: ignore[arg-type]  # asked above
        case ["bcs", page]:
            return TurnBroadcasts(read_page(page))
        case ["bcr", broadcast_id, page]:
            return TurnResults(long(broadcast_id), read_page(page))
        case ["bcp", broadcast_id, page, *search]:
            return TurnTargets(long(broadcast_id), read_page(page), ":".join(search))
        case ["bcc", broadcast_id, no, page, *search]:
            return PickTarget(
                long(broadcast_id), whole(no, 1, _MAX_NO), read_page(page), ":".join(search)
            )
        case ["bcg", broadcast_id, mark]:
            return AimAtSegment(long(broadcast_id), mark)
    return None
