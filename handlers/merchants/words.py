"""What people say about merchants and their apps: `商户 M1001 停用 原因`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.people.actors import Actor
from handlers.kit.commands import Command
from handlers.kit.grammar import is_off
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold

FORM: Final = "商户"
Change = Literal[
    "suspend", "resume", "archive", "review", "name", "legal_name", "licence_no", "category",
    "site", "contact",
]  # fmt: skip
AppVerb = Literal["open", "rotate", "end_old", "revoke", "notify_url", "ip", "limit", "ping"]

# A button carries what was searched for.
SEARCH_BYTES: Final = 40
_NUMBER: Final = re.compile(r"[Mm][0-9]{1,9}", re.ASCII)
_PLACE: Final = re.compile(r"#([0-9]{1,3})", re.ASCII)
_NEW: Final = frozenset({"new", "新增", "开通"})
STATES: Final[dict[str, str]] = {
    "open": "open", "正常": "open", "suspended": "suspended", "已停用": "suspended",
    "archived": "archived", "已归档": "archived",
}  # fmt: skip
_CHANGES: Final[dict[str, Change]] = {
    "suspend": "suspend", "停用": "suspend",
    "resume": "resume", "恢复": "resume", "启用": "resume",
    "archive": "archive", "归档": "archive",
    "review": "review", "提交审核": "review", "审核": "review",
    "name": "name", "名称": "name",
    "legal": "legal_name", "主体": "legal_name",
    "licence": "licence_no", "license": "licence_no", "证照": "licence_no",
    "category": "category", "类目": "category",
    "site": "site", "网址": "site",
    "contact": "contact", "联系人": "contact",
}  # fmt: skip
_ALONE: Final = frozenset({"resume", "archive", "review"})  # what is said without another word
_APP_VERBS: Final[dict[str, AppVerb]] = {
    "app": "open", "应用": "open",
    "rotate": "rotate", "keys": "rotate", "重置密钥": "rotate",
    "endold": "end_old", "旧密钥失效": "end_old",
    "revoke": "revoke", "吊销": "revoke",
    "notify": "notify_url", "通知地址": "notify_url",
    "ip": "ip", "白名单": "ip",
    "limit": "limit", "限速": "limit",
    "ping": "ping", "测试通知": "ping",
}  # fmt: skip
_APP_ALONE: Final = frozenset({"rotate", "end_old", "ping"})
_MODES: Final = {"test": "test", "测试": "test", "live": "live", "正式": "live"}
_COUNT: Final = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShowMerchants(Reading):
    """All merchants, those with these words in their number or names or in this state, or one.
    slash: said as a command."""

    merchant_no: str | None = None
    words: str = ""
    state: str = ""
    slash: bool = True

    def is_talk(self, actor: Actor) -> bool:
        """People speak of merchants in groups without asking anything: the bare word is meant
        where staff alone reads, and a search in private."""
        if self.slash:
            return False
        private = actor.chat_id == actor.user_id
        return actor.merchant_ids is not None or (bool(self.words) and not private)


@dataclass(frozen=True, slots=True)
class BeginMerchant(Changing):
    """Open a merchant, step by step."""


@dataclass(frozen=True, slots=True)
class ChangeMerchant(Changing):
    """Suspend a merchant, take it up again, archive it, have it reviewed, or say one thing anew.
    text: the rest of what was said."""

    merchant_no: str
    change: Change
    text: str = ""


@dataclass(frozen=True, slots=True)
class ChangeApp(Changing):
    """Open an app of a merchant, or do something with one. place: in the list of its card, from 1;
    None for the only one. text: the rest; of a new one `live` or `test`, and its name."""

    merchant_no: str
    verb: AppVerb
    place: int | None = None
    text: str = ""


Meant = ShowMerchants | BeginMerchant | ChangeMerchant | ChangeApp


def read_merchants(words: Sequence[str]) -> Meant | None:
    """Nothing; a word for a new one; a state; a merchant's number, and what to do with it; or what
    to look for."""
    slash = not (words and words[0] == FORM)
    words = words if slash else words[1:]
    if not words:
        return ShowMerchants(slash=slash)
    first = fold(words[0])
    if first.lower() in _NEW and len(words) == 1:
        return BeginMerchant()
    if not _NUMBER.fullmatch(first):
        return _search(words, slash=slash)
    number = first.upper()
    if len(words) == 1:
        return ShowMerchants(number, slash=slash)
    verb = fold(words[1]).lower()
    if verb in _APP_VERBS:
        return _app(number, _APP_VERBS[verb], words[2:])
    change, text = _CHANGES.get(verb), " ".join(words[2:])
    if change is None or ((change in _ALONE) == bool(text) and change != "suspend"):
        return None  # suspend asks for its reason itself
    return ChangeMerchant(number, change, text)


def _search(words: Sequence[str], *, slash: bool) -> ShowMerchants | None:
    state = STATES.get(fold(words[0]).lower(), "")
    text = " ".join(words[1:] if state else words)
    if len(text.encode()) > SEARCH_BYTES:
        return None
    return ShowMerchants(words=text, state=state, slash=slash)


def _app(number: str, verb: AppVerb, words: Sequence[str]) -> ChangeApp | None:
    place = None
    if words and (found := _PLACE.fullmatch(fold(words[0]))):
        place, words = int(found[1]), words[1:]
    text = " ".join(words)
    match verb:
        case "open":
            mode = _MODES.get(fold(words[0]).lower()) if words else None
            if mode is None or place is not None:
                return None
            return ChangeApp(number, verb, None, f"{mode} {' '.join(words[1:])}".strip())
        case "limit" if not _COUNT.fullmatch(fold(text)):
            return None
        case "ip" if len(words) == 1 and is_off(fold(text)):
            return ChangeApp(number, verb, place, "")
    if (verb in _APP_ALONE) == bool(text) and verb != "revoke":
        return None  # revoke asks for its reason itself
    return ChangeApp(number, verb, place, fold(text) if verb == "limit" else text)


def any_word(_: str) -> bool:
    """Whatever follows may be looked for."""
    return True


_MERCHANTS: Final[dict[type, str]] = dict.fromkeys(
    (ShowMerchants, BeginMerchant, ChangeMerchant, ChangeApp), "merchants"
)

COMMANDS: Final = (
    Command(
        "merchants",
        _MERCHANTS,
        read_merchants,
        forms=(FORM,),
        implied={FORM: FORM},
        takes=any_word,
        apart=True,
        what="Merchants",
        usage=(
            "商户",
            "商户 M1001",
            "商户 新增",
            "商户 M1001 停用 原因",
            "商户 M1001 提交审核",
            "商户 M1001 重置密钥",
            "商户 M1001 限速 100",
            "/merchants tea",
            "/merchant new",
            "/merchant M1001 app test till",
            "/merchant M1001 notify #2 https://shop.example/notify",
            "/merchant M1001 ip 203.0.113.7 203.0.113.0/24",
            "/merchant M1001 limit 100",
        ),
        answer=(
            "merchants by pages of eight, with a search; a card for each with its review, balance,"
            " products, apps and groups; opening one and every change of it; see below"
        ),
    ),
    Command("merchant", _MERCHANTS, read_merchants, twin_of="merchants"),
)
