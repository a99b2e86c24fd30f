"""Lines of money as people type them: `+1000`, `-1.5 万`, `+100 u`, `+1000 M1002 for rent`.

Pure and exact. A line is understood as a whole, or nothing of it is; what may be talk (`+1`, a
telephone number, a question) is never read as money. docs/bot.md has the rules as a table.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from core.accounts.vouchers import MAX_REMARK_CHARS
from texts.amounts import (
    AMOUNT,
    Typed,
    begins_with_front,
    begins_with_unit,
    fold,
    fold_amount,
    read_rate,
    typed,
)

MAX_LINES: Final = 20
SHOWN_CHARS: Final = 40
_MAX_RATE: Final = 1_000_000
_RATE_DECIMALS: Final = 8
_PHONE_DIGITS: Final = range(11, 16)

Why = Literal["amount", "blank", "line", "question", "rate", "remark", "too_many"]

_HEAD: Final = re.compile(r"(?P<signs>[+-]*)(?P<gap>[ \t]*)")
_RATE: Final = re.compile(r"/(?P<rate>[0-9.]+)")
# What ends an amount: nothing, a mark as at the end of a sentence, or a mark before more words.
_END: Final = re.compile(
    r"(?:[!.~]*(?:[ \t]+(?P<after_blank>.*)|$)"
    r"|[!.~]*(?:[,;:、][ \t]*(?P<after_mark>[^\W\d].*)|[,;:、]?(?P<bracket>[(\[][^\d].*)))"
)
_QUESTION: Final = re.compile(
    r"[?¿]|[吗嗎](?!啡)|呢(?!\w)|(?:么|没|沒|没有|沒有)\W*$"
    r"|怎么|怎麼|为什么|為什麼|为啥|什么时候|几时|多久|哪里|是否|有没有|是不是"
    r"|^\W*(?:did|does|why|when|where|who|how|what|has it|is it|are you|have you)\b",
    re.IGNORECASE,
)
# Digits and signs of arithmetic, also behind a bracket and as words; a rate (`@ 7.2`, `汇率 7.2`);
# what is counted and is no money.
_NO_REMARK: Final = re.compile(
    r"[(\[{\"'“”‘’「《<\s]*(?:[0-9]|[+*/×÷=~^%<>\u2795\u2796-]|[\u2010-\u2015]|@[ \t]*[0-9]"
    r"|(?:个|個|张|張|分钟|小时|天|人|单|笔|次|件|条|台|位|kg|g|pcs|min|days?|hours?|times)(?!\w)"
    r"|(?:[x加减減乘除]|plus|minus|(?:按|汇率|匯率|rate)[ \t]*[:=]?)[ \t]*[0-9])",
    re.IGNORECASE,
)
# Begins like an amount and holds nothing but what amounts are written with (1e9 among them): a
# slip, not talk.
_SLIP_PARTS: Final = r"(?:[0-9.,'/kw千万萬元块圆角分毛$¥€£]|usdt|usd|u(?![a-z]))+"
_SLIP: Final = re.compile(rf"[0-9](?:{_SLIP_PARTS}|[0-9.]*e[+-]?[0-9]+)(?:[ \t].*)?", re.IGNORECASE)
_SLIP_END: Final = re.compile(rf"{_SLIP_PARTS}(?:[ \t].*)?", re.IGNORECASE)
# A country code with seven digits or more after it, written apart: +86 138 0013 8000.
_APART: Final = re.compile(r"[0-9]{1,3}[ ()-]+(?:[0-9][ ()-]*){7,}")
_MERCHANT_NO: Final = re.compile(r"[Mm][0-9]{1,11}")
_SUPPLIER_NO: Final = re.compile(r"[Ss][0-9]{2,9}")
_TALK: Final = re.compile(r"[1-9](?![0-9.,'])")
# What makes more than talk of a digit before it: 1万5, 1,5.
_BROKEN: Final = re.compile(r"[ \t]*[.,'kw千万萬]+[0-9]", re.IGNORECASE)
_SPOKEN_PLACE: Final = re.compile("[百千万佰仟萬]")


@dataclass(frozen=True, slots=True)
class AdvanceLine:
    """One line of money. amount: negative where it is taken back.

    rate: as written after the slash; USDT without one is at the group's own rate. line: its place
    in the message, from 1.
    """

    line: int
    amount: Typed
    rate: Decimal | None = None
    merchant_no: str | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that cannot be booked. why:

    amount    it is no amount
    blank     a blank is missing between amount and remark, or stands behind the sign
    line      it is no line of money at all, among lines that are
    question  it asks
    rate      the rate is 0, too large or too fine, or is none
    remark    what follows the amount may belong to it
    too_many  there are more than `MAX_LINES` lines

    aside: it may well be talk, so that only who wrote it hears of it.
    """

    line: int
    text: str
    why: Why
    aside: bool = False


@dataclass(frozen=True, slots=True)
class PhoneLike:
    """Digits that may be a telephone number; said to holders of the right only."""

    line: int
    text: str


_Read = AdvanceLine | Unreadable | PhoneLike | None


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
    taken = all(item.amount.units < 0 for item in good)
    if good and taken and found[0][2] is None and len(good) * 2 < len(found):
        return None  # a page that was copied, of which a line says what was paid
    if good:
        unread = next((n, line) for n, line, item in found if not isinstance(item, AdvanceLine))
        at_it = [fault for fault in faults if fault.line == unread[0]]
        return at_it[0] if at_it else Unreadable(unread[0], unread[1][:SHOWN_CHARS], "line")
    if len(lines) == 1:
        return faults[0] if faults else None
    # Of several lines that all may be talk, as a list with dashes is, nothing is said.
    return next((f for f in faults if isinstance(f, Unreadable) and not f.aside), None)


def read_line(text: str, line: int, *, explicit: bool = False) -> _Read:
    """One line; None where it is talk. explicit: it follows a command, so that nothing is talk
    and a plus may be left out."""
    plain = fold_amount(text)
    head = _HEAD.match(plain)
    assert head is not None
    body = plain[head.end() :]
    if not (head["signs"] or explicit):
        return None
    shown = text[:SHOWN_CHARS]
    if len(head["signs"]) > 1:
        return Unreadable(line, shown, "amount", aside=True) if body[:1].isdecimal() else None
    if not explicit and _is_phone(body):
        return PhoneLike(line, shown)
    match = AMOUNT.match(body)
    if match is None:
        return _unread(body, line, shown, explicit=explicit)
    if not explicit and _is_talk(match):
        return None
    negative = head["signs"] == "-"
    amount = typed(match, text[head.end() :][: match.end()], negative=negative)
    if amount is None or not amount.units:
        return Unreadable(line, shown, "amount", aside=bool(match["spoken"]) and not explicit)
    found = _with_rest(text[head.end() :], body, match, AdvanceLine(line, amount))
    # `- 1000` and `+ 1000 apples` may be lines of a list.
    listed = bool(head["gap"]) and not explicit
    if isinstance(found, Unreadable):
        aside = found.aside or (listed and negative)
        return replace(found, text=shown, aside=aside and not explicit)
    if listed and (negative or found.remark):
        return Unreadable(line, shown, "blank", aside=True)
    return found


def _with_rest(
    text: str, body: str, match: re.Match[str], found: AdvanceLine
) -> AdvanceLine | Unreadable:
    """The line with what follows its amount: a rate, a merchant's number, a remark.

    text, body: what follows the sign, as typed and folded; both of one length.
    """
    at = match.end()
    rated = _RATE.match(body, at)
    if rated is not None:
        # A point that ends the sentence is none of the rate.
        number = rated["rate"].rstrip(".")
        at = rated.start("rate") + len(number)
        found = replace(found, rate=read_rate(number))
    tail = body[at:]
    if _QUESTION.search(tail):
        return Unreadable(found.line, "", "question", aside=True)
    if rated is not None and not _may_be_rate(found.rate):
        return Unreadable(found.line, "", "rate")
    end = _END.fullmatch(tail)
    if end is None:
        slip = _SLIP_END.fullmatch(tail) is not None
        why: Why = "blank" if _begins_remark(tail) and not slip else "amount"
        return Unreadable(found.line, "", why, aside=_is_plain(match) and not slip)
    starts = [end.start(name) for name in ("after_blank", "after_mark", "bracket") if end[name]]
    rest = text[at + starts[0] :].strip() if starts else ""
    words = rest.split(maxsplit=1)
    if words and _MERCHANT_NO.fullmatch(fold(words[0])):
        rest = words[1] if len(words) > 1 else ""
        found = replace(found, merchant_no=fold(words[0]).upper())
    if rest and _may_belong(fold(rest)):
        return Unreadable(found.line, "", "remark")
    return replace(found, remark=rest[:MAX_REMARK_CHARS])


def _begins_remark(tail: str) -> bool:
    """Whether what touches an amount is more likely a word or a picture than a sign of it."""
    return tail[0].isalpha() or unicodedata.category(tail[0]) == "So"


def _may_be_rate(rate: Decimal | None) -> bool:
    """Within what a group's own rate may be."""
    return rate is not None and 0 < rate <= _MAX_RATE and rate == round(rate, _RATE_DECIMALS)


def _may_belong(rest: str) -> bool:
    """Whether what follows an amount may be more of it: such a thing is no remark."""
    if _NO_REMARK.match(rest) is not None or begins_with_unit(rest):
        return True
    spoken = AMOUNT.match(rest)  # 五百, but not 十一月
    return spoken is not None and not rest[spoken.end() : spoken.end() + 1].isalnum()


def _unread(body: str, line: int, shown: str, *, explicit: bool) -> Unreadable | None:
    """What is no amount: a slip, something that only its writer hears of, or talk."""
    if explicit:
        return Unreadable(line, shown, "question" if _QUESTION.search(body) else "amount")
    if _SLIP.fullmatch(body):
        return Unreadable(line, shown, "amount")
    if begins_with_front(body):
        return Unreadable(line, shown, "amount")
    if not body[:1].isdecimal() or _TALK.match(body):
        return None
    if _QUESTION.search(body):
        return Unreadable(line, shown, "question", aside=True)
    glued = re.match(r"[0-9.,']+[^\W\d_]", body) is not None
    return Unreadable(line, shown, "blank" if glued else "amount", aside=True)


def named_supplier(remark: str) -> tuple[str | None, str]:
    """(number, what remains) of a remark that begins with a supplier's number."""
    words = remark.split(maxsplit=1)
    if not words or not _SUPPLIER_NO.fullmatch(fold(words[0])):
        return None, remark
    return fold(words[0]).upper(), words[1] if len(words) > 1 else ""


def _is_plain(match: re.Match[str]) -> bool:
    """Whether nothing but its digits says that this is money."""
    return not any(match[name] for name in ("before", "scale", "after"))


def _is_talk(match: re.Match[str]) -> bool:
    """`+1`, `+9 me too`, `+一个`: a digit alone, unless a merchant's number follows."""
    if not _is_plain(match):
        return False
    tail = match.string[match.end() :]
    if _names_merchant(tail) or _BROKEN.match(tail):
        return False
    if match["spoken"]:
        return not _SPOKEN_PLACE.search(match["spoken"])
    return _TALK.fullmatch(match["number"]) is not None


def _names_merchant(tail: str) -> bool:
    words = tail.lstrip("!.~,:;").split(maxsplit=1)
    return any(_MERCHANT_NO.fullmatch(word) for word in words[:1])


def _is_phone(body: str) -> bool:
    if _APART.match(body):
        return True
    digits = re.match(r"[0-9]+(?![0-9.,'/])", body)
    if digits is None or digits.end() not in _PHONE_DIGITS:
        return False
    match = AMOUNT.match(body)
    if match is None or not _is_plain(match):
        return match is None
    return not _names_merchant(body[match.end() :])
