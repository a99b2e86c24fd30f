"""What a slash form is made of, and what a single word may be: a holder's number, a currency, what
follows a command.

All but `split_slash`, `take_holders` and `take_currencies` take a word that is folded already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.kernel.money import EXPONENTS
from texts.amounts import begins_with_unit, fold, fold_amount, read_amount

MERCHANTS: Final = "M"
SUPPLIERS: Final = "S"
HOLDERS: Final = MERCHANTS + SUPPLIERS

_OFF: Final = frozenset({"off", "关", "关闭"})
_TEST: Final = frozenset({"test", "测试"})
_HOLDER_NO_CHARS: Final = range(2, 13)


_SLASH: Final = re.compile(r"[/／](?P<head>\S*)(?P<words>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Slash:
    """A text that is said as a command. addressee: the bot that is named, '' where none is.

    words: what follows, as it was typed.
    """

    name: str
    addressee: str
    words: str

    def is_for(self, username: str) -> bool:
        """Whether the bot of this name may take it; any may where its name is ''."""
        return not (self.addressee and username) or self.addressee.lower() == username.lower()


def split_slash(text: str) -> Slash | None:
    """The parts of a (visible) text that begins with a slash; None where it does not."""
    found = _SLASH.fullmatch(text)
    if found is None:
        return None
    name, _, addressee = fold(found["head"]).partition("@")
    return Slash(name, addressee, found["words"])


def is_holder_no(word: str, letters: str) -> bool:
    """Whether it is the number of a holder whose letter is one of these: M1001, s01."""
    return len(word) in _HOLDER_NO_CHARS and word[0].upper() in letters and word[1:].isdigit()


def take_holders(words: Sequence[str], letters: str) -> tuple[list[str], list[str]]:
    """(the numbers of holders, in capitals; the other words), folded."""
    folded = [fold(word) for word in words]
    numbers = [word.upper() for word in folded if is_holder_no(word, letters)]
    return numbers, [word for word in folded if not is_holder_no(word, letters)]


def take_currencies(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """(the codes of currencies, in capitals; the other words), folded."""
    folded = [fold(word) for word in words]
    codes = [word.upper() for word in folded if word.upper() in EXPONENTS]
    return codes, [word for word in folded if word.upper() not in EXPONENTS]


def is_off(word: str) -> bool:
    return word.lower() in _OFF


def is_test(word: str) -> bool:
    return word.lower() in _TEST


def latin(word: str) -> bool:
    """Whether it is written like a number or a code, not like Chinese talk."""
    return word.isascii() and word[0].isalnum()


def latin_or_money(word: str) -> bool:
    """Also what begins like an amount or is one, rightly written or not, and a word for off."""
    amount = fold_amount(word)
    first = amount[0]
    begun = first in "+-¥$€£" or (
        first.isascii() and (any(char.isdecimal() for char in amount) or begins_with_unit(amount))
    )
    return latin(word) or is_off(word) or begun or read_amount(amount) is not None


def latin_or_test(word: str) -> bool:
    """Also the word that asks for test orders."""
    return latin(word) or is_test(word)


def nothing(_: str) -> bool:
    return False
