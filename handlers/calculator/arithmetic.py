"""Sums as people type them: `(100+20%)*3`, `1.5万 × 7.2`, `100/7.2`. Pure and exact.

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = ["+" | "-"] ( number [scale] | "(" sum ")" ) { "%" }

A percentage behind + or - is one of what stands before it: 100+20% is 120.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final, Literal

from texts.amounts import SCALE, fold, read_amount

MAX_CHARS: Final = 120
MAX_TOKENS: Final = 60
PLACES: Final = 8
_MAX_NUMBER_CHARS: Final = 20
_LIMIT: Final = 10**18
_HUNDRED: Final = 100
_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_UP)

_SIGNS: Final = str.maketrans("×✖✕∗·÷∕⁄−–—[]{}", "*****///---()()")
_TOKEN: Final = re.compile(
    rf"[ \t]*(?:(?P<number>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    rf"(?![.,]?[0-9])(?P<scale>{SCALE})?|(?P<sign>[-+*/()%]))",
    re.IGNORECASE,
)

Why = Literal["sum", "zero", "large"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A sum without a result. why: it cannot be read; divides by 0; is too large. at: the rest of
    the text, from where it cannot be read on."""

    why: Why
    at: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a sum comes to. exact: else it is rounded half-up to 8 decimals."""

    value: Decimal
    exact: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A number or a sign. value: None for a sign. at: where it begins in the text."""

    text: str
    value: Fraction | None
    at: int


def folded(text: str) -> str:
    """A sum with plain signs and digits; every character stays in its place."""
    return fold(text).translate(_SIGNS)


def read_tokens(text: str) -> list[Token] | Fault:
    """The numbers and signs of a folded text."""
    tokens: list[Token] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or len(tokens) == MAX_TOKENS:
            return Fault("sum", text[at:])
        tokens.append(_token(found, at))
        at = found.end()
    return tokens


def _token(found: re.Match[str], at: int) -> Token:
    if found["sign"]:
        return Token(found["sign"], None, at)
    number = found["number"].replace(",", "")
    value = Fraction(number if len(number) <= _MAX_NUMBER_CHARS else _LIMIT)
    scale = read_amount(f"1{found['scale']}") if found["scale"] else None
    return Token(number, value * Fraction(scale.units) if scale else value, at)


def calculate(text: str) -> Result | Fault:
    """What a folded text comes to."""
    tokens = read_tokens(text)
    if isinstance(tokens, Fault):
        return tokens
    reader = _Reader(text, tokens)
    try:
        value = reader.sum()
        if reader.left:
            raise _Stop("sum")
    except _Stop as stop:
        return Fault(stop.why, reader.rest() if stop.why == "sum" else "")
    if abs(value) >= _LIMIT:
        return Fault("large")
    scaled = value * 10**PLACES
    whole, doubled = divmod(abs(scaled.numerator), scaled.denominator)
    rounded = whole + (2 * doubled >= scaled.denominator)
    shown = Decimal(-rounded if value < 0 else rounded).scaleb(-PLACES, _CONTEXT)
    return Result(shown.normalize(_CONTEXT) + 0, exact=doubled == 0)


class _Stop(Exception):
    """Nothing more can be computed."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class _Reader:
    """Reads tokens from left to right; each rule of the grammar is a method."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._next = 0

    @property
    def left(self) -> bool:
        """Whether anything is left to read."""
        return self._next < len(self._tokens)

    def rest(self) -> str:
        """The text that was not read."""
        return self._text[self._tokens[self._next].at :].strip() if self.left else ""

    def sum(self) -> Fraction:
        value, _ = self._product()
        while self._sees("+-"):
            sign = self._take()
            other, percentage = self._product()
            if percentage:
                other *= value
            value = self._small(value - other if sign == "-" else value + other)
        return value

    def _product(self) -> tuple[Fraction, bool]:
        """Its value, and whether it is a percentage alone."""
        value, percentage = self._factor()
        while self._sees("*/"):
            sign = self._take()
            other, _ = self._factor()
            percentage = False
            if sign == "/" and other == 0:
                raise _Stop("zero")
            value = self._small(value / other if sign == "/" else value * other)
        return value, percentage

    def _factor(self) -> tuple[Fraction, bool]:
        negative = self._sees("+-") and self._take() == "-"
        if self._sees("("):
            self._take()
            value = self.sum()
            if not self._sees(")"):
                raise _Stop("sum")
            self._take()
        else:
            value = self._number()
        percentage = False
        while self._sees("%"):
            self._take()
            value, percentage = value / _HUNDRED, True
        return -value if negative else value, percentage

    def _number(self) -> Fraction:
        value = self._tokens[self._next].value if self.left else None
        if value is None:
            raise _Stop("sum")
        self._next += 1
        return self._small(value)

    def _sees(self, signs: str) -> bool:
        if not self.left:
            return False
        token = self._tokens[self._next]
        return token.value is None and token.text in signs

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1].text

    def _small(self, value: Fraction) -> Fraction:
        if abs(value) >= _LIMIT:
            raise _Stop("large")
        return value
