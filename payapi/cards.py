"""Card numbers are never accepted: finding what looks like one in free text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_GROUPS: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)*", re.ASCII)
_SHORTEST, _LONGEST = 13, 19
# Printed cards group their digits by four, or 4-6-5; smaller groups are dates and the like.
_SMALLEST_GROUP: Final = 3


def holds_card_number(text: str) -> bool:
    """Whether a run of 13 to 19 digits in the text passes Luhn's check, groups joined."""
    plain = unicodedata.normalize("NFKC", text)
    return any(_in_groups(re.split("[ -]", found)) for found in _GROUPS.findall(plain))


def _in_groups(groups: list[str]) -> bool:
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            if len(group) < _SMALLEST_GROUP:
                break
            digits += group
            if len(digits) > _LONGEST:
                break
            if len(digits) >= _SHORTEST and _passes_luhn(digits):
                return True
    return False


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
