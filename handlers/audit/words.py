"""What people look for in the trail: `审计 M1001 昨天`, `/audit set_setting`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command
from handlers.kit.intents import Reading
from handlers.kit.vocabulary import WORDS
from texts.amounts import fold
from texts.days import NoSuchDay, Span, read_days

# A button has no room for more of a name.
MAX_WHO_BYTES: Final = 12
_NUMBER: Final = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9-]{1,23}", re.ASCII)
_PERSON: Final = re.compile(r"[0-9]{3,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShowAudit(Reading):
    """Deeds that match all that is said, the newest first. who: a Telegram id or a part of a name.
    what: a number in capitals, or an action as the trail names it. days: None for any."""

    who: str = ""
    what: str = ""
    days: Span | NoSuchDay | None = None


def read_audit(words: Sequence[str]) -> ShowAudit | None:
    """Nothing; or a person, a number or an action, and days, in any order; each once."""
    who = what = ""
    days: Span | NoSuchDay | None = None
    for word in words:
        text = fold(word)
        found = read_days(text)
        if found is not None and not _PERSON.fullmatch(text):
            if days is not None:
                return None
            days = found
        elif text.lower() in WORDS["trail"] or _NUMBER.fullmatch(text.upper()):
            if what:
                return None
            what = text.lower() if text.lower() in WORDS["trail"] else text.upper()
        elif who or not (_PERSON.fullmatch(text) or _is_part_of_name(word)):
            return None
        else:
            who = text if _PERSON.fullmatch(text) else word
    return ShowAudit(who, what, days)


def _is_part_of_name(word: str) -> bool:
    return len(word.encode()) <= MAX_WHO_BYTES and ":" not in word


COMMANDS: Final = (
    Command(
        "audit",
        {ShowAudit: "watch"},
        read_audit,
        forms=("审计",),
        what="Who did what",
        usage=(
            "审计",
            "审计 M1001 昨天",
            "/audit",
            "/audit 123456789",
            "/audit P2J0001PQ8WKRZQMHM1I",
            "/audit set_setting 2026-11-20",
        ),
        answer=(
            "what people did, the newest first, by pages: of a person (number or a part of the"
            " name), about an order, merchant, supplier or channel, of an action, of days"
        ),
        place="private",
    ),
)
