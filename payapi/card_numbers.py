"""Card numbers are never accepted: finding what looks like one in free text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from core.kernel.card_numbers import LONGEST, SHORTEST, is_card_number

_GROUPS: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)*", re.ASCII)
# Printed cards group their digits by four, or 4-6-5; smaller groups are dates and the like.
_SMALLEST_GROUP: Final = 3


def holds_card_number(text: str) -> bool:
    """Whether a run of digits in the text is a card's number, groups joined."""
    plain = unicodedata.normalize("NFKC", text)
    return any(_in_groups(re.split("[ -]", found)) for found in _GROUPS.findall(plain))


def _in_groups(groups: list[str]) -> bool:
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            if len(group) < _SMALLEST_GROUP:
                break
            digits += group
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST and is_card_number(digits):
                return True
    return False
