"""What is said about a group: whose it is, what it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from handlers.kit.commands import Command, Words, bare, first, numbered
from handlers.kit.grammar import MERCHANTS, SUPPLIERS, is_holder_no, nothing
from handlers.kit.intents import Changing, Intent, Reading

Language = Literal["zh", "en"]


_LANGUAGES: Final[dict[str, Language]] = {
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


def read_one_or_all(words: Words) -> Intent | None:
    """Which merchant or supplier is taken off this group, or nothing for all of them."""
    if not words:
        return Unbind()
    number = first(words)
    known = len(words) == 1 and is_holder_no(number, MERCHANTS + SUPPLIERS)
    return Unbind(number.upper()) if known else None


def read_language(words: Words) -> Intent | None:
    """Its code or its name; what follows is passed over."""
    named = _LANGUAGES.get(first(words).lower())
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
            "its live bill is pinned"
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
        answer="the group becomes that supplier's",
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
)
