"""Lines of money as people type them: `+1000`, `-1.5万`, `+100u`, `+1000 M1002 for rent`.

Pure and exact. What may be talk (`+1`, `+1 me too`, a phone number) is never read as money.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from core.vouchers import MAX_REMARK_CHARS

MAX_LINES: Final = 20
_SHOWN_CHARS: Final = 40
_PHONE_DIGITS: Final = range(11, 16)

# Full-width forms and the signs that keyboards put for + and -, one character for one.
_FOLD: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: " ", 0x00A0: " ", 0x2212: "-", 0xFE63: "-", 0xFE62: "+", 0x3002: ".",
}  # fmt: skip
_YUAN: Final = ("元", "块")
_SCALES: Final = {"": 1, "k": 1000, "千": 1000, "万": 10_000}

_NUMBER: Final = (
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)(?P<scale>[kK千万]?)"
)
_UNSIGNED: Final = re.compile(_NUMBER)
_LINE: Final = re.compile(
    rf"(?P<sign>[+-]){_NUMBER}(?P<unit>[uU](?:[sS][dD][tT])?|元|块)?"
    r"(?:/(?P<rate>[0-9]{1,6}(?:\.[0-9]{1,8})?))?"
    r"(?:[ \t]+(?P<rest>.*))?"
)
# Begins like an amount and holds nothing but what amounts are written with (1e9 among them): a
# slip, not talk.
_SLIP: Final = re.compile(
    r"[+-][0-9](?:[0-9.,/uUsSdDtTkKwW千万元块圆角分$¥¥]*|[0-9.]*[eE][+-]?[0-9]+)(?:[ \t].*)?"
)
# A country code with seven digits or more after it, written apart: +86 138 0013 8000.
_APART: Final = re.compile(r"[+-][0-9]{1,3}[ ()-]+(?:[0-9][ ()-]*){7,}")
_MERCHANT_NO: Final = re.compile(r"[Mm][0-9]{1,11}")
_SUPPLIER_NO: Final = re.compile(r"[Ss][0-9]{2,9}")
_MAX_NUMBER_CHARS: Final = 24
_TALK: Final = re.compile(r"[1-9]")


@dataclass(frozen=True, slots=True)
class AdvanceLine:
    """One line of money. amount: signed, main units, exact; of `unit`.

    unit: 'USDT', 'CNY' (元, 块), or '' for the merchant's own currency. rate: as written after the
    slash; USDT without one is at the group's own rate. line: its place in the message, from 1.
    """

    line: int
    amount: Decimal
    unit: Literal["", "USDT", "CNY"] = ""
    rate: Decimal | None = None
    merchant_no: str | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that cannot be booked. why: amount | line | rate | too_many."""

    line: int
    text: str
    why: Literal["amount", "line", "rate", "too_many"]


@dataclass(frozen=True, slots=True)
class PhoneLike:
    """Digits that may be a telephone number; said to holders of the right only."""

    line: int
    text: str


def fold(text: str) -> str:
    """Full-width digits, letters and signs as plain ones; every character stays in its place."""
    return text.translate(_FOLD)


def read_advances(text: str) -> tuple[AdvanceLine, ...] | Unreadable | PhoneLike | None:
    """The money lines of a message; None where it is talk.

    All or nothing: with one line that cannot be read, the first such line is the answer.
    """
    lines = [(n, line.strip()) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = [(n, line, read_line(line, n)) for n, line in lines]
    good = tuple(item for _, _, item in found if isinstance(item, AdvanceLine))
    if good and len(good) == len(found):
        if len(good) > MAX_LINES:
            return Unreadable(good[MAX_LINES].line, "", "too_many")
        return good
    faults = [item for _, _, item in found if isinstance(item, Unreadable | PhoneLike)]
    if good:
        unread = next((n, line) for n, line, item in found if not isinstance(item, AdvanceLine))
        at_it = [fault for fault in faults if fault.line == unread[0]]
        return at_it[0] if at_it else Unreadable(unread[0], unread[1][:_SHOWN_CHARS], "line")
    return faults[0] if len(lines) == 1 and faults else None


def read_line(
    text: str, line: int, *, explicit: bool = False
) -> AdvanceLine | Unreadable | PhoneLike | None:
    """One line; None where it is talk. explicit: it follows a command, so nothing is talk."""
    plain = fold(text)
    if plain[:1] not in ("+", "-") or not plain[1:2].isdigit() or not plain[1:2].isascii():
        return None
    match = _LINE.fullmatch(plain)
    if not explicit:
        if match is not None and _is_talk(match):
            return None
        if _is_phone(plain, match):
            return PhoneLike(line, text[:_SHOWN_CHARS])
    if match is None:
        slip = explicit or (len(plain) > 2 and _SLIP.fullmatch(plain))
        return Unreadable(line, text[:_SHOWN_CHARS], "amount") if slip else None
    return _advance(match, text, line)


def _advance(match: re.Match[str], text: str, line: int) -> AdvanceLine | Unreadable:
    shown = text[:_SHOWN_CHARS]
    amount = _main_units(match)
    rate = Decimal(match["rate"]) if match["rate"] else None
    if not amount:
        return Unreadable(line, shown, "amount")
    if rate == 0:
        return Unreadable(line, shown, "rate")
    # Folding keeps every character in its place, so the remark is taken as it was typed.
    rest = text[match.start("rest") :].strip() if match["rest"] else ""
    words = rest.split(maxsplit=1)
    merchant_no = None
    if words and _MERCHANT_NO.fullmatch(fold(words[0])):
        merchant_no = fold(words[0]).upper()
        rest = words[1] if len(words) > 1 else ""
    return AdvanceLine(
        line=line,
        amount=-amount if match["sign"] == "-" else amount,
        unit=_unit(match["unit"]),
        rate=rate,
        merchant_no=merchant_no,
        remark=rest[:MAX_REMARK_CHARS],
    )


def _unit(written: str | None) -> Literal["", "USDT", "CNY"]:
    if not written:
        return ""
    return "CNY" if written in _YUAN else "USDT"


def read_amount(word: str) -> Decimal | None:
    """An amount that needs no sign, in main units: `50000`, `5万`, `1,234.5`; None where the word
    is none."""
    match = _UNSIGNED.fullmatch(fold(word))
    return _main_units(match) if match is not None else None


def named_supplier(remark: str) -> tuple[str | None, str]:
    """(number, what remains) of a remark that begins with a supplier's number."""
    words = remark.split(maxsplit=1)
    if not words or not _SUPPLIER_NO.fullmatch(fold(words[0])):
        return None, remark
    return fold(words[0]).upper(), words[1] if len(words) > 1 else ""


def _main_units(match: re.Match[str]) -> Decimal | None:
    """Exactly what was written; None where that is more than arithmetic carries exactly."""
    if len(match["number"]) > _MAX_NUMBER_CHARS:
        return None
    return Decimal(match["number"].replace(",", "")) * _SCALES[match["scale"].lower()]


def _is_plain(match: re.Match[str]) -> bool:
    """Whether nothing but its digits says that this is money."""
    words = (match["rest"] or "").split(maxsplit=1)
    named = bool(words) and _MERCHANT_NO.fullmatch(words[0]) is not None
    return not (match["scale"] or match["unit"] or named)


def _is_talk(match: re.Match[str]) -> bool:
    return _is_plain(match) and _TALK.fullmatch(match["number"]) is not None


def _is_phone(plain: str, match: re.Match[str] | None) -> bool:
    if _APART.match(plain):
        return True
    return (
        match is not None
        and _is_plain(match)
        and match["number"].isdigit()
        and len(match["number"]) in _PHONE_DIGITS
    )
