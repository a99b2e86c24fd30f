"""Alarms as ops groups see them: what is wrong, how often it was seen, and when it was over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.kernel.money import Money
from core.people.alarms import Alarm
from core.people.ops import DeedNotice
from core.people.parked import ParkedMessage
from core.trade.orders import Sighting
from handlers.alarms.buttons import OnAlarm
from handlers.kit.screen import Screen, View, button, fill, keyboard
from texts import translator


@dataclass(frozen=True, slots=True)
class ParkedMessages(Notice):
    """What could not be sent to a chat, the newest first. chat: its title, or the person's."""

    chat: str
    zone: str
    lines: tuple[ParkedMessage, ...]


@dataclass(frozen=True, slots=True)
class Sightings(Notice):
    """All that a supplier said under a payment number, the oldest first. together: what the
    amounts come to, where that is just what the order asks for."""

    supplier_no: str
    upstream_no: str
    zone: str
    lines: tuple[Sighting, ...]
    together: Money | None


@dataclass(frozen=True, slots=True)
class ParkedAlarm:
    """What ops groups are told of an update that was given up. chat: its title. fault: the name of
    what went wrong; what it says may hold what people wrote."""

    chat: str
    update_id: int
    tries: int
    fault: str


@dataclass(frozen=True, slots=True)
class UpdateParked(Notice):
    """What somebody said or pressed was given up. records: what was booked before, by number.
    unread: nobody could read it. alarm: where ops groups are told, else None."""

    records: tuple[str, ...]
    pressed: bool
    unread: bool
    alarm: ParkedAlarm | None = None


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DeedNotice, shortens="deeds"),
    View(ParkedMessages),
    View(Sightings),
    View(UpdateParked),
)


def sent_again(count: int, language: str) -> str:
    """The short plain text that answers whoever has so many messages sent again."""
    text = translator(language).ngettext(
        "%(count)s message is being sent again.", "%(count)s messages are being sent again.", count
    )
    return text % {"count": count}


_Buttons = Callable[[Alarm, NullTranslations], InlineKeyboardMarkup | None]


def _evidence(alarm: Alarm, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Leads to what the alarm goes by."""
    return keyboard((button(translate.gettext("🔎 Evidence"), OnAlarm(alarm.id, "evidence")),))


def _parked(alarm: Alarm, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Leads to the messages, and has them sent again while they wait for it."""
    show = button(translate.gettext("🔎 Evidence"), OnAlarm(alarm.id, "evidence"))
    again = button(translate.gettext("📨 Send again"), OnAlarm(alarm.id, "again"))
    return keyboard((show, again) if alarm.state == "standing" else (show,))


# Every kind of alarm, with what makes its buttons. The template `alarm_<kind>` says what is wrong,
# from the alarm's facts; how often and since when is the same for all.
ALARMS: Final[dict[str, _Buttons | None]] = {
    "books": None,
    "callback": None,
    "clock": None,
    "contradiction": _evidence,
    "job": None,
    "logs": None,
    "parked": _parked,
    "refused": _evidence,
    "unreadable": None,
    "webhook": None,
}


def render_alarm(alarm: Alarm, zone: str, language: str) -> Screen:
    """The message of an alarm as it stands. zone: of its times."""
    buttons = ALARMS[alarm.kind]
    seen = {
        "state": alarm.state,
        "count": alarm.count,
        "first_at": alarm.first_at,
        "last_at": alarm.last_at,
        "ended_at": alarm.ended_at,
        "zone": zone,
    }
    html = "\n".join(
        (
            fill(f"alarm_{alarm.kind}", alarm.facts | {"zone": zone}, language),
            fill("alarm", seen, language),
        )
    )
    return Screen(html, keyboard=buttons(alarm, translator(language)) if buttons else None)
