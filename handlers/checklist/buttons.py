"""The buttons of the checklist: a step each, and the list as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from core.reports.checklist import Name
from handlers.checklist.words import TYPED
from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class OpenStep(Button):
    """How a step is done."""

    step: Name

    def data(self) -> str:
        return f"step:{self.step}"


@dataclass(frozen=True, slots=True)
class RefreshSteps(Button):
    """The list as it is now, in the same message."""

    def data(self) -> str:
        return "steps"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these."""
    match parts:
        case ["steps"]:
            return RefreshSteps()
        case ["step", name]:
            return next((OpenStep(step) for step in TYPED if step == name), None)
    return None
