"""Colleagues on the screen, the link by which one comes, and who may ask in a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final
from urllib.parse import urlencode

from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.appointments import Appointed, AppointmentEnded
from core.people.people import RIGHTS, STAFF_ROLES, Change
from core.people.staff import Hired, Invitation, OpenLink, StaffChanged, TurnedAway
from handlers.kit.screen import Screen, View, button, fill, in_rows, keyboard
from handlers.kit.secrets import SHOWN_S
from handlers.kit.vocabulary import WORDS
from handlers.people.buttons import EndLink, HireAs, MakePerson, OnPerson, TurnPeople
from texts import translator

_Keyboard = InlineKeyboardMarkup | None
_ROLES: Final = WORDS["role"]
# Telegram's own page on which one chooses whom to send a link.
_SHARE: Final = "https://t.me/share/url"


@dataclass(frozen=True, slots=True)
class PersonLine:
    """What a list shows of a colleague. factor: whether that person has a second one."""

    user_id: int
    name: str
    role: str
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    factor: bool


@dataclass(frozen=True, slots=True)
class PeopleNotice(Notice):
    """A page of the colleagues. total: of all pages. links: which nobody opened yet."""

    page: int
    pages: int
    total: int
    lines: tuple[PersonLine, ...]
    links: tuple[OpenLink, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class PersonNotice(Notice):
    """A colleague in full; the first fields are those of `PersonLine`. role: empty for who is none
    any more. hired_at: None for that one."""

    user_id: int
    name: str
    role: str
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    factor: bool
    hired_at: datetime | None
    zone: str


@dataclass(frozen=True, slots=True)
class PersonChoice(Notice):
    """Which role, or which right that is allowed or denied. changes: what can be pressed. seen: as
    in `MakePerson`."""

    user_id: int
    name: str
    what: str
    changes: tuple[Change, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class HireWaits(Notice):
    """A change that a second person decides in the ops groups. alone_from: from when on the asker
    may do so, where nobody else can. factor: whether the asker has one, which that takes."""

    name: str
    minutes: int
    over_at: datetime
    alone_from: datetime | None
    factor: bool
    zone: str


@dataclass(frozen=True, slots=True)
class HireRoles(Notice):
    """As what is somebody hired?"""


@dataclass(frozen=True, slots=True)
class JoinWaits(Notice):
    """Told to whoever opened a link: a second person is asked."""

    role: str
    minutes: int


@dataclass(frozen=True, slots=True)
class MemberLine:
    """Somebody who may ask in a group. no: for whom."""

    user_id: int
    name: str
    role: str
    no: str
    since: datetime


@dataclass(frozen=True, slots=True)
class MembersNotice(Notice):
    """Who may ask in a group."""

    lines: tuple[MemberLine, ...]
    zone: str


def link_screen(invitation: Invitation, bot_name: str, zone: str, language: str) -> Screen:
    """The link, shown once: whoever has it is a colleague. It never enters the outbox, so it is no
    notice."""
    link = f"https://t.me/{bot_name}?start=join_{invitation.code}"
    facts = {
        "role": invitation.role, "link": link, "expires_at": invitation.expires_at, "zone": zone,
        "second": invitation.second, "seconds": SHOWN_S,
    }  # fmt: skip
    translate = translator(language)
    copy = InlineKeyboardButton(
        text=translate.gettext("📋 Copy the link"), copy_text=CopyTextButton(text=link)
    )
    send = InlineKeyboardButton(
        text=translate.gettext("📨 Send it to somebody"), url=f"{_SHARE}?{urlencode({'url': link})}"
    )
    return Screen(fill("hire_link", facts, language), keyboard=keyboard((copy,), (send,)))


def _list_buttons(listed: PeopleNotice, translate: NullTranslations) -> _Keyboard:
    """Each colleague, the pages before and after, and a new one."""
    cards = [button(line.name[:24] or "–", OnPerson(line.user_id, "open")) for line in listed.lines]
    page, pages = listed.page, listed.pages
    turns = [
        button(arrow, TurnPeople(to))
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    hire = button(translate.gettext("➕ Hire somebody"), HireAs())
    ends = [
        button(translate.gettext("🚫 End link %(num)s") % {"num": number}, EndLink(link.id))
        for number, link in enumerate(listed.links, start=1)
    ]
    return keyboard(*in_rows(cards, 2), tuple(turns), (hire,), *in_rows(ends, 2))


def _person_buttons(shown: PersonNotice, translate: NullTranslations) -> _Keyboard:
    """What can be said of a person."""
    role = button(translate.gettext("🎭 Role"), OnPerson(shown.user_id, "role"))
    if not shown.role:
        return keyboard((role,))
    allow = button(translate.gettext("➕ Allow a right"), OnPerson(shown.user_id, "allow"))
    deny = button(translate.gettext("➖ Deny a right"), OnPerson(shown.user_id, "deny"))
    leave = button(translate.gettext("🚪 Leaves"), OnPerson(shown.user_id, "leave"))
    return keyboard((allow, deny), (role, leave))


def _choice_buttons(asked: PersonChoice, translate: NullTranslations) -> _Keyboard:
    """Each role or right; or back to the card."""
    buttons = [
        button(
            _label(change, translate),
            MakePerson(asked.user_id, change, asked.seen),
            style="danger" if change.what == "leave" else None,
        )
        for change in asked.changes
    ]
    back = button(translate.pgettext("desk", "Cancel"), OnPerson(asked.user_id, "open"))
    width = 2 if asked.what == "role" else 1
    return keyboard(*in_rows(buttons, width), (back,))


def _label(change: Change, translate: NullTranslations) -> str:
    match change.what:
        case "role":
            return translate.pgettext("role", _ROLES[change.word])
        case "leave":
            return translate.gettext("🚪 Yes, it ends now")
        case _:
            return translate.pgettext("right", RIGHTS[change.word])


def _role_buttons(_: HireRoles, translate: NullTranslations) -> _Keyboard:
    """Each role."""
    roles = [button(translate.pgettext("role", _ROLES[role]), HireAs(role)) for role in STAFF_ROLES]
    return keyboard(*in_rows(roles, 2))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(StaffChanged),
    View(Hired),
    View(TurnedAway),
    View(Appointed),
    View(AppointmentEnded),
    View(PeopleNotice, buttons=_list_buttons, shortens="lines"),
    View(PersonNotice, buttons=_person_buttons),
    View(PersonChoice, buttons=_choice_buttons),
    View(HireWaits),
    View(HireRoles, buttons=_role_buttons),
    View(JoinWaits),
    View(MembersNotice, shortens="lines"),
)
