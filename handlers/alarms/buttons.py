"""The buttons under alarms: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class OnAlarm(Button):
    """Under an alarm: show what it goes by, or send again what could not be sent."""

    alarm_id: UUID
    action: Literal["evidence", "again"]

    def data(self) -> str:
        return f"alarm:{self.action}:{self.alarm_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["alarm", "evidence" | "again" as action, alarm_id]:
            return OnAlarm(UUID(hex=alarm_id), action)
    return None
