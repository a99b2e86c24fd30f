"""The buttons that turn pages of the trail: they carry what is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from core.people.trail import MAX_PAGE
from handlers.audit.words import MAX_WHO_BYTES
from handlers.kit.buttons import Button, packed_days, read_days, whole

_ID: Final = "#"  # before a Telegram id, which is written in the shortest digits there are
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_MAX_WHAT_CHARS: Final = 24


@dataclass(frozen=True, slots=True)
class TurnAudit(Button):
    """Another page. who, what: as in `ShowAudit`. first, last: days; None for any."""

    page: int
    who: str = ""
    what: str = ""
    first: date | None = None
    last: date | None = None

    def data(self) -> str:
        days = packed_days(self.first, self.last) if self.first and self.last else ""
        who = _ID + _short(int(self.who)) if self.who.isdecimal() else self.who
        return f"aud:{self.page}:{days}:{self.what}:{who}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["aud", page, days, what, who] if (
            len(what) <= _MAX_WHAT_CHARS and len(who.encode()) <= MAX_WHO_BYTES
        ):
            first, last = read_days(days) if days else (None, None)
            if who.startswith(_ID):
                who = str(int(who.removeprefix(_ID), len(_DIGITS)))
            return TurnAudit(whole(page, 1, MAX_PAGE), who, what, first, last)
    return None


def _short(number: int) -> str:
    """A number in base 36."""
    text = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text or "0"
