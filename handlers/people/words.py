"""What people say about colleagues, and about who speaks for a merchant or a supplier. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.people import Change, What
from handlers.kit.commands import Command, bare
from handlers.kit.grammar import HOLDERS, nothing, take_holders
from handlers.kit.intents import Changing, Intent, Naming, Reading
from texts.amounts import fold

ROLE_WORDS: Final = {
    "owner": "owner", "负责人": "owner", "老板": "owner",
    "admin": "admin", "管理员": "admin",
    "finance": "finance", "财务": "finance",
    "operator": "operator", "操作员": "operator",
    "support": "support", "客服": "support",
}  # fmt: skip
_WHATS: Final[dict[str, What]] = {
    "allow": "allow", "允许": "allow",
    "deny": "deny", "禁止": "deny",
    "leave": "leave", "离职": "leave",
}  # fmt: skip
_MAX_ID: Final = 2**52
_JOIN: Final = re.compile(r"join_([A-Za-z0-9_-]{16,58})", re.ASCII)
JOIN_PREFIX: Final = "join_"


@dataclass(frozen=True, slots=True)
class ShowPeople(Reading):
    """All colleagues, or one. user_id: Telegram's number."""

    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChangePerson(Changing):
    """Say one thing of a person."""

    user_id: int
    change: Change


@dataclass(frozen=True, slots=True)
class Hire(Changing):
    """Make somebody a colleague: the person of this number, whoever wrote the message that is
    replied to, or (neither) whoever opens a link."""

    role: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Join(Intent):
    """Open a link that makes one a colleague. It is no talk of strangers, and the link says itself
    until when it counts."""

    code: str = field(repr=False)

    def welcomes(self, stranger: Actor) -> bool:
        return stranger.chat_id == stranger.user_id


@dataclass(frozen=True, slots=True)
class Appoint(Changing, Naming):
    """Let somebody speak for a merchant or a supplier in its group. holder_no: of whom, where the
    group has several. user_id: where a number was said. named: whether anything else was, such as
    a name that mentions somebody."""

    holder_no: str | None = None
    user_id: int | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class EndAppointment(Changing, Naming):
    """As `Appoint`: whoever it is speaks for nobody in this group any more."""

    user_id: int | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class ShowMembers(Reading):
    """Who may ask in this group."""


@dataclass(frozen=True, slots=True)
class Apply(Changing):
    """Somebody in a group asks to speak for its merchant or supplier."""

    holder_no: str | None = None

    def welcomes(self, stranger: Actor) -> bool:
        group = stranger.group
        return (
            group is not None
            and group.kind in ("merchant", "supplier")
            and stranger.user_id != ANONYMOUS_ADMIN_ID
        )


def read_join(words: Sequence[str]) -> Join | None:
    """What follows `/start` where a link was opened; None for anything else."""
    found = _JOIN.fullmatch(words[0]) if len(words) == 1 else None
    return Join(found[1]) if found is not None else None


def read_people(words: Sequence[str]) -> ShowPeople | ChangePerson | None:
    """Nothing; a number; a number and a role, or what is allowed, denied, or over."""
    if not words:
        return ShowPeople()
    user_id = _user_id(words[0])
    if user_id is None:
        return None
    said = [fold(word).lower() for word in words[1:]]
    match said:
        case []:
            return ShowPeople(user_id)
        case [role] if role in ROLE_WORDS:
            return ChangePerson(user_id, Change("role", ROLE_WORDS[role]))
        case [what] if _WHATS.get(what) == "leave":
            return ChangePerson(user_id, Change("leave"))
        case [what, right] if what in _WHATS and _WHATS[what] != "leave":
            return ChangePerson(user_id, Change(_WHATS[what], right))
    return None


def read_hire(words: Sequence[str]) -> Hire | None:
    """A role, and a number before or after it or none."""
    roles = [ROLE_WORDS[word] for w in words if (word := fold(w).lower()) in ROLE_WORDS]
    numbers = [number for word in words if (number := _user_id(word)) is not None]
    if len(roles) != 1 or len(numbers) > 1 or len(words) != len(roles) + len(numbers):
        return None
    return Hire(roles[0], numbers[0] if numbers else None)


def read_appoint(words: Sequence[str]) -> Appoint | None:
    """Of whom, where that is said; whom else is mentioned stands in the message itself."""
    holders, rest = take_holders(words, HOLDERS)
    if len(holders) > 1:
        return None
    user_id, named = _whom(rest)
    return Appoint(holders[0] if holders else None, user_id, named)


def read_end(words: Sequence[str]) -> EndAppointment:
    """Whoever is mentioned stands in the message itself."""
    return EndAppointment(*_whom(words))


def read_apply(words: Sequence[str]) -> Apply | None:
    """Of whom, where a group has several."""
    holders, rest = take_holders(words, HOLDERS)
    return None if rest or len(holders) > 1 else Apply(holders[0] if holders else None)


def _whom(words: Sequence[str]) -> tuple[int | None, bool]:
    """(a number, where it is all that was said; whether anything was)."""
    return (_user_id(words[0]) if len(words) == 1 else None), bool(words)


def _user_id(word: str) -> int | None:
    number = fold(word)
    if not (number.isascii() and number.isdecimal()):
        return None
    return int(number) if 0 < int(number) < _MAX_ID else None


def number_may_follow(word: str) -> bool:
    """Whether a word after the Chinese form belongs to it: a person's number."""
    return _user_id(word) is not None


def role_may_follow(word: str) -> bool:
    """Also a role."""
    return word.lower() in ROLE_WORDS or number_may_follow(word)


def holder_may_follow(word: str) -> bool:
    """The number of a merchant or a supplier."""
    return bool(take_holders([word], HOLDERS)[0])


COMMANDS: Final = (
    Command(
        "people",
        {ShowPeople: "people", ChangePerson: "people"},
        read_people,
        forms=("运营人员",),
        takes=number_may_follow,
        what="Colleagues, and what each may do",
        usage=(
            "运营人员",
            "运营人员 123456789",
            "运营人员 123456789 财务",
            "运营人员 123456789 允许 refund",
            "运营人员 123456789 离职",
            "/people 123456789 finance",
            "/people 123456789 allow refund",
            "/people 123456789 deny refund",
            "/people 123456789 leave",
        ),
        answer=(
            "colleagues by pages of eight, a card for each; role, allowed and denied rights, end; "
            "in ops groups and private chats only; see below"
        ),
    ),
    Command(
        "hire",
        {Hire: "people"},
        read_hire,
        forms=("添加人员",),
        takes=role_may_follow,
        what="Make somebody a colleague",
        usage=(
            "添加人员 操作员",
            "添加人员 123456789 财务",
            "/hire operator",
            "/hire 123456789 finance",
        ),
        hint="In an ops group also in reply to a message of that person.",
        answer=(
            "in private: a link that one person may open within 24 hours; with a number, or in "
            "reply to a message in an ops group: that person; see below"
        ),
        place="private",
    ),
    Command(
        "appoint",
        {Appoint: "appoint"},
        read_appoint,
        forms=("设置操作员",),
        what="Let somebody of a merchant or a supplier ask here",
        usage=("设置操作员", "设置操作员 M1001", "/appoint", "/appoint 123456789"),
        hint="In reply to a message of that person, or with a mention of somebody.",
        answer="in reply to somebody or with a mention: that person may ask here for the merchant "
        "or supplier of the group",
        place="groups",
    ),
    Command(
        "dismiss",
        {EndAppointment: "appoint"},
        read_end,
        forms=("删除操作员",),
        what="End that somebody may ask here",
        usage=("删除操作员", "/dismiss", "/dismiss 123456789"),
        hint="In reply to a message of that person, or with a mention of somebody.",
        answer="likewise: that person may not ask here any more",
        place="groups",
    ),
    Command(
        "members",
        {ShowMembers: "appoint"},
        bare(ShowMembers()),
        forms=("操作员名单",),
        takes=nothing,
        what="Who may ask in this group",
        usage=("操作员名单", "/members"),
        answer="who may ask in the group, and for whom",
        place="groups",
    ),
    Command(
        "apply",
        {},
        read_apply,
        forms=("申请管理员",),
        takes=holder_may_follow,
        what="Ask to be let speak for your merchant or supplier",
        usage=("申请管理员", "申请管理员 M1001", "/apply"),
        answer="anybody in a merchant's or supplier's group, once an hour: the ops groups get a "
        "card, and whoever has the right `appoint` decides",
        place="groups",
    ),
)
