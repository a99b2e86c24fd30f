"""What people say about suppliers and connector documents: `供应商 S01 停用 合同到期`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from core.kernel.amounts import fold
from handlers.days import DaySpan, read_days

Decision = Literal["approve", "reject", "withdraw"]
Change = Literal[
    "live", "off", "back", "switch", "name", "legal_name", "licence_no", "licence_expires_on",
    "settles_to",
]  # fmt: skip

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_VERSION: Final = re.compile(r"[vV]?([0-9]{1,6})", re.ASCII)
_SUPPLIER_NO: Final = re.compile(r"[Ss][0-9]{2,9}", re.ASCII)
_NEW: Final = frozenset({"new", "新增", "开通"})
_DECISIONS: Final[dict[str, Decision]] = {
    "approve": "approve", "通过": "approve", "批准": "approve",
    "reject": "reject", "驳回": "reject", "拒绝": "reject",
    "withdraw": "withdraw", "撤回": "withdraw",
}  # fmt: skip
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
SETTLES_TO: Final = ("merchant", "licensed_institution")
_ALONE: Final = frozenset({"live", "back"})  # what is said without another word
_SETTLES: Final = {
    "merchant": "merchant", "商户": "merchant",
    "licensed_institution": "licensed_institution", "institution": "licensed_institution",
    "持牌机构": "licensed_institution",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShowDocuments:
    """All connector documents, or one. version: None for the newest."""

    code: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DecideDocument:
    """Approve, reject or withdraw a version. why may be empty: core asks for it where it must
    be there."""

    code: str
    version: int
    decision: Decision
    why: str = ""


@dataclass(frozen=True, slots=True)
class ShowSuppliers:
    """All suppliers, or one."""

    supplier_no: str | None = None


@dataclass(frozen=True, slots=True)
class BeginSupplier:
    """Open a supplier, step by step."""


@dataclass(frozen=True, slots=True)
class ChangeSupplier:
    """Put a supplier live or off, switch its document, or say one thing anew. text: the rest of
    what was said; empty for `live` and `back`."""

    supplier_no: str
    change: Change
    text: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the private dialogue."""


def read_documents(words: Sequence[str]) -> ShowDocuments | DecideDocument | None:
    """Nothing; a code; a code and a version; and what to do with that version, and why."""
    if not words:
        return ShowDocuments()
    code = fold(words[0]).lower()
    if not _CODE.fullmatch(code):
        return None
    if len(words) == 1:
        return ShowDocuments(code)
    version = read_version(words[1])
    if version is None:
        return None
    if len(words) == 2:
        return ShowDocuments(code, version)
    decision = _DECISIONS.get(fold(words[2]).lower())
    if decision is None:
        return None
    return DecideDocument(code, version, decision, " ".join(words[3:]))


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
    change = _CHANGES.get(fold(words[1]).lower())
    text = " ".join(words[2:])
    if change is None or (change in _ALONE and text):
        return None
    if change not in (*_ALONE, "off") and not text:
        return None  # off asks for its reason itself
    return ChangeSupplier(first.upper(), change, text)


def read_version(word: str) -> int | None:
    """`v2` or `2`."""
    found = _VERSION.fullmatch(fold(word))
    return int(found[1]) if found else None


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
