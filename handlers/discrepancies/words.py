"""What is said about money in suspense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Words, only
from handlers.kit.grammar import MERCHANTS, is_test, latin_or_test, take_holders
from handlers.kit.intents import Intent, Reading


@dataclass(frozen=True, slots=True)
class ShowDiscrepancies(Reading):
    """Money of no settled order. test: of test orders."""

    merchant_no: str | None = None
    test: bool = False


def read_discrepancies(words: Words) -> Intent | None:
    """Of which merchant, or of all; of test orders where that is said: in any order."""
    numbers, rest = take_holders(words, MERCHANTS)
    others = [word for word in rest if not is_test(word)]
    if others or len(numbers) > 1:
        return None
    return ShowDiscrepancies(only(numbers), test=bool(rest))


COMMANDS: Final = (
    Command(
        "discrepancies",
        {ShowDiscrepancies: "resolve"},
        read_discrepancies,
        forms=("差异单",),
        takes=latin_or_test,
        what="Money of no settled order",
        usage=("差异单", "差异单 M1001", "/discrepancies"),
        answer=(
            "money in suspense: a list, a card for each, and what can be done with it; of "
            "live orders, or of test orders"
        ),
    ),
)
