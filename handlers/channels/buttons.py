"""The buttons of channels: what they carry, in at most 64 bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.channels.words import Move
from handlers.kit.buttons import Button

Action = Literal["open"] | Move

_MAX_PAGE: Final = 1000
_CHANNEL_NO: Final = re.compile(r"C[0-9]{2,9}", re.ASCII)
_ACTIONS: Final[dict[str, Action]] = {"open": "open", **{move: move for move in get_args(Move)}}
_FILTER: Final = re.compile(r"(S[0-9]{2,9})?:([a-z][a-z0-9_]{1,31})?(:a)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class OnChannel(Button):
    """Open a channel's card, or do with it what its card offers."""

    channel_no: str
    action: Action

    def data(self) -> str:
        return f"chan:{self.action}:{self.channel_no}"


@dataclass(frozen=True, slots=True)
class TurnChannels(Button):
    """Another page of the channels: of one supplier, of one product, or those archived."""

    page: int
    supplier_no: str | None = None
    product_code: str | None = None
    archived: bool = False

    def data(self) -> str:
        archived = ":a" if self.archived else ""
        return f"chans:{self.page}:{self.supplier_no or ''}:{self.product_code or ''}{archived}"


@dataclass(frozen=True, slots=True)
class MakeProduct(Button):
    """Begin to make a product."""

    def data(self) -> str:
        return "prod+"


@dataclass(frozen=True, slots=True)
class AnswerChannel(Button):
    """Add the channel that was shown (yes), or not."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"chadd:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["chan", action, channel_no] if action in _ACTIONS:
            return OnChannel(channel_no, _ACTIONS[action]) if _known(channel_no) else None
        case ["chans", page, *rest]:
            found = _FILTER.fullmatch(":".join(rest))
            if found is None or not 1 <= int(page) <= _MAX_PAGE:
                return None
            return TurnChannels(int(page), found[1], found[2], bool(found[3]))
        case ["prod+"]:
            return MakeProduct()
        case ["chadd", "yes" | "no" as answer, approval_id]:
            return AnswerChannel(UUID(hex=approval_id), answer == "yes")
    return None


def _known(channel_no: str) -> bool:
    return _CHANNEL_NO.fullmatch(channel_no) is not None
