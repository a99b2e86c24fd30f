"""A group on the screen: whose it is, what a new one still needs, and taking bindings off."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.groups import Holder, TopicLost
from handlers.groups.buttons import AnswerUnbind
from handlers.groups.words import Language, Setting
from handlers.kit.screen import View, button, keyboard

# A group of more holders is told to name the one.
_MAX_HOLDER_BUTTONS: Final = 30
_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Bound(Notice):
    """Whose a group is now. kind: of the group. no, name: of the merchant or supplier; empty for
    an ops group. new: False where it was so already."""

    kind: str
    no: str
    name: str
    new: bool
    actor_name: str


@dataclass(frozen=True, slots=True)
class BoundElsewhere(Notice):
    """A merchant or supplier has one more group. title: of the new one."""

    no: str
    name: str
    title: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class Checklist(Notice):
    """What a group still needs. admin, pins, reads_all: what the bot is and may do there."""

    kind: str
    bound: tuple[Holder, ...]
    admin: bool
    pins: bool
    reads_all: bool


@dataclass(frozen=True, slots=True)
class Info(Notice):
    """What a group is. label: what prepayments are called there."""

    kind: str
    title: str
    language: str
    label: str
    bound: tuple[Holder, ...]
    chat_id: int


@dataclass(frozen=True, slots=True)
class UnbindQuestionNotice(Notice):
    """Whether these are taken off a group. numbers: theirs. minutes: how long it waits."""

    approval_id: UUID
    bound: tuple[Holder, ...]
    numbers: tuple[str, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Unbound(Notice):
    """These were taken off a group. left: who is still bound."""

    bound: tuple[Holder, ...]
    left: tuple[Holder, ...]
    actor_name: str


@dataclass(frozen=True, slots=True)
class UnbindDropped(Notice):
    """A group stays bound to these."""

    bound: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class LanguageSet(Notice):
    """What is spoken in a group from now on."""

    language: Language


@dataclass(frozen=True, slots=True)
class GroupSettingSet(Notice):
    """What was set about a group. value: as people write it; empty where it was taken back.
    member: of a segment, whether the group is in it now; of a topic, whether it has one."""

    what: Setting
    value: str
    member: bool
    actor_name: str


def _unbind_buttons(
    asked: UnbindQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Each of several, or all of them; or none."""
    no = button(translate.pgettext("desk", "Cancel"), AnswerUnbind(asked.approval_id, yes=False))
    if len(asked.numbers) == 1:
        yes = AnswerUnbind(asked.approval_id, yes=True, number=asked.numbers[0])
        return keyboard((button(translate.pgettext("desk", "Unbind"), yes, style="danger"), no))
    each = [
        button(number, AnswerUnbind(asked.approval_id, yes=True, number=number), style="danger")
        for number in asked.numbers[:_MAX_HOLDER_BUTTONS]
    ]
    rows = [tuple(each[n : n + _IN_A_ROW]) for n in range(0, len(each), _IN_A_ROW)]
    word = (
        translate.gettext("All of them") if asked.numbers else translate.pgettext("desk", "Unbind")
    )
    every = button(word, AnswerUnbind(asked.approval_id, yes=True), style="danger")
    return keyboard(*rows, (every, no))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(Bound),
    View(BoundElsewhere),
    View(Checklist, shortens="bound"),
    View(Info, shortens="bound"),
    View(UnbindQuestionNotice, buttons=_unbind_buttons, shortens="bound"),
    View(Unbound),
    View(UnbindDropped),
    View(LanguageSet),
    View(GroupSettingSet),
    View(TopicLost),
)
