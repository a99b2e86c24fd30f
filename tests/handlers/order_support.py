"""Every way in which a merchant may number an order, and in which people ask for one."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS: Final = "0123456789"
MARKS: Final = "_.|-"
MAX_CHARS: Final = 64
# What is said to have an order looked up, with its number.
SAID_TO: Final = (
    "/order {}", "查单 {}", "查单：{}", "查单: {}", "/order@paydesk_demo_bot {}", "／order {}",
    "查单　{}", "查单，{}", "/order 单号 {} 谢谢", "查单 #{}",
)  # fmt: skip
_SHAPES: Final = (
    LETTERS + DIGITS + MARKS,  # all that is allowed
    DIGITS,
    "0" + DIGITS,
    LETTERS + DIGITS,
    DIGITS + "-.",
    LETTERS + DIGITS + MARKS * 8,
    "eE" + DIGITS,
)


def legal_numbers(random: Random, count: int) -> Iterator[str]:
    """So many numbers that the API takes: short and long, and looking like other things."""
    for place in range(count):
        chars = place % MAX_CHARS + 1 if place % 3 else random.randint(1, 12)
        yield "".join(random.choices(random.choice(_SHAPES), k=chars))


def full_width(text: str) -> str:
    """The same in the full-width forms that Chinese keyboards write."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)
