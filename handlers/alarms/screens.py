"""Alarms as ops groups see them: what is wrong, how often it was seen, and when it was over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup
from markupsafe import Markup

from core.accounts.credit import AlarmCredit
from core.delivery.outbox import Notice
from core.kernel.money import Money
from core.people.alarms import Alarm, Incident, StandingAlarms, Trouble
from core.people.factors import AlarmFactor
from core.people.lookalikes import AlarmLookalike, LookalikeWarning, StaffRenamed
from core.people.ops import DeedNotice
from core.people.parked import AlarmParked, ParkedMessage
from core.reports.instance import AlarmClock
from core.reports.ticks import AlarmJob
from core.reports.verify import AlarmBooks
from core.supply.channels import AlarmChannel
from core.supply.market import AlarmMarket
from core.trade.callbacks import AlarmCallback, AlarmRefused
from core.trade.notifications import AlarmExhausted
from core.trade.orders import AlarmContradiction, AlarmDiscrepancy, AlarmShortfall, Sighting
from core.trade.refunds import AlarmRefund
from handlers.alarms.buttons import CareFor, OnAlarm, TurnAlarms
from handlers.channels.buttons import OnChannel
from handlers.discrepancies.buttons import OpenDiscrepancies
from handlers.kit.screen import Row, Screen, View, button, fill, in_rows, keyboard
from handlers.refunds.buttons import OnRefund
from texts import translator

_IN_A_ROW: Final = 4


@dataclass(frozen=True, slots=True)
class ParkedMessages(Notice):
    """What could not be sent to a chat, the newest first. alarm_id: of the alarm that told so.
    chat: its title, or the person's."""

    alarm_id: UUID
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
class UpdateParked(Notice):
    """What somebody said or pressed was given up. records: what was booked before, by number.
    unread: nobody could read it."""

    records: tuple[str, ...]
    pressed: bool
    unread: bool


@dataclass(frozen=True, slots=True)
class AlarmUpdate(Incident):
    """An update was given up. chat: its title. fault: the name of what went wrong; what it says
    may hold what people wrote. Its subject is the chat's id."""

    chat: str
    update_id: int
    tries: int
    fault: str


@dataclass(frozen=True, slots=True)
class AlarmLogs(Trouble):
    """The log of one desk cannot be written. instance: its name. lines: how many are lost."""

    instance: str
    lines: int


@dataclass(frozen=True, slots=True)
class AlarmUnreadable(Incident):
    """An update from Telegram could not be read. update_kind: Telegram's name of what it is."""

    update_kind: str
    chat: str
    update_id: int
    fault: str


@dataclass(frozen=True, slots=True)
class AlarmWebhook(Trouble):
    """Somebody took Telegram's updates away from this desk. host: where they went."""

    host: str


@dataclass(frozen=True, slots=True)
class OneAlarm(Notice):
    """An alarm that somebody opened, as it stood then. zone: of its times."""

    alarm: Alarm
    zone: str


@dataclass(frozen=True, slots=True)
class AlarmsNotice(Notice):
    """A page of the alarms that stand."""

    standing: StandingAlarms
    zone: str


# Every kind of alarm. Its template says what is wrong, from the trouble; how often and since when
# is the same for all.
_TROUBLES: Final[tuple[View[Any], ...]] = (
    View(AlarmBooks),
    View(AlarmCallback),
    View(AlarmChannel),
    View(AlarmClock),
    View(AlarmContradiction),
    View(AlarmCredit),
    View(AlarmDiscrepancy),
    View(AlarmExhausted),
    View(AlarmFactor),
    View(AlarmJob),
    View(AlarmLogs),
    View(AlarmLookalike),
    View(AlarmMarket),
    View(AlarmParked),
    View(AlarmRefund),
    View(AlarmRefused),
    View(AlarmShortfall),
    View(AlarmUnreadable),
    View(AlarmUpdate),
    View(AlarmWebhook),
)
ALARMS: Final[Mapping[str, View[Any]]] = {view.notice.kind(): view for view in _TROUBLES}


def sent_again(count: int, language: str) -> str:
    """The short plain text that answers whoever has so many messages sent again."""
    text = translator(language).ngettext(
        "%(count)s message is being sent again.", "%(count)s messages are being sent again.", count
    )
    return text % {"count": count}


def given_up(count: int, language: str) -> str:
    """The short plain text that answers whoever gives up so many messages."""
    text = translator(language).ngettext(
        "%(count)s message is given up.", "%(count)s messages are given up.", count
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
        "ended_by_name": alarm.ended_by_name,
        "taken_by_name": alarm.taken_by_name,
        "taken_at": alarm.taken_at,
        "zone": zone,
    }
    html = "\n".join((_wrong(alarm, language), fill("alarm", seen, language)))
    return Screen(html, keyboard=_buttons(alarm, translator(language)))


def _wrong(alarm: Alarm, language: str) -> str:
    """What is wrong, as HTML; the first line says it in short."""
    return ALARMS[alarm.kind].render(trouble_of(alarm), language).html


def _buttons(alarm: Alarm, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What can be done about it, and who does it; of one that is over, only what it went by."""
    if alarm.state != "standing":
        return keyboard(_evidence(alarm, translate))
    take = button(translate.gettext("🙋 I'm on it"), CareFor(alarm.id, "take"), style="primary")
    close = button(translate.gettext("✅ Dealt with"), CareFor(alarm.id, "close"))
    return keyboard(
        (*_evidence(alarm, translate), *_remedies(alarm, translate)),
        (take,) if alarm.ends_itself else (take, close),
    )


def _evidence(alarm: Alarm, translate: NullTranslations) -> Row:
    """What leads to what the alarm goes by."""
    match trouble_of(alarm):
        case AlarmParked() | AlarmContradiction() | AlarmRefused():
            return (button(translate.gettext("🔎 Evidence"), OnAlarm(alarm.id, "evidence")),)
        case AlarmChannel(channel_no=channel_no):
            return (button(translate.gettext("🔎 Why"), OnChannel(channel_no, "open")),)
        case AlarmDiscrepancy(merchant_id=merchant_id):
            return (button(translate.gettext("📋 Decide"), OpenDiscrepancies(merchant_id)),)
        case _:
            return ()


def _remedies(alarm: Alarm, translate: NullTranslations) -> Row:
    """What puts it right, while it stands."""
    match trouble_of(alarm):
        case AlarmParked():
            return (button(translate.gettext("📨 Send again"), OnAlarm(alarm.id, "again")),)
        case AlarmChannel():
            return (
                button(translate.gettext("▶️ Resume"), CareFor(alarm.id, "resume")),
                button(translate.gettext("⏹ Switch off"), CareFor(alarm.id, "off")),
            )
        case AlarmLookalike():
            return (
                button(translate.gettext("👌 Known, ignore"), CareFor(alarm.id, "know")),
                button(translate.gettext("📣 Warn the group"), CareFor(alarm.id, "warn")),
            )
        case AlarmRefund(ends_by_itself=True, merchant_id=merchant_id, refund_id=refund_id):
            which = merchant_id, refund_id
            return (
                button(translate.gettext("✅ Refunded"), OnRefund(*which, "given")),
                button(translate.gettext("🚫 Not refunded"), OnRefund(*which, "not_given")),
            )
        case _:
            return ()


def _of_parked(shown: ParkedMessages, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What becomes of them: to give them up is offered where they are seen."""
    if not shown.lines:
        return None
    again = button(translate.gettext("📨 Send again"), OnAlarm(shown.alarm_id, "again"))
    drop = OnAlarm(shown.alarm_id, "drop")
    return keyboard((again, button(translate.gettext("🗑 Give up"), drop, style="danger")))


def _one(shown: OneAlarm, language: str) -> Mapping[str, Any]:
    return {"html": Markup(render_alarm(shown.alarm, shown.zone, language).html)}  # noqa: S704 (our own screen, escaped in itself)


def _titles(shown: AlarmsNotice, language: str) -> Mapping[str, Any]:
    """What is wrong, in one line for each."""
    firsts = [_wrong(alarm, language).split("\n", 1)[0] for alarm in shown.standing.lines]
    return {"titles": [Markup(first) for first in firsts]}  # noqa: S704 (the same)


def _turns(shown: AlarmsNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """A number for each, the pages before and after, and the same one anew."""
    at = shown.standing
    numbers = [
        button(str(number), CareFor(alarm.id, "open"))
        for number, alarm in enumerate(at.lines, start=at.first)
    ]
    turns = [
        button(arrow, TurnAlarms(to))
        for arrow, to in (("◀", at.page - 1), ("▶", at.page + 1))
        if 1 <= to <= at.pages
    ]
    again = button(translate.gettext("🔄 Refresh"), TurnAlarms(at.page))
    return keyboard(*in_rows(numbers, _IN_A_ROW), (*turns, again))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DeedNotice, shortens="deeds"),
    View(StaffRenamed),
    View(LookalikeWarning),
    View(ParkedMessages, buttons=_of_parked),
    View(Sightings),
    View(UpdateParked),
    View(OneAlarm, adds=_one, buttons=lambda shown, translate: _buttons(shown.alarm, translate)),
    View(AlarmsNotice, adds=_titles, buttons=_turns),
)
