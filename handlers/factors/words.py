"""What people say about their second factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold

_RESET: Final = frozenset({"reset", "重置"})
_MAX_ID: Final = 2**52


@dataclass(frozen=True, slots=True)
class ShowFactors(Reading):
    """What I prove with, and how to begin."""


@dataclass(frozen=True, slots=True)
class ResetFactors(Changing):
    """Somebody lost a phone or forgot a password. user_id: Telegram's number of that person."""

    user_id: int


def read_factor(words: Sequence[str]) -> ShowFactors | ResetFactors | None:
    """Nothing; or `reset` and a person's number."""
    if not words:
        return ShowFactors()
    number = fold(words[1]) if len(words) == 2 else ""
    if words[0].lower() not in _RESET or not (number.isascii() and number.isdecimal()):
        return None
    return ResetFactors(int(number)) if 0 < int(number) < _MAX_ID else None


def may_follow(word: str) -> bool:
    """Whether a word after the Chinese form belongs to it."""
    return word.lower() in _RESET


COMMANDS: Final = (
    Command(
        "factor",
        {ShowFactors: "see_channel", ResetFactors: "people"},
        read_factor,
        forms=("二次验证",),
        takes=may_follow,
        what="Your code and completion password",
        usage=("二次验证", "/factor", "二次验证 重置 123456789", "/factor reset 123456789"),
        answer=(
            "in private: enrols an authenticator app or a completion password, the second one with"
            " a proof by the first; `reset` asks the other owners to take a person's away"
        ),
        place="private",
    ),
)
