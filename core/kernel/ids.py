"""Names of things: UUIDv7 for rows, and public numbers that a person can read out.

A public number is a letter (what it is, and whether it is live), the month, the merchant's tag,
sixty random bits and a check character: 20 characters of A-Z and 0-9, never digits only. It leads
to its merchant and month without asking anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.errors import Bug

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_CHECK: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Two digits at once, and each step of the check character: every order makes numbers.
_PAIRS: Final = tuple(one + two for one in _DIGITS for two in _DIGITS)
_NEXT: Final = tuple(
    {c: ((product + place) % 36 or 36) * 2 % 37 for place, c in enumerate(_CHECK)}
    for product in range(37)
)
_IN_NUMBERS: Final = frozenset(_DIGITS)
_AS_PYTHON_COUNTS: Final = str.maketrans(_DIGITS, _CHECK[:32])
_UUID_RANDOM_BITS: Final = 74
_UUID_LAST: Final = 2**62 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH_YEAR: Final = 2020
_RANDOM_CHARS: Final = 12
NUMBER_CHARS: Final = 1 + 2 + 4 + _RANDOM_CHARS + 1
MAX_TAG: Final = 32**4 - 1
# What a merchant may call an order (a pattern), and how long such a number may be.
MERCHANT_NUMBER_CHARS: Final = 64
MERCHANT_NUMBER: Final = rf"[A-Za-z0-9_.|-]{{1,{MERCHANT_NUMBER_CHARS}}}"

# (what, mode) -> first letter
_LETTERS: Final[dict[tuple[str, str], str]] = {
    ("order", "live"): "P",
    ("order", "test"): "T",
    ("attempt", "live"): "A",
    ("attempt", "test"): "B",
    ("refund", "live"): "R",
    ("refund", "test"): "S",
}
_KINDS: Final = {letter: kind for kind, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What a public number says of itself."""

    what: str
    mode: str
    month: date
    merchant_tag: int


class Ids:
    """Makes ids; the source of randomness is handed in, so that a simulation can be repeated."""

    def __init__(self, clock: Clock, randbits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._randbits = randbits

    def uuid7(self, at: datetime | None = None) -> UUID:
        """A UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits. at: else now."""
        milliseconds = ((at or self._clock.now()) - _EPOCH) // _MILLISECOND
        drawn = self._randbits(_UUID_RANDOM_BITS)
        value = milliseconds << 80 | 0x7 << 76 | drawn >> 62 << 64
        return UUID(int=value | 0b10 << 62 | drawn & _UUID_LAST)

    def number(self, what: str, mode: str, merchant_tag: int, *, at: datetime | None = None) -> str:
        """A fresh public number. what: order | attempt | refund; mode: live | test. at: an instant
        of the month that it says, else now."""
        if not 0 <= merchant_tag <= MAX_TAG:
            raise Bug(f"merchant tag {merchant_tag} does not fit")
        day = month_of(at or self._clock.now())
        month_index = (day.year - _EPOCH_YEAR) * 12 + day.month - 1
        body = (
            _LETTERS[what, mode]
            + _base32(month_index, 2)
            + _base32(merchant_tag, 4)
            + _base32(self._randbits(5 * _RANDOM_CHARS), _RANDOM_CHARS)
        )
        return body + _check_character(body)


def uuid7_time(value: UUID) -> datetime:
    """The instant inside a UUIDv7, to the millisecond. Rows that are partitioned by month take
    their time from their id, so that the id alone leads to the month."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def month_of(at: datetime) -> date:
    """The first day of an instant's month, as public numbers and the tables of months count it."""
    return at.astimezone(UTC).date().replace(day=1)


def number_month(number: str) -> datetime:
    """When the month of a public number of ours begins."""
    index = _from_base32(number[1:3])
    return datetime(_EPOCH_YEAR + index // 12, index % 12 + 1, 1, tzinfo=UTC)


def read_number(text: str) -> NumberFacts | None:
    """What a public number says, or None where the text is not one of ours (or has a typo)."""
    number = text.strip().upper()
    if len(number) != NUMBER_CHARS or number[0] not in _KINDS:
        return None
    if not _IN_NUMBERS.issuperset(number[1:-1]) or _check_character(number[:-1]) != number[-1]:
        return None
    what, mode = _KINDS[number[0]]
    return NumberFacts(what, mode, number_month(number).date(), _from_base32(number[3:7]))


def _base32(value: int, width: int) -> str:
    """width: even."""
    digits = ""
    for _ in range(0, width, 2):
        digits = _PAIRS[value & 1023] + digits
        value >>= 10
    return digits


def _from_base32(text: str) -> int:
    return int(text.translate(_AS_PYTHON_COUNTS), 32)


def _check_character(body: str) -> str:
    """ISO 7064 MOD 37,36: finds every single wrong character and nearly every swap."""
    product = 36
    for character in body:
        product = _NEXT[product][character]
    return _CHECK[(37 - product) % 36]
