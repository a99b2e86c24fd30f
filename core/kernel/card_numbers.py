"""Numbers of payment cards: what a card network issues, told from other long numbers.

One in ten of any digits passes Luhn's check, so that alone says little of an order number or a
time. A card's number also begins as a network's numbers do, and is as long as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SHORTEST: Final = 13
LONGEST: Final = 19

# First and last prefix of a range, and how long its numbers are: issuer identification numbers of
# ISO/IEC 7812 as the networks publish them (collected in Wikipedia's “Payment card number”). UATP's
# single 1, for travel accounts, is left out: every time of this century begins with it. Maestro's
# are as Mastercard gives them out: that list has a few of them only.
_RANGES: Final[tuple[tuple[str, str, Iterable[int]], ...]] = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("62", "62", range(16, 20)),  # UnionPay
    ("8100", "8171", range(16, 20)),
    ("6011", "6011", range(16, 20)),  # Discover
    ("644", "649", range(16, 20)),
    ("65", "65", range(16, 20)),  # and RuPay, Troy, Verve, Elo
    ("3528", "3589", range(16, 20)),  # JCB
    ("300", "305", range(14, 20)),  # Diners Club
    ("3095", "3095", range(14, 20)),
    ("36", "36", range(14, 20)),
    ("38", "39", range(14, 20)),
    ("50", "50", range(13, 20)),  # Maestro; within it Dankort, Elo, RuPay, Verve
    ("56", "58", range(13, 20)),  # and UzCard
    ("63", "63", range(13, 20)),  # and Elo, InstaPayment, InterPayment
    ("67", "67", range(13, 20)),  # and Bancontact
    ("2200", "2204", range(16, 20)),  # Mir
    ("2205", "2205", (16,)),  # Borica
    ("60", "60", (16,)),  # RuPay, Hipercard
    ("81", "82", (16,)),
    ("9792", "9792", (16,)),  # Troy
    ("8600", "8600", (16,)),  # UzCard
    ("9860", "9860", (16,)),  # Humo
)


def is_card_number(digits: str) -> bool:
    """Whether a card network issues such a number: its beginning, its length, Luhn's check.

    digits: ASCII digits and nothing else.
    """
    length = len(digits)
    issued = any(
        length in lengths and first <= digits[: len(first)] <= last
        for first, last, lengths in _RANGES
    )
    return issued and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
