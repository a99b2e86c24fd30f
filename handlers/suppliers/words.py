"""What people say about suppliers and connector documents: `供应商 S01 停用 合同到期`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from handlers.kit.commands import Command
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold
from texts.days import DaySpan, read_days

Change = Literal[
    "live", "off", "back", "switch", "name", "legal_name", "licence_no", "licence_expires_on",
    "settles_to",
]  # fmt: skip

# What of a supplier is shown: its card, the names of its credentials, versions to switch to.
Part = Literal["card", "keys", "versions"]

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_SUPPLIER_NO: Final = re.compile(r"[Ss][0-9]{2,9}", re.ASCII)
_NEW: Final = frozenset({"new", "新增", "开通"})

_CHANGES: Final[dict[str, Change]] = {
    "live": "live", "on": "live", "上线": "live", "启用": "live",
    "off": "off", "下线": "off", "停用": "off",
    "back": "back", "rollback": "back", "回滚": "back",
    "switch": "switch", "切换": "switch",
    "name": "name", "名称": "name",
    "legal": "legal_name", "主体": "legal_name",
    "licence": "licence_no", "license": "licence_no", "牌照": "licence_no",
    "expires": "licence_expires_on", "到期": "licence_expires_on",
    "settles": "settles_to", "结算": "settles_to",
}  # fmt: skip
_PARTS: Final[dict[str, Part]] = {
    "keys": "keys", "credentials": "keys", "密钥": "keys", "凭据": "keys",
    "versions": "versions", "版本": "versions", "switch": "versions", "切换": "versions",
}  # fmt: skip
SETTLES_TO: Final = ("merchant", "licensed_institution")
_ALONE: Final = frozenset({"live", "back"})  # what is said without another word
_SETTLES: Final = {
    "merchant": "merchant", "商户": "merchant",
    "licensed_institution": "licensed_institution", "institution": "licensed_institution",
    "持牌机构": "licensed_institution",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShowSuppliers(Reading):
    """All suppliers, or one. part: of that one."""

    supplier_no: str | None = None
    part: Part = "card"


@dataclass(frozen=True, slots=True)
class BeginSupplier(Changing):
    """Open a supplier, step by step."""


@dataclass(frozen=True, slots=True)
class ChangeSupplier(Changing):
    """Put a supplier live or off, switch its document, or say one thing anew. text: the rest of
    what was said; empty for `live` and `back`."""

    supplier_no: str
    change: Change
    text: str = ""


def read_suppliers(words: Sequence[str]) -> ShowSuppliers | BeginSupplier | ChangeSupplier | None:
    """Nothing; a word for a new one; a supplier's number; and what to do with it."""
    if not words:
        return ShowSuppliers()
    first = fold(words[0])
    if first.lower() in _NEW:
        return BeginSupplier() if len(words) == 1 else None
    if not _SUPPLIER_NO.fullmatch(first):
        return None
    if len(words) == 1:
        return ShowSuppliers(first.upper())
    said = fold(words[1]).lower()
    if len(words) == 2 and said in _PARTS:
        return ShowSuppliers(first.upper(), _PARTS[said])
    change = _CHANGES.get(said)
    text = " ".join(words[2:])
    if change is None or (change in _ALONE and text):
        return None
    if change not in (*_ALONE, "off") and not text:
        return None  # off asks for its reason itself
    return ChangeSupplier(first.upper(), change, text)


def read_settles_to(text: str) -> str:
    """The word that core knows for it, or what was said."""
    return _SETTLES.get(fold(text).strip().lower(), text)


def read_day(text: str) -> date | None:
    """One day, with its year; None for anything else."""
    days = read_days(text)
    if not isinstance(days, DaySpan) or days.first != days.last:
        return None
    mark = days.first
    if mark.year is None or mark.day is None:
        return None
    return date(mark.year, mark.month, mark.day)


def may_follow(word: str) -> bool:
    """Whether a word after the Chinese form belongs to it: a number, a code, a word for new."""
    return (word.isascii() and word[0].isalnum()) or word in _NEW


_SUPPLIERS: Final[dict[type, str]] = dict.fromkeys(
    (ShowSuppliers, BeginSupplier, ChangeSupplier), "suppliers"
)


COMMANDS: Final = (
    Command(
        "suppliers",
        _SUPPLIERS,
        read_suppliers,
        forms=("供应商",),
        takes=may_follow,
        what="Suppliers",
        usage=(
            "供应商",
            "供应商 S01",
            "供应商 新增",
            "供应商 S01 上线",
            "供应商 S01 停用 原因",
            "供应商 S01 密钥",
            "供应商 S01 版本",
            "/suppliers",
            "/supplier new",
            "/supplier S01 live",
            "/supplier S01 switch epay v2",
            "/supplier S01 rollback",
            "/supplier S01 expires 2027-12-31",
        ),
        answer=(
            "suppliers by pages of eight: live or off, what is missing, days the licence "
            "has left, version; a card for each; see below"
        ),
    ),
    Command("supplier", _SUPPLIERS, read_suppliers, twin_of="suppliers"),
)
