"""The hours at which a channel works, by the clock on its supplier's wall. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

from core.kernel.errors import Refusal

_HOURS: Final = re.compile(
    r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*[-~–—]\s*(?:([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00)",
    re.ASCII,
)
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Hours:
    """From when (included) until when (not included). Closing before opening is the next day's."""

    opens: time
    closes: time

    def __contains__(self, at: time) -> bool:
        if self.opens < self.closes:
            return self.opens <= at < self.closes
        return at >= self.opens or at < self.closes

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


def read_hours(text: str) -> Hours:
    """Hours from '09:00-23:00'; '22:00-06:00' is over midnight, '09:00-24:00' until it.

    Refusals: hours_invalid, also for hours that begin when they end: all day is no hours at all.
    """
    found = _HOURS.fullmatch(text.strip().replace("：", ":"))
    if found is None:
        raise _invalid(text)
    closes = time(int(found[3]), int(found[4])) if found[3] else time(0)
    hours = Hours(time(int(found[1]), int(found[2])), closes)
    if hours.opens == hours.closes:
        raise _invalid(text)
    return hours


def _invalid(text: str) -> Refusal:
    return Refusal("hours_invalid", text=text[:_SHOWN_CHARS], example="09:00-23:00")
