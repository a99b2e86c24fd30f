"""What people say about broadcasts: `群发商户`, `消息管理 B12`, and when: `明天 09:00`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from core.kernel.clock import read_zone
from handlers.kit.commands import Command
from handlers.kit.intents import Changing, Intent, Reading
from texts.amounts import fold

Aim = Literal["all", "merchants", "suppliers", "segment", "picked"]

_NO: Final = re.compile(r"[Bb]([1-9][0-9]{0,8})", re.ASCII)
_MOMENT: Final = re.compile(
    r"(?:(?P<day>明天|tomorrow|(?:(?P<y>\d{4})-)?(?P<m>\d{1,2})-(?P<d>\d{1,2}))\s+)?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?:\s+(?P<zone>\S+))?",
    re.ASCII,
)
MOMENT_EXAMPLE: Final = "09:00"
_AIMS: Final[dict[str, Aim]] = {
    "all": "all", "全部": "all",
    "merchants": "merchants", "商户": "merchants",
    "suppliers": "suppliers", "供应商": "suppliers",
}  # fmt: skip
_SEGMENT: Final = frozenset({"segment", "分组"})
_EDIT: Final = frozenset({"edit", "修改"})


@dataclass(frozen=True, slots=True)
class WriteBroadcast(Changing):
    """Send the message that this replies to, once it is confirmed. aim: picked: whom, is pressed
    next. segment: its name."""

    aim: Aim
    segment: str = ""


@dataclass(frozen=True, slots=True)
class ReviseBroadcast(Changing):
    """Say what the message says that this replies to, wherever a broadcast stands. no: as in
    B12."""

    no: int


@dataclass(frozen=True, slots=True)
class ShowBroadcasts(Reading):
    """All broadcasts, or one."""

    no: int | None = None


def read_broadcast(words: Sequence[str]) -> Intent | None:
    """Whom it is for; nothing where that is pressed; or what is to be said anew."""
    if not words:
        return WriteBroadcast("picked")
    first = fold(words[0]).lower()
    if len(words) == 1:
        return WriteBroadcast(_AIMS[first]) if first in _AIMS else None
    if len(words) == 2 and first in _SEGMENT:
        return WriteBroadcast("segment", words[1])
    if len(words) == 2 and first in _EDIT and (no := _no(words[1])):
        return ReviseBroadcast(no)
    return None


def read_broadcasts(words: Sequence[str]) -> Intent | None:
    """Nothing, or which one."""
    if not words:
        return ShowBroadcasts()
    no = _no(words[0]) if len(words) == 1 else None
    return ShowBroadcasts(no) if no else None


def read_moment(text: str, now: datetime, zone: str) -> datetime | None:
    """When that is on the clocks of a zone: `09:00` (the next one), `明天 09:00`, `11-30 09:00`
    (the next one) or `2026-11-30 09:00`; or of the zone that is named behind it, as in `09:00
    Europe/Berlin`. None where it is no time. Refusals: zone_unknown."""
    found = _MOMENT.fullmatch(fold(text).strip().lower())
    if found is None:
        return None
    clock = ZoneInfo(read_zone(found["zone"]) if found["zone"] else zone)
    today = now.astimezone(clock).date()
    try:
        at = time(int(found["hour"]), int(found["minute"]))
        if found["day"] is None:
            days = [today, today + timedelta(days=1)]
        elif found["m"] is None:
            days = [today + timedelta(days=1)]
        else:
            years = [int(found["y"])] if found["y"] else [today.year, today.year + 1]
            days = [date(year, int(found["m"]), int(found["d"])) for year in years]
    except ValueError:
        return None
    moments = [datetime.combine(day, at, clock) for day in days]
    return next((moment for moment in moments if moment > now), moments[-1])


def may_follow(_: str) -> bool:
    """The name of a segment may be any word."""
    return True


def no_may_follow(word: str) -> bool:
    """The number of a broadcast."""
    return _NO.fullmatch(word) is not None


def _no(word: str) -> int | None:
    found = _NO.fullmatch(fold(word))
    return int(found[1]) if found is not None else None


COMMANDS: Final = (
    Command(
        "broadcast",
        {WriteBroadcast: "broadcast", ReviseBroadcast: "broadcast"},
        read_broadcast,
        forms=("群发全部", "群发商户", "群发供应商", "群发分组", "修改群发", "群发"),
        implied={
            "群发全部": "all",
            "群发商户": "merchants",
            "群发供应商": "suppliers",
            "群发分组": "segment",
            "修改群发": "edit",
        },
        takes=may_follow,
        apart=True,
        what="Send a message to many groups",
        usage=(
            "群发全部",
            "群发商户",
            "群发供应商",
            "群发分组 重点",
            "修改群发 B12",
            "/broadcast",
            "/broadcast segment VIP",
            "/broadcast edit B12",
        ),
        place="private",
        answer=(
            "in reply to any message of one's own to the bot, in private: a preview with whom it "
            "reaches and how long that takes; test, time, pin, send; see below"
        ),
    ),
    Command(
        "broadcasts",
        {ShowBroadcasts: "broadcast"},
        read_broadcasts,
        forms=("消息管理",),
        takes=no_may_follow,
        apart=True,
        what="What was sent to many groups",
        usage=("消息管理", "消息管理 B12", "/broadcasts", "/broadcasts B12"),
        answer=(
            "broadcasts by pages of eight, and a card for each: its progress and result; stop, "
            "retry, take back; see below"
        ),
    ),
)
