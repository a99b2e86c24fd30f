"""What is said about enquiries: that a supplier is to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Words
from handlers.kit.intents import Changing, Intent
from handlers.orders.numbers import NumberWord, numbers_replied_to


@dataclass(frozen=True, slots=True)
class Chase(Changing):
    """Have suppliers asked about orders. No words: they are in the message this one replies to."""

    words: tuple[NumberWord, ...]


def read_chase(words: Words) -> Intent | None:
    """Numbers of orders; without a word, they are replied to."""
    numbers = numbers_replied_to(" ".join(words))
    return Chase(numbers) if numbers or not words else None


def has_digit(word: str) -> bool:
    """Whether it may be a number: anything else behind the command is talk."""
    return any(c.isdigit() for c in word)


COMMANDS: Final = (
    Command(
        "chase",
        {Chase: "chase"},
        read_chase,
        forms=("催单", "zz"),
        takes=has_digit,
        repeats=True,
        what="Have the supplier asked about an order",
        usage=("催单 P…", "zz P…", "/chase P…"),
        hint="Or reply /chase or zz to a message that holds the number.",
        answer=(
            "passes the question to the supplier's group, or reminds it; a picture with a number "
            "is passed by itself; replies there come back"
        ),
    ),
)
