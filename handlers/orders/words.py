"""What is said about orders: their numbers, and that they were paid after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Reader, Words, dated
from handlers.kit.intents import Changing, Intent, Reading
from handlers.orders.numbers import (
    NumberWord,
    begins_number,
    numbers_in,
    numbers_said,
    split_number,
)
from texts.days import NoSuchDay, Span

MAX_REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class LookUp(Reading):
    """Orders by number. talk: nobody asked by a command, so only orders that exist are shown.

    No words: they are in the message this one replies to.
    """

    words: tuple[NumberWord, ...]
    talk: bool = False

    def gives_way(self) -> bool:
        return self.talk

    def is_asked_by_picture(self) -> bool:
        return self.talk


@dataclass(frozen=True, slots=True)
class Complete(Changing):
    """Complete an order by hand. reason may be empty: core refuses that with an example."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Uncomplete(Changing):
    """Reverse a wrong completion. reason may be empty, as in `Complete`."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShowCompletions(Reading):
    """Which orders were completed by hand. number: of a merchant; None: of all."""

    days: Span | NoSuchDay
    number: str | None = None


def read_order(words: Words) -> Intent | None:
    """Numbers of orders, among other words or not; without a word, they are replied to."""
    numbers = numbers_said(" ".join(words))
    return LookUp(numbers) if numbers or not words else None


def reasoned(make: Callable[[str, str], Intent]) -> Reader:
    """An order's number, then the reason, which may be missing: core asks for it."""

    def read(words: Words) -> Intent | None:
        said = split_number(words)
        return None if said is None else make(said[0], " ".join(said[1])[:MAX_REASON_CHARS])

    return read


def hear(text: str) -> Intent | None:
    """Numbers of orders in talk."""
    words = numbers_in(text)
    return LookUp(words, talk=True) if words else None


COMMANDS: Final = (
    Command(
        "order",
        {LookUp: "look_up"},
        read_order,
        forms=("查单",),
        takes=begins_number,
        repeats=True,
        what="Look an order up",
        usage=("查单 P…", "/order P…"),
        hint="Or reply /order to a message that holds the number.",
        answer="the order's card; it edits itself when the order changes; see below",
    ),
    Command(
        "complete",
        {Complete: "complete"},
        reasoned(Complete),
        forms=("补单",),
        takes=begins_number,
        what="Complete an order by hand",
        usage=("补单 P… {}", "/complete P… {}"),
        reason="supplier confirmed the money",
        answer="asks the supplier, then asks you; only you can confirm, within 15 minutes",
    ),
    Command(
        "uncomplete",
        {Uncomplete: "uncomplete"},
        reasoned(Uncomplete),
        forms=("撤销补单",),
        takes=begins_number,
        what="Reverse a wrong completion",
        usage=("撤销补单 P… {}", "/uncomplete P… {}"),
        reason="the supplier never got the money",
        answer=(
            "asks the supplier, then a second person, within 15 minutes; the order becomes disputed"
        ),
    ),
    Command(
        "completions",
        {ShowCompletions: "see_channel"},
        dated(ShowCompletions),
        forms=("补单记录",),
        what="Orders completed by hand",
        usage=("补单记录", "补单记录 11-01~11-20", "补单记录 M1001", "/completions 2026-11"),
        answer=(
            "the days' orders that were completed by hand, with who and why, by pages of ten; in "
            "ops groups and private chats only"
        ),
    ),
)
