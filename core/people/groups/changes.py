"""What people set about a group: one thing each, checked before it is written. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from core.delivery.outbox import TopicUse
from core.kernel.errors import Refusal
from core.people.groups.quiet import QuietHours

MAX_LABEL_CHARS: Final = 12
MAX_SEGMENT_CHARS: Final = 20
MAX_SEGMENTS: Final = 10
# A name of a segment begins with none of these, and has no blanks.
_SIGNS: Final = "+-/"
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Label:
    """What prepayments are called there."""

    word: str


@dataclass(frozen=True, slots=True)
class Language:
    """What the bot speaks there."""

    code: Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Zone:
    """On whose clocks times are told there: an IANA name; None for those of its holder."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nothing comes unasked; None for never."""

    hours: QuietHours | None


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether it is in this segment."""

    name: str
    member: bool


@dataclass(frozen=True, slots=True)
class InTopic:
    """In which topic of a forum something is shown, by Telegram's number; None for the general
    one."""

    use: TopicUse
    thread_id: int | None


GroupChange = Label | Language | Zone | Quiet | InSegment | InTopic


def checked(change: GroupChange) -> GroupChange:
    """The change as it is written. Refusals: label_invalid, segment_invalid, quiet_invalid."""
    match change:
        case Label(word):
            return Label(_word(word, MAX_LABEL_CHARS, "label_invalid"))
        case InSegment(name, member):
            plain = _word(name, MAX_SEGMENT_CHARS, "segment_invalid")
            if " " in plain or plain[0] in _SIGNS:
                raise Refusal("segment_invalid", text=name[:_SHOWN_CHARS], most=MAX_SEGMENT_CHARS)
            return InSegment(plain, member)
        case Quiet(QuietHours(start, end)) if start == end:
            raise Refusal("quiet_invalid", text=f"{start:%H:%M}-{end:%H:%M}")
        case _:
            return change


def _word(text: str, most: int, code: str) -> str:
    """A short text in one form, without what no eye sees."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if not 1 <= len(plain) <= most or not plain.isprintable():
        raise Refusal(code, text=text[:_SHOWN_CHARS], most=most)
    return plain
