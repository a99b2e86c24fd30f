"""The buttons of test orders: what they carry, in at most 64 bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.trade.trials import STEPS, Step
from handlers.kit.buttons import Button, long, read_page, short

_VALUE: Final = re.compile(r"[A-Za-z0-9_]{1,33}", re.ASCII)
# The place of a step, in one character.
_STEPS: Final[dict[str, Step]] = {
    str(place): step for place, step in enumerate(STEPS) if step != "confirm"
}
_PLACES: Final = {step: place for place, step in _STEPS.items()}


@dataclass(frozen=True, slots=True)
class OpenTrial(Button):
    """Begin to make a test order."""

    def data(self) -> str:
        return "trial+"


@dataclass(frozen=True, slots=True)
class ChooseForTrial(Button):
    """Tell one thing of a test order. value: as `TrialOption` has it."""

    approval_id: UUID
    step: Step
    value: str

    def data(self) -> str:
        return f"trial:{short(self.approval_id)}:{_PLACES[self.step]}:{self.value}"


@dataclass(frozen=True, slots=True)
class TurnTrial(Button):
    """Another page of what may be chosen."""

    approval_id: UUID
    page: int

    def data(self) -> str:
        return f"trial:{short(self.approval_id)}:page:{self.page}"


@dataclass(frozen=True, slots=True)
class AnswerTrial(Button):
    """Make the order that was shown (yes), or think better of it."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"trial:{short(self.approval_id)}:{'yes' if self.yes else 'no'}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["trial+"]:
            return OpenTrial()
        case ["trial", approval_id, "yes" | "no" as answer]:
            return AnswerTrial(long(approval_id), answer == "yes")
        case ["trial", approval_id, "page", page]:
            return TurnTrial(long(approval_id), read_page(page))
        case ["trial", approval_id, place, value] if place in _STEPS and _VALUE.fullmatch(value):
            return ChooseForTrial(long(approval_id), _STEPS[place], value)
    return None
