"""The button under the standing of the desk."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class RefreshStatus(Button):
    """As it is now, in the same message."""

    def data(self) -> str:
        return "status"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these."""
    return RefreshStatus() if parts == ["status"] else None
