"""Numbers of orders as people write them: alone, in lists, in sentences, behind a command.

Pure. What a word *may* be is decided here, by its shape; what it *is*, by which orders exist.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiogram.types import Message

from core.kernel.ids import MERCHANT_NUMBER, MERCHANT_NUMBER_CHARS, NUMBER_CHARS, read_number
from core.kernel.money import EXPONENTS
from texts.amounts import fold
from texts.days import read_days

# So many words of a message are taken for numbers at most; so many orders are shown for them.
MAX_WORDS: Final = 20
MAX_SHOWN: Final = 10
# Talk: what is shorter is no number in a sentence (ABC-1 is one: a letter and a mark stand with its
# digit), nor where it is all that was said.
_IN_TALK_CHARS: Final = 6
_MARKED_CHARS: Final = 5
_ALONE_CHARS: Final = 4
# Digits alone may be an amount, unless they are as many or begin with 0.
_IN_TALK_DIGITS: Final = 8
_ALONE_DIGITS: Final = 6

# Dashes that keyboards put for a hyphen, and the end of a Chinese sentence, which is no point here.
_PLAIN: Final = {**dict.fromkeys(range(0x2010, 0x2014), "-"), 0x3002: " "}
_AMOUNT: Final = re.compile(
    rf"[0-9]{{1,15}}(?:\.[0-9]{{1,3}})?[kw]?(?:u|rmb|{'|'.join(EXPONENTS)})?",
    re.ASCII | re.IGNORECASE,
)
_MARKS: Final = ".-_|"  # which stand in numbers, and around them
_WORD: Final = re.compile(r"[A-Za-z0-9_.|-]+", re.ASCII)
# Beside these it is an amount, or part of an address.
_NOT_BEHIND: Final = frozenset("+¥$€£@")
_NOT_BEFORE: Final = frozenset("@%元块圆万萬千")
_OURS: Final = re.compile(
    rf"(?<![0-9A-Za-z])[A-Za-z][0-9A-Za-z]{{{NUMBER_CHARS - 1}}}(?![0-9A-Za-z])", re.ASCII
)
_LEGAL: Final = re.compile(MERCHANT_NUMBER, re.ASCII)
# Says that a number follows: whatever its shape, it is meant.
_LABEL: Final = re.compile(
    r"(?:单号|订单号?|order(?: ?(?:no\.?|number))?)[ \t]*(?:[:#是为][ \t]*)*\Z", re.IGNORECASE
)
_LABEL_CHARS: Final = 20
_AROUND: Final = ",;、/#:"
# A number, and what a mark parts from it that stands in no number.
_PARTING: Final = ",，;；、:："
_PARTED: Final = re.compile(
    rf"(?P<number>[#{_PARTING}]*[^{_PARTING}]+)[{_PARTING}]+(?P<rest>[^{_PARTING}].*)"
)
_BETWEEN: Final = re.compile(rf"[\s{_AROUND}]*")


@dataclass(frozen=True, slots=True)
class NumberWord:
    """A word that may be an order's number, in plain characters.

    readings: the numbers it may name, the likeliest reading first: it as it stands, without the
    marks around it, its parts between bars, our own number inside it. figured: it has a digit.
    """

    text: str
    readings: tuple[tuple[str, ...], ...]
    figured: bool

    @property
    def ours(self) -> bool:
        """Whether one of our own numbers is in it, by its check character."""
        return any(read_number(number) for reading in self.readings for number in reading)

    def meant(self, found: Collection[str]) -> tuple[str, ...]:
        """The reading of which there is something; else the word itself, which is unknown."""
        known = (r for r in self.readings if any(number in found for number in r))
        return next(known, (self.text,))


def only_number(word: str) -> str | None:
    """The number that a word is, in plain characters and without what stands around numbers in a
    list; None where no order can have it."""
    number = plain(word).strip(_AROUND)
    return number if _is_legal(number) else None


def split_number(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The number that a command begins with, and the words behind it, which a mark may part from
    it as a blank does: `SHOP-1，供应商已确认`. None where no order can have it, or another number
    follows: one of both would be left out."""
    head, *tail = words or ("",)
    parts = _PARTED.fullmatch(head)
    number, rest = head, tail
    if parts is not None:
        number, rest = parts["number"], [parts["rest"], *tail]
        if begins_number(parts["rest"]):
            return None
    found = only_number(number)
    if found is None or (rest and _word(plain(rest[0])).ours):
        return None
    return found, rest


def _is_legal(number: str) -> bool:
    return _LEGAL.fullmatch(number) is not None


def numbers_said(text: str) -> tuple[NumberWord, ...]:
    """What may be a number behind a command: every word that a merchant may use as one."""
    return _at_most(_word(found[0]) for found in _words(plain(text)))


def numbers_in(text: str) -> tuple[NumberWord, ...]:
    """What stands out as a number in talk: one of ours, what is labelled as one, and what has a
    digit and is long enough; a message that is nothing else may hold shorter ones."""
    text = plain(text)
    words = [(found, _word(found[0])) for found in _words(text)]
    alone = _is_only(text) and all(_stands_alone(word) for _, word in words)
    standing = (
        word
        for found, word in words
        if alone or _stands_out(word) or (word.figured and _is_labelled(text, found.start()))
    )
    return _at_most(standing)


def numbers_replied_to(text: str) -> tuple[NumberWord, ...]:
    """What may be meant by asking for the order of this message: what stands out in it, or else
    whatever has a digit."""
    return numbers_in(text) or tuple(word for word in numbers_said(text) if word.figured)


def replied_to(message: Message) -> tuple[NumberWord, ...]:
    """What may be a number in the message that is replied to, or in the part of it that is
    quoted."""
    replied, quote = message.reply_to_message, message.quote
    words = numbers_replied_to(quote.text) if quote is not None else ()
    if not words and replied is not None:
        words = numbers_replied_to(replied.text or replied.caption or "")
    return words


def begins_number(word: str) -> bool:
    """Whether the first word behind a command holds numbers and nothing else, or begins with one
    that has a digit; what stands between numbers may come first."""
    word = _BETWEEN.sub("", plain(word), count=1)
    first = _WORD.match(word)
    return _is_only(word) or (first is not None and _word(first[0]).figured)


def plain(text: str) -> str:
    """Full-width forms as plain ones, and no marks that nobody sees."""
    return "".join(c for c in fold(text.translate(_PLAIN)) if unicodedata.category(c) != "Cf")


def _words(text: str) -> Iterator[re.Match[str]]:
    for found in _WORD.finditer(text):
        start, end = found.span()
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if (before not in _NOT_BEHIND and after not in _NOT_BEFORE) or _word(found[0]).ours:
            yield found


def _is_only(text: str) -> bool:
    """Whether a text holds words that may be numbers, and what stands between them."""
    return not _BETWEEN.sub("", _WORD.sub("", text))


def _word(text: str) -> NumberWord:
    bare = text.strip(_MARKS)
    parts = tuple(part for piece in bare.split("|") if (part := piece.strip(_MARKS)))
    ours = tuple(n for n in _OURS.findall(text) if read_number(n) is not None)
    readings = ((text,), (text.removesuffix("."),), (bare,), parts, ours)
    legal = (r for r in readings if r and all(_is_legal(number) for number in r))
    return NumberWord(
        bare if 0 < len(bare) <= MERCHANT_NUMBER_CHARS else text[:MERCHANT_NUMBER_CHARS],
        tuple(dict.fromkeys(legal)),
        any(c.isdigit() for c in text),
    )


def _stands_alone(word: NumberWord) -> bool:
    return _is_sizeable(word, _ALONE_CHARS, _ALONE_DIGITS)


def _stands_out(word: NumberWord) -> bool:
    kinds = {c.isalpha() for c in word.text if not c.isdigit()}
    chars = _MARKED_CHARS if kinds == {True, False} else _IN_TALK_CHARS
    enough = _is_sizeable(word, chars, _IN_TALK_DIGITS)
    return enough and (word.ours or read_days(word.text) is None)


def _is_sizeable(word: NumberWord, chars: int, digits: int) -> bool:
    text = word.text
    if word.ours:
        return True
    if not word.figured or len(text) < chars:
        return False
    if text.isdigit():
        return len(text) >= digits or text.startswith("0")
    return _AMOUNT.fullmatch(text) is None


def _is_labelled(text: str, start: int) -> bool:
    return _LABEL.search(text[max(0, start - _LABEL_CHARS) : start]) is not None


def _at_most(words: Iterable[NumberWord]) -> tuple[NumberWord, ...]:
    """Each once, in the order in which they were written."""
    return tuple(dict.fromkeys(word for word in words if word.readings))[:MAX_WORDS]
