"""The buttons under the settings: switches, and the list once more."""

from __future__ import annotations

from dataclasses import dataclass

from core.people.desk_settings import SETTINGS
from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class RefreshSettings(Button):
    """The list as it is now."""

    def data(self) -> str:
        return "settings"


@dataclass(frozen=True, slots=True)
class TurnSwitch(Button):
    """Switch a setting on or off."""

    name: str
    on: bool

    def data(self) -> str:
        return f"setting:{self.name}:{'on' if self.on else 'off'}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these."""
    match parts:
        case ["settings"]:
            return RefreshSettings()
        case ["setting", name, "on" | "off" as wanted] if name in SETTINGS:
            return TurnSwitch(name, wanted == "on")
    return None
