"""What is heard as a sum: `=…` is one; without it, only what can be nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from handlers.calculator.arithmetic import (
    MAX_CHARS,
    Fault,
    Result,
    Why,
    calculate,
    folded,
    read_tokens,
)
from handlers.kit.commands import Command, Words
from handlers.kit.grammar import latin_or_money
from handlers.kit.intents import Intent, Mistake, Reading
from handlers.orders.numbers import numbers_in
from texts.days import read_days

# Where all signs are of these, it may be a number, a telephone number, a date or a range.
_DASHES: Final = frozenset("-")
_SLASHES: Final = frozenset("/")
_PLUSES: Final = frozenset("+")
_TIMES: Final = frozenset("*")
_SIGNS: Final = frozenset("+-*/")
_SIGNS_SAID: Final = frozenset("+-*/%(xX")
_BEGINS: Final = re.compile(r"[0-9.(]")
_ASKS: Final = re.compile(r"[ \t]*=?[ \t]*[?]?\Z")
_X: Final = re.compile(r"(?<=[0-9%)万千wk])[ \t]*[x][ \t]*(?=[0-9(.])", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9* \t]*")  # no 1,000, 2万 or 10%
_SURE_DIGITS: Final = {"+": 3, "/": 5}  # a year has four
_NUMBERED: Final = 8  # a whole number of so many digits names something
_MANY: Final = 3


@dataclass(frozen=True, slots=True)
class Calculate(Reading):
    """A sum and what it comes to. text: as it was typed. exact: as in `Result`. talk: nobody
    announced it by = or a command."""

    text: str
    value: Decimal
    exact: bool
    talk: bool = False

    def gives_way(self) -> bool:
        return self.talk


@dataclass(frozen=True, slots=True)
class SumFault(Mistake):
    """Meant as a sum, which has no result. at: from where on it cannot be read."""

    text: str
    why: Why
    at: str


def hear(text: str) -> Intent | None:
    """A sum in a message that is nothing else."""
    if len(text) > MAX_CHARS or "\n" in text:
        return None
    plain = folded(text).strip()
    if plain.startswith("="):
        said = plain.lstrip("= \t")
        return _read(text.strip().lstrip("=＝ \t"), said) if _is_meant(said) else None
    said = _ASKS.sub("", plain)
    if not _is_sum(said) or numbers_in(said):  # numbers of orders go first
        return None
    found = calculate(said)
    if not isinstance(found, Result):
        return None
    return Calculate(_ASKS.sub("", text.strip()), found.value, found.exact, talk=True)


def read_sum(words: Words) -> Intent | None:
    """All that follows the command."""
    text = " ".join(words)
    if not text or len(text) > MAX_CHARS:
        return None
    return _read(text.lstrip("=＝ "), folded(text).lstrip("= "))


def _read(text: str, said: str) -> Intent:
    return _of(text, calculate(_X.sub("*", _ASKS.sub("", said))))


def _of(text: str, found: Result | Fault) -> Intent:
    if isinstance(found, Fault):
        return SumFault(text, found.why, found.at)
    return Calculate(text, found.value, found.exact)


def _is_meant(said: str) -> bool:
    """Whether what stands behind = is a sum, rightly written or not: =) and =_= are faces, and
    =100 is no question."""
    begun = _BEGINS.match(said.lstrip("+- \t")) is not None
    return begun and any(c.isdigit() for c in said) and not _SIGNS_SAID.isdisjoint(said[1:])


def _is_sum(said: str) -> bool:
    """Whether a text that was not announced is a sum beyond doubt."""
    if not _BEGINS.match(said) or read_days(said) is not None:
        return False
    tokens = read_tokens(said)
    if isinstance(tokens, Fault):
        return False
    numbers = [token.text for token in tokens if token.value is not None]
    signs = {token.text for token in tokens} & _SIGNS
    if len(numbers) < 2 or not signs or signs in (_DASHES, _DASHES | _SLASHES):
        return False
    if any("." not in number and len(number) >= _NUMBERED for number in numbers):
        return False
    decimal = any("." in number for number in numbers)
    if signs in (_SLASHES, _PLUSES):  # 11/20, 24/7 and 1+1 are said, and computed by nobody
        return decimal or any(len(number) >= _SURE_DIGITS[min(signs)] for number in numbers)
    if signs == _TIMES:  # 7*24, 1920*1080 and 6222*1234 are said as well
        return decimal or len(numbers) >= _MANY or not _WHOLE.fullmatch(said)
    return True


COMMANDS: Final = (
    Command(
        "calc",
        {},
        read_sum,
        forms=("计算",),
        takes=lambda word: latin_or_money(word) or word[0] in "(=",
        what="A sum",
        usage=("=(100+20%)*3", "100*1.006", "计算 1.5万/7.2", "/calc 100*1.006"),
        answer=(
            "the result, exact or rounded to 8 decimals: + - × ÷ with brackets, %, 万 and 千; what"
            " may be a date, a telephone number, an order's number, a prepayment or talk (7*24) is"
            " computed behind = only"
        ),
    ),
)
