"""The buttons under cards of orders, and under what is done by hand.

They carry at most 64 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from handlers.kit.buttons import Button, long, packed_days, read_days, read_page, short

# What a button of a card does; `more` shows those that are not everybody's there.
Action = Literal["ask", "chase", "complete", "refund", "notify", "why", "log", "more"]
# The right that each takes.
RIGHT_FOR: Final[Mapping[Action, str]] = {
    "ask": "look_up", "chase": "chase", "complete": "complete", "refund": "refund",
    "notify": "renotify", "why": "see_channel", "log": "see_channel", "more": "look_up",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OnCard(Button):
    """A button of an order's card."""

    order_id: UUID
    action: Action

    def data(self) -> str:
        return f"card:{self.action}:{self.order_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerCompletion(Button):
    """Confirm a completion (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"complete:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerReversal(Button):
    """Confirm the reversal of a completion (yes), or drop it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"uncomplete:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class TurnCompletions(Button):
    """Another page of what was completed by hand on these days. merchant_id: of one alone. fresh:
    beside the message that carries the button."""

    first: date
    last: date
    page: int
    merchant_id: UUID | None = None
    fresh: bool = False

    def data(self) -> str:
        whose = short(self.merchant_id) if self.merchant_id else ""
        fresh = ":new" if self.fresh else ""
        return f"comps:{packed_days(self.first, self.last)}:{self.page}:{whose}{fresh}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["complete", "yes" | "no" as answer, approval_id]:
            return AnswerCompletion(UUID(hex=approval_id), answer == "yes")
        case ["uncomplete", "yes" | "no" as answer, approval_id]:
            return AnswerReversal(UUID(hex=approval_id), answer == "yes")
        case [
            "card",
            "ask" | "chase" | "complete" | "refund" | "notify" | "why" | "log" | "more" as action,
            order_id,
        ]:
            return OnCard(UUID(hex=order_id), action)
        case ["comps", span, page, whose, *fresh] if fresh in ([], ["new"]):
            merchant_id, (first, last) = long(whose) if whose else None, read_days(span)
            return TurnCompletions(first, last, read_page(page), merchant_id, bool(fresh))
    return None
