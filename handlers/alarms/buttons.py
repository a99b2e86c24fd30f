"""The buttons under alarms, and under their list: what they carry, in at most 64 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.kit.buttons import Button, read_page

Care = Literal["open", "take", "close", "resume", "off", "know", "warn"]
_CARES: Final[dict[str, Care]] = {care: care for care in get_args(Care)}


@dataclass(frozen=True, slots=True)
class OnAlarm(Button):
    """Under an alarm: show what it goes by; send again what could not be sent, or give it up."""

    alarm_id: UUID
    action: Literal["evidence", "again", "drop"]

    def data(self) -> str:
        return f"alarm:{self.action}:{self.alarm_id.hex}"


@dataclass(frozen=True, slots=True)
class CareFor(Button):
    """Open an alarm of the list; see to it; say that it is over; take its channel up again or
    switch that off; say that a lookalike is known, or warn its group."""

    alarm_id: UUID
    care: Care

    def data(self) -> str:
        return f"alarm:{self.care}:{self.alarm_id.hex}"


@dataclass(frozen=True, slots=True)
class TurnAlarms(Button):
    """Another page of the alarms that stand, or the same one as it is now."""

    page: int

    def data(self) -> str:
        return f"alarms:{self.page}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["alarm", "evidence" | "again" | "drop" as action, alarm_id]:
            return OnAlarm(UUID(hex=alarm_id), action)
        case ["alarm", care, alarm_id] if care in _CARES:
            return CareFor(UUID(hex=alarm_id), _CARES[care])
        case ["alarms", page]:
            return TurnAlarms(read_page(page))
    return None
