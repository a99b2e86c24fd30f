"""Alarms as ops groups see them: what is wrong, how often it was seen, and when it was over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.kernel.money import Money
from core.people.alarms import Alarm, Trouble
from core.people.factors import AlarmFactor
from core.people.ops import DeedNotice
from core.people.parked import AlarmParked, ParkedMessage
from core.reports.instance import AlarmClock
from core.reports.ticks import AlarmJob
from core.reports.verify import AlarmBooks
from core.supply.market import AlarmMarket
from core.trade.callbacks import AlarmCallback, AlarmRefused
from core.trade.orders import AlarmContradiction, Sighting
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
class ParkedUpdate:
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
    alarm: ParkedUpdate | None = None


@dataclass(frozen=True, slots=True)
class AlarmLogs(Trouble):
    """The log of one desk cannot be written. instance: its name. lines: how many are lost."""

    instance: str
    lines: int


@dataclass(frozen=True, slots=True)
class AlarmUnreadable(Trouble):
    """An update from Telegram could not be read. update_kind: Telegram's name of what it is."""

    update_kind: str
    chat: str
    update_id: int
    fault: str


@dataclass(frozen=True, slots=True)
class AlarmWebhook(Trouble):
    """Somebody took Telegram's updates away from this desk. host: where they went."""

    host: str


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DeedNotice, shortens="deeds"),
    View(ParkedMessages),
    View(Sightings),
    View(UpdateParked),
)

# Every kind of alarm. Its template says what is wrong, from the trouble; how often and since when
# is the same for all.
_TROUBLES: Final[tuple[View[Any], ...]] = (
    View(AlarmBooks),
    View(AlarmCallback),
    View(AlarmClock),
    View(AlarmContradiction),
    View(AlarmFactor),
    View(AlarmJob),
    View(AlarmLogs),
    View(AlarmMarket),
    View(AlarmParked),
    View(AlarmRefused),
    View(AlarmUnreadable),
    View(AlarmWebhook),
)
ALARMS: Final[Mapping[str, View[Any]]] = {view.notice.kind(): view for view in _TROUBLES}


def sent_again(count: int, language: str) -> str:
    """The short plain text that answers whoever has so many messages sent again."""
    text = translator(language).ngettext(
        "%(count)s message is being sent again.", "%(count)s messages are being sent again.", count
    )
    return text % {"count": count}


def trouble_of(alarm: Alarm) -> Trouble:
    """What is wrong, as the dataclass of its kind."""
    trouble: Trouble = alarm.trouble(ALARMS[alarm.kind].notice)
    return trouble


def render_alarm(alarm: Alarm, zone: str, language: str) -> Screen:
    """The message of an alarm as it stands. zone: of its times."""
    seen = {
        "state": alarm.state,
        "count": alarm.count,
        "first_at": alarm.first_at,
        "last_at": alarm.last_at,
        "ended_at": alarm.ended_at,
        "zone": zone,
    }
    wrong = ALARMS[alarm.kind].render(trouble_of(alarm), language).html
    html = "\n".join((wrong, fill("alarm", seen, language)))
    return Screen(html, keyboard=_buttons(alarm, translator(language)))


def _buttons(alarm: Alarm, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What leads to what the alarm goes by, and has messages sent again while they wait for it."""
    show = button(translate.gettext("🔎 Evidence"), OnAlarm(alarm.id, "evidence"))
    again = button(translate.gettext("📨 Send again"), OnAlarm(alarm.id, "again"))
    match trouble_of(alarm):
        case AlarmParked() if alarm.state == "standing":
            return keyboard((show, again))
        case AlarmParked() | AlarmContradiction() | AlarmRefused():
            return keyboard((show,))
        case _:
            return None
