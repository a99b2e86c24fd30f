"""What buttons carry: at most 64 bytes, ids and nothing that could be believed unchecked.

A button authorises nothing: who pressed it is asked for the right, and what it names is looked up
among what that person may see there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

MAX_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class UndoPrepayment:
    prepayment_id: UUID

    def data(self) -> str:
        return f"undo:{self.prepayment_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerCompletion:
    """Confirm a completion (yes), or drop it."""

    confirmation_id: UUID
    yes: bool

    def data(self) -> str:
        return f"complete:{'yes' if self.yes else 'no'}:{self.confirmation_id.hex}"


@dataclass(frozen=True, slots=True)
class OnCard:
    """A button of an order's card."""

    order_id: UUID
    action: Literal["ask", "complete", "notify"]

    def data(self) -> str:
        return f"card:{self.action}:{self.order_id.hex}"


@dataclass(frozen=True, slots=True)
class TurnBill:
    """Another day of a bill. fresh: posted anew, for the live bill stays what it is."""

    merchant_id: UUID
    day: date | Literal["today", "yesterday"]
    fresh: bool = False

    def data(self) -> str:
        day = self.day.strftime("%Y%m%d") if isinstance(self.day, date) else self.day
        return f"bill:{self.merchant_id.hex}:{day}" + (":new" if self.fresh else "")


@dataclass(frozen=True, slots=True)
class AnswerUnbind:
    """Take the bindings off a group (yes), or not. Only for who asked, for a few minutes."""

    user_id: int
    asked_at_s: int
    yes: bool

    def data(self) -> str:
        return f"unbind:{'yes' if self.yes else 'no'}:{self.user_id}:{self.asked_at_s}"


Button = UndoPrepayment | AnswerCompletion | OnCard | TurnBill | AnswerUnbind


def read_button(data: str) -> Button | None:
    """The button that carries this data; None for one that is not ours."""
    try:
        return _read(data.split(":"))
    except ValueError:
        return None


def _read(parts: list[str]) -> Button | None:
    match parts:
        case ["undo", prepayment_id]:
            return UndoPrepayment(UUID(hex=prepayment_id))
        case ["complete", "yes" | "no" as answer, confirmation_id]:
            return AnswerCompletion(UUID(hex=confirmation_id), answer == "yes")
        case ["card", "ask" | "complete" | "notify" as action, order_id]:
            return OnCard(UUID(hex=order_id), action)
        case ["bill", merchant_id, day]:
            return TurnBill(UUID(hex=merchant_id), _day(day))
        case ["bill", merchant_id, day, "new"]:
            return TurnBill(UUID(hex=merchant_id), _day(day), fresh=True)
        case ["unbind", "yes" | "no" as answer, user_id, asked_at_s]:
            return AnswerUnbind(int(user_id), int(asked_at_s), answer == "yes")
        case _:
            return None


def _day(text: str) -> date | Literal["today", "yesterday"]:
    match text:
        case "today":
            return "today"
        case "yesterday":
            return "yesterday"
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
