"""What is said about connector documents: `对接映射 epay v2 通过`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from handlers.kit.commands import Command
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold

Decision = Literal["approve", "reject", "withdraw"]


_VERSION: Final = re.compile(r"[vV]?([0-9]{1,6})", re.ASCII)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)


_DECISIONS: Final[dict[str, Decision]] = {
    "approve": "approve", "通过": "approve", "批准": "approve",
    "reject": "reject", "驳回": "reject", "拒绝": "reject",
    "withdraw": "withdraw", "撤回": "withdraw",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShowDocuments(Reading):
    """All connector documents, or one. version: None for the newest."""

    code: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DecideDocument(Changing):
    """Approve, reject or withdraw a version. why may be empty: core asks for it where it must
    be there."""

    code: str
    version: int
    decision: Decision
    why: str = ""


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


def read_version(word: str) -> int | None:
    """`v2` or `2`."""
    found = _VERSION.fullmatch(fold(word))
    return int(found[1]) if found else None


_DOCUMENTS: Final[dict[type, str]] = {
    ShowDocuments: "documents", DecideDocument: "approve_document",
}  # fmt: skip

COMMANDS: Final = (
    Command(
        "documents",
        _DOCUMENTS,
        read_documents,
        forms=("对接映射",),
        what="Connector documents",
        usage=(
            "对接映射",
            "对接映射 epay v2",
            "对接映射 epay v2 通过",
            "对接映射 epay v2 驳回 原因",
            "/documents",
            "/document epay v2 approve",
        ),
        answer=(
            "connector documents: what there is, a card for each, and what a second person "
            "decides; see below"
        ),
    ),
    Command("document", _DOCUMENTS, read_documents, twin_of="documents"),
)
