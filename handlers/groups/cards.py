"""The list of groups and channels on the screen, the card of each, and what the card asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.groups import Health, Holder, Segment
from handlers.groups.buttons import (
    GroupAction,
    OnGroup,
    SpeakInGroup,
    SureOfGroup,
    TurnGroups,
    TurnSegment,
    mark_of,
    mark_of_all,
)
from handlers.groups.words import Deed
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import View, button, clip, in_rows, keyboard

MAX_SEGMENTS_SHOWN: Final = 30
_SEGMENT_CHARS: Final = 24
_HOLDERS: Final = 10
_Keyboard = InlineKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group or channel in the list. no: as in G3. members: None where Telegram never said."""

    no: int
    title: str
    kind: str
    type: str
    holders: tuple[Holder, ...]
    segments: tuple[str, ...]
    members: int | None
    may_pin: bool
    health: Health
    parked: int


@dataclass(frozen=True, slots=True)
class GroupsNotice(Notice):
    """A page of all groups and channels, or of what matches `search`."""

    search: str
    page: int
    pages: int
    total: int
    lines: tuple[GroupLine, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class GroupNotice(Notice):
    """Everything about one. bot_status: as Telegram calls it. zone: of its clocks; own_zone:
    whether it was set. topics: what has a topic of its own. added_by: a name, or a number of
    Telegram's. clocks: the zone of the times that are told."""

    line: GroupLine
    chat_id: int
    language: str
    label: str
    zone: str
    own_zone: bool
    quiet: str
    topics: tuple[str, ...]
    bot_status: str
    may_post: bool
    added_by: str
    sent_at: datetime | None
    heard_at: datetime | None
    clocks: str


@dataclass(frozen=True, slots=True)
class GroupSegments(Notice):
    """Into which segments a group is put. segments: all that there are."""

    no: int
    title: str
    chosen: tuple[str, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDeed(Notice):
    """Whether to do this with a group. holders: of whom it is taken off."""

    no: int
    title: str
    deed: Deed
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class GroupQuestion(StepQuestion):
    """What is set about a group is asked for; the step says what that is."""

    no: int
    title: str


def _list_buttons(listed: GroupsNotice, _: NullTranslations) -> _Keyboard:
    """Each group, and the pages before and after."""
    numbers = [button(f"G{line.no}", OnGroup(line.no, "open")) for line in listed.lines]
    turns = [
        button(arrow, TurnGroups(to, listed.search))
        for arrow, to in (("◀", listed.page - 1), ("▶", listed.page + 1))
        if 1 <= to <= listed.pages
    ]
    return keyboard(*in_rows(numbers, 4), tuple(turns))


def _card_buttons(shown: GroupNotice, translate: NullTranslations) -> _Keyboard:
    """What can be set, and done. A channel is spoken to by broadcasts alone."""
    line = shown.line

    def to(text: str, action: GroupAction, style: str | None = None) -> InlineKeyboardButton:
        return button(text, OnGroup(line.no, action), style=style)

    segments = to(translate.gettext("🏷 Segments"), "segments")
    quiet = to(translate.gettext("🌙 Quiet hours"), "quiet")
    zone = to(translate.gettext("🕘 Time zone"), "zone")
    leave = to(translate.gettext("🚪 Leave"), "leave", "danger")
    language = (
        button("🌐 English", SpeakInGroup(line.no, "en"))
        if shown.language == "zh"
        else button("🌐 中文", SpeakInGroup(line.no, "zh"))
    )
    refresh = to(translate.gettext("🔄 Refresh"), "open")
    if line.type == "channel":
        return keyboard((segments, language), (quiet, zone), (refresh, leave))
    label = to(translate.gettext("✏️ Word for prepayments"), "label")
    unbind = to(translate.gettext("🔓 Unbind"), "unbind", "danger")
    last = (unbind, leave) if line.kind != "unbound" else (leave,)
    return keyboard((segments, language), (quiet, zone), (label, refresh), last)


def _segment_buttons(shown: GroupSegments, translate: NullTranslations) -> _Keyboard:
    """In or out of each there is; another name is written."""
    chosen = {name.lower() for name in shown.chosen}
    names = [
        button(
            f"{'✅' if name.lower() in chosen else '⬜'} {clip(name, _SEGMENT_CHARS)}",
            TurnSegment(shown.no, name.lower() not in chosen, mark_of(name)),
        )
        for name in shown.segments[:MAX_SEGMENTS_SHOWN]
    ]
    new = button(translate.gettext("➕ Another segment"), OnGroup(shown.no, "segment"))
    return keyboard(*in_rows(names, 2), (new, _back(shown.no, translate)))


def _deed_buttons(asked: GroupDeed, translate: NullTranslations) -> _Keyboard:
    """Yes: of one or all, where several are bound; or back to the card."""
    back = _back(asked.no, translate)
    shown = mark_of_all([one.no for one in asked.holders])
    if asked.deed == "leave":
        yes = SureOfGroup(asked.no, "leave", shown=shown)
        return keyboard((button(translate.gettext("🚪 Leave"), yes, style="danger"), back))
    each = [
        button(one.no, SureOfGroup(asked.no, "unbind", one.no), style="danger")
        for one in asked.holders[:_HOLDERS]
    ]
    word = translate.pgettext("desk", "Unbind")
    if len(each) > 1:
        word = translate.gettext("All of them")
    every = button(word, SureOfGroup(asked.no, "unbind", shown=shown), style="danger")
    return keyboard(*in_rows(each if len(each) > 1 else [], 3), (every, back))


def _back(no: int, translate: NullTranslations) -> InlineKeyboardButton:
    return button(translate.gettext("↩ To the card"), OnGroup(no, "open"))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(GroupsNotice, buttons=_list_buttons),
    View(GroupNotice, buttons=_card_buttons),
    View(GroupSegments, buttons=_segment_buttons),
    View(GroupDeed, buttons=_deed_buttons),
    View(GroupQuestion, buttons=step_buttons),
)
