"""A group on the screen: whose it is, what a new one still needs, and taking bindings off."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.group_links import NewGroupLink
from core.people.groups import Holder, TopicLost
from handlers.groups.buttons import AnswerUnbind, BindGroup, HolderKind, MakeGroup, TurnHolders
from handlers.groups.words import Language, Setting
from handlers.kit.screen import Screen, View, button, clip, fill, in_rows, keyboard
from handlers.kit.secrets import SHOWN_S
from texts import translator

# A group of more holders is told to name the one.
_MAX_HOLDER_BUTTONS: Final = 30
_IN_A_ROW: Final = 3
_NAME_CHARS: Final = 24


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
    """A merchant or supplier has one more group. title: of the new one. link_by: who made the link
    by which it was bound; empty where there was none."""

    no: str
    name: str
    title: str
    actor_name: str
    link_by: str = ""


@dataclass(frozen=True, slots=True)
class Checklist(Notice):
    """What a group still needs. admin, pins, reads_all: what the bot is and may do there. While it
    is nobody's, whoever may bind it can press whose it is."""

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


@dataclass(frozen=True, slots=True)
class HolderChoice(Notice):
    """Whose is a group? Asked in private, for a list of all would be read along. no, title: of the
    group. found: of this page."""

    no: int
    title: str
    kind: HolderKind
    found: tuple[Holder, ...]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class GroupBound(Notice):
    """Told in private: a group is this merchant's or supplier's. no: of the group."""

    no: int
    title: str
    holder_no: str
    holder_name: str


def link_screen(
    link: NewGroupLink, holder: Holder, bot_name: str, zone: str, language: str
) -> Screen:
    """The link, shown once: it never enters the outbox, so it is no notice."""
    url = f"https://t.me/{bot_name}?startgroup=bind_{link.code}"
    facts = {
        "no": holder.no, "name": holder.name, "link": url, "expires_at": link.expires_at,
        "zone": zone, "seconds": SHOWN_S,
    }  # fmt: skip
    translate = translator(language)
    copy = InlineKeyboardButton(
        text=translate.gettext("📋 Copy the link"), copy_text=CopyTextButton(text=url)
    )
    add = InlineKeyboardButton(text=translate.gettext("Add the bot to a group"), url=url)
    return Screen(fill("group_link", facts, language), keyboard=keyboard((add,), (copy,)))


def _kind_buttons(shown: Checklist, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whose it is, while it is nobody's."""
    if shown.kind != "unbound":
        return None
    merchant = button(translate.gettext("🏪 A merchant's"), MakeGroup("merchant"))
    supplier = button(translate.gettext("🏦 A supplier's"), MakeGroup("supplier"))
    ops = button(translate.gettext("🛠 Our ops group"), MakeGroup("ops"))
    return keyboard((merchant, supplier), (ops,))


def _holder_buttons(asked: HolderChoice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """Each of them, and the pages before and after."""
    each = [
        button(f"{one.no} {clip(one.name, _NAME_CHARS)}", BindGroup(asked.no, one.no))
        for one in asked.found
    ]
    turns = [
        button(arrow, TurnHolders(asked.no, asked.kind, to))
        for arrow, to in (("◀", asked.page - 1), ("▶", asked.page + 1))
        if 1 <= to <= asked.pages
    ]
    return keyboard(*in_rows(each, 2), tuple(turns))


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
    View(Checklist, buttons=_kind_buttons, shortens="bound"),
    View(GroupBound),
    View(HolderChoice, buttons=_holder_buttons),
    View(Info, shortens="bound"),
    View(UnbindQuestionNotice, buttons=_unbind_buttons, shortens="bound"),
    View(Unbound),
    View(UnbindDropped),
    View(LanguageSet),
    View(GroupSettingSet),
    View(TopicLost),
)
