"""What is said about a group: whose it is, what is set about it, which there are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from core.delivery.outbox import TopicUse
from core.people.actors import Actor
from handlers.kit.commands import Command, Reader, Words, bare, first, numbered
from handlers.kit.grammar import MERCHANTS, SUPPLIERS, is_holder_no, nothing
from handlers.kit.intents import Changing, Intent, Reading
from texts.amounts import fold

Language = Literal["zh", "en"]
# What is set about a group, by typing it there or of a group that is named.
Setting = Literal["label", "language", "zone", "quiet", "segment", "topic"]
# What else is done with a group that is named; it asks first.
Deed = Literal["unbind", "leave"]

MAX_SEARCH_BYTES: Final = 40
_GROUP_NO: Final = re.compile(r"[Gg]([1-9][0-9]{0,8})", re.ASCII)


LANGUAGES: Final[dict[str, Language]] = {
    "zh": "zh", "cn": "zh", "中文": "zh",
    "en": "en", "english": "en", "英文": "en",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BindMerchant(Changing):
    merchant_no: str


@dataclass(frozen=True, slots=True)
class BindSupplier(Changing):
    supplier_no: str


@dataclass(frozen=True, slots=True)
class BindOps(Changing):
    pass


@dataclass(frozen=True, slots=True)
class Unbind(Changing):
    """number: of the merchant or supplier that is taken off; None for all that is bound."""

    number: str | None = None


@dataclass(frozen=True, slots=True)
class ShowInfo(Reading):
    pass


@dataclass(frozen=True, slots=True)
class SetLanguage(Changing):
    language: Language


@dataclass(frozen=True, slots=True)
class ShowGroups(Reading):
    """All groups and channels, or those that match."""

    search: str = ""


@dataclass(frozen=True, slots=True)
class ShowGroup(Reading):
    """One of them. no: as in G3."""

    no: int


@dataclass(frozen=True, slots=True)
class ChangeGroup(Changing):
    """Set one thing of a group that is named, or ask whether to do something with it. text: as
    written; empty for a deed."""

    no: int
    what: Setting | Deed
    text: str = ""


@dataclass(frozen=True, slots=True)
class SetHere(Changing):
    """Set one thing of this group. text: as written."""

    what: Setting
    text: str


@dataclass(frozen=True, slots=True)
class BindByLink(Intent):
    """Open a link that makes this group somebody's. It is no talk of strangers, and the link says
    itself until when it counts."""

    code: str = field(repr=False)

    def welcomes(self, stranger: Actor) -> bool:
        return stranger.chat_id != stranger.user_id


_LINK: Final = re.compile(r"bind_([A-Za-z0-9_-]{16,58})", re.ASCII)


def read_link(words: Words) -> BindByLink | None:
    """What follows `/start` where a link was opened; None for anything else."""
    found = _LINK.fullmatch(words[0]) if len(words) == 1 else None
    return BindByLink(found[1]) if found is not None else None


_WHATS: Final[dict[str, Setting | Deed]] = {
    "label": "label", "标签": "label",
    "lang": "language", "language": "language", "语言": "language",
    "zone": "zone", "时区": "zone",
    "quiet": "quiet", "免打扰": "quiet",
    "segment": "segment", "分组": "segment",
    "unbind": "unbind", "解绑": "unbind",
    "leave": "leave", "退群": "leave",
}  # fmt: skip
_DEEDS: Final[frozenset[Setting | Deed]] = frozenset({"unbind", "leave"})
# What a topic of a forum is for.
TOPIC_WORDS: Final[dict[str, TopicUse]] = {
    "bills": "bills", "bill": "bills", "账单": "bills",
    "lookups": "lookups", "lookup": "lookups", "orders": "lookups", "查单": "lookups",
    "alarms": "alarms", "alarm": "alarms", "告警": "alarms",
}  # fmt: skip


def read_groups(words: Words) -> ShowGroups | ShowGroup | ChangeGroup | None:
    """Nothing; what to look for; a group's number; and what to do with it."""
    if not words:
        return ShowGroups()
    number = _GROUP_NO.fullmatch(fold(words[0]))
    if number is None:
        search = " ".join(words)
        return ShowGroups(search) if len(search.encode()) <= MAX_SEARCH_BYTES else None
    no = int(number[1])
    if len(words) == 1:
        return ShowGroup(no)
    what = _WHATS.get(fold(words[1]).lower())
    text = " ".join(words[2:])
    if what is None or (what in _DEEDS) == bool(text):
        return None
    return ChangeGroup(no, what, text)


def set_here(what: Setting, most_words: int) -> Reader:
    """So many words at most, and one at least: unread until it is known what they may be."""

    def read(words: Words) -> Intent | None:
        return SetHere(what, " ".join(words)) if 1 <= len(words) <= most_words else None

    return read


def topic_may_follow(word: str) -> bool:
    """What a topic is for."""
    return word.lower() in TOPIC_WORDS


def any_word(_: str) -> bool:
    return True


def read_one_or_all(words: Words) -> Intent | None:
    """Which merchant or supplier is taken off this group, or nothing for all of them."""
    if not words:
        return Unbind()
    number = first(words)
    known = len(words) == 1 and is_holder_no(number, MERCHANTS + SUPPLIERS)
    return Unbind(number.upper()) if known else None


def read_language(words: Words) -> Intent | None:
    """Its code or its name; what follows is passed over."""
    named = LANGUAGES.get(first(words).lower())
    return SetLanguage(named) if named is not None else None


COMMANDS: Final = (
    Command(
        "bind",
        {BindMerchant: "bind"},
        numbered(BindMerchant, MERCHANTS),
        forms=("绑定商户",),
        what="Bind this group to a merchant",
        usage=("绑定商户 M1001", "/bind M1001"),
        place="groups",
        answer=(
            "the group becomes that merchant's (several merchants per group are allowed); "
            "its live bill is pinned; in private, a link that does so; see below"
        ),
    ),
    Command(
        "bind_supplier",
        {BindSupplier: "bind"},
        numbered(BindSupplier, SUPPLIERS),
        forms=("绑定供应商",),
        what="Bind this group to a supplier",
        usage=("绑定供应商 S01", "/bind_supplier S01"),
        place="groups",
        answer="the group becomes that supplier's; in private, a link that does so",
    ),
    Command(
        "bind_ops",
        {BindOps: "bind_ops"},
        bare(BindOps()),
        forms=("绑定管理群",),
        what="Make this an ops group",
        usage=("绑定管理群", "/bind_ops"),
        place="groups",
        answer="the group gets the alarms",
    ),
    Command(
        "unbind",
        {Unbind: "bind"},
        read_one_or_all,
        forms=("解绑",),
        what="Take the bindings off this group",
        usage=("解绑", "解绑 M1001", "/unbind S01"),
        place="groups",
        answer=(
            "asks once, about the one named or, where several are bound, about each and "
            "all; only who asked can answer, within 5 minutes"
        ),
    ),
    Command(
        "info",
        {ShowInfo: "look_up"},
        bare(ShowInfo()),
        forms=("群信息",),
        takes=nothing,
        what="What this group is",
        usage=("群信息", "/info"),
        place="groups",
        answer="kind, bindings and language of the group",
    ),
    Command(
        "lang",
        {SetLanguage: "bind"},
        read_language,
        what="The language of this group",
        usage=("/lang zh", "/lang en"),
        place="groups",
        answer="the language of the group",
    ),
    Command(
        "groups",
        dict.fromkeys((ShowGroups, ShowGroup, ChangeGroup), "list_groups"),
        read_groups,
        forms=("群列表",),
        takes=any_word,
        apart=True,
        what="Groups and channels",
        usage=(
            "群列表",
            "群列表 云杉",
            "群列表 G3",
            "群列表 G3 分组 重点",
            "/groups M1001",
            "/group G3 label top-up",
            "/group G3 quiet 23:00-08:00",
            "/group G3 zone Europe/Berlin",
            "/group G3 unbind",
            "/group G3 leave",
        ),
        answer=(
            "groups and channels by pages of eight: kind, whose, members, whether they can be "
            "written to; a card for each; in ops groups and private chats only; see below"
        ),
    ),
    Command(
        "group",
        dict.fromkeys((ShowGroups, ShowGroup, ChangeGroup), "list_groups"),
        read_groups,
        twin_of="groups",
    ),
    Command(
        "segment",
        {SetHere: "list_groups"},
        set_here("segment", 1),
        forms=("分组",),
        takes=any_word,
        apart=True,
        what="Put this group into a segment for broadcasts",
        usage=("分组 重点", "分组 -重点", "/segment VIP", "/segment -VIP"),
        place="groups",
        answer="puts the group into the segment (ten at most), and with a minus takes it out",
    ),
    Command(
        "label",
        {SetHere: "list_groups"},
        set_here("label", 3),
        what="What prepayments are called in this group",
        usage=("/label 下发", "/label top-up"),
        place="groups",
        answer="the word for prepayments on receipts and bills of the group",
    ),
    Command(
        "quiet",
        {SetHere: "list_groups"},
        set_here("quiet", 3),
        forms=("免打扰",),
        what="When nothing comes unasked into this group",
        usage=("免打扰 23:00-08:00", "免打扰 关", "/quiet 23:00-08:00", "/quiet off"),
        place="groups",
        answer="when broadcasts and the bill of a new day wait; see below",
    ),
    Command(
        "zone",
        {SetHere: "list_groups"},
        set_here("zone", 1),
        what="On whose clocks times are told in this group",
        usage=("/zone Europe/Berlin", "/zone off"),
        place="groups",
        answer="the time zone of times that are told in the group, and of its quiet hours",
    ),
    Command(
        "topic",
        {SetHere: "list_groups"},
        set_here("topic", 2),
        forms=("话题",),
        takes=topic_may_follow,
        what="What comes into this topic",
        usage=(
            "话题 账单",
            "话题 查单",
            "话题 告警",
            "/topic bills",
            "/topic lookups",
            "/topic alarms",
            "/topic bills off",
        ),
        place="groups",
        answer="in a topic of a forum: what comes unasked comes here from now on; see below",
    ),
)
