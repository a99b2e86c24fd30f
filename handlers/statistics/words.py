"""What is said about figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from handlers.kit.commands import Command, Reader, Words, only
from handlers.kit.grammar import HOLDERS, take_currencies, take_holders
from handlers.kit.intents import Intent, Reading

What = Literal["volume", "success", "stats"]


@dataclass(frozen=True, slots=True)
class ShowStatistics(Reading):
    """Figures of today and of the last seven days. number, currency: as in `ShowBill`."""

    what: What
    number: str | None = None
    currency: str | None = None


def figures(what: What) -> Reader:
    """Whose and in which currency: both, one of them, or neither, in any order."""

    def read(words: Words) -> Intent | None:
        currencies, rest = take_currencies(words)
        numbers, rest = take_holders(rest, HOLDERS)
        if rest or len(numbers) > 1 or len(currencies) > 1:
            return None
        return ShowStatistics(what, only(numbers), only(currencies))

    return read


COMMANDS: Final = (
    Command(
        "volume",
        {ShowStatistics: "read_money"},
        figures("volume"),
        forms=("今日跑量",),
        what="Today's volume",
        usage=("今日跑量", "/volume"),
        answer="what was paid today, by product",
    ),
    Command(
        "success",
        {ShowStatistics: "read_money"},
        figures("success"),
        forms=("成功率",),
        what="Success rates",
        usage=("成功率", "/success"),
        answer="success of today beside the seven days before",
    ),
    Command(
        "stats",
        {ShowStatistics: "read_money"},
        figures("stats"),
        forms=("实时统计",),
        what="Live statistics",
        usage=("实时统计", "/stats"),
        answer=(
            "success of the last 10, 30 and 60 minutes; today and the seven days before, with what"
            " a day comes to on average; for staff, and in a supplier's group, how soon suppliers"
            " answer enquiries"
        ),
    ),
)
