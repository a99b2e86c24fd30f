"""The buttons that begin an enrolment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class Enrol(Button):
    """Begin with an authenticator app, or with a password."""

    kind: Literal["totp", "password"]

    def data(self) -> str:
        return f"factor:{self.kind}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these."""
    match parts:
        case ["factor", "totp" | "password" as kind]:
            return Enrol(kind)
    return None
