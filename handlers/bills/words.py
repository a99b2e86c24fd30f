"""What is said about bills, prepayments of days, and when days begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from handlers.kit.commands import Command, Reader, Words, dated, days_in, only
from handlers.kit.grammar import HOLDERS, is_holder_no, take_currencies, take_holders
from handlers.kit.intents import Changing, Intent, Reading
from texts.amounts import fold
from texts.days import NoSuchDay, Span


@dataclass(frozen=True, slots=True)
class ShowBill(Reading):
    """The bill of business days. number: of a merchant or a supplier; None: what the chat is
    bound to, or the platform. currency: a code, for the platform has several; None: the usual."""

    days: Span | NoSuchDay
    number: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ShowPrepaid(Reading):
    """The prepayments of business days, or what a supplier paid in. number: as in `ShowBill`."""

    days: Span | NoSuchDay
    number: str | None = None


@dataclass(frozen=True, slots=True)
class SetDayCut(Changing):
    """When business days begin: a time of the day, or a time zone. text: as written."""

    what: Literal["time", "zone"]
    text: str
    number: str | None = None


def read_bill(words: Words) -> Intent | None:
    """Days, whose and in which currency: in any order, each once at most."""
    currencies, rest = take_currencies(words)
    numbers, rest = take_holders(rest, HOLDERS)
    days = days_in(rest)
    if days is None or len(numbers) > 1 or len(currencies) > 1:
        return None
    return ShowBill(days, only(numbers), only(currencies))


def day_cut(what: Literal["time", "zone"]) -> Reader:
    """A time of the day or a time zone, unread, then whose."""

    def read(words: Words) -> Intent | None:
        match [fold(word) for word in words]:
            case [text]:
                return SetDayCut(what, text)
            case [text, holder] if is_holder_no(holder, HOLDERS):
                return SetDayCut(what, text, holder.upper())
            case _:
                return None

    return read


# A form that says its days by itself.
_SPOKEN: Final = {
    f"{days}账单": days
    for days in ("今日", "今天", "昨日", "昨天", "前天", "本月", "这个月", "上月", "上个月")
}

COMMANDS: Final = (
    Command(
        "bill",
        {ShowBill: "read_money"},
        read_bill,
        forms=("账单", *_SPOKEN),
        what="The bill of a day",
        usage=(
            "今日账单",
            "昨日账单",
            "本月账单",
            "上月账单",
            "账单 11-01~11-20",
            "账单 USD",
            "/bill yesterday",
            "/bill 2026-11",
        ),
        implied=_SPOKEN,
        answer="the bill of business days; see below",
    ),
    Command(
        "prepaid",
        {ShowPrepaid: "read_money"},
        dated(ShowPrepaid),
        forms=("预付历史", "预付明细"),
        what="The prepayments of a day",
        usage=("预付历史", "预付明细 11-01~11-20", "/prepaid 2026-11"),
        answer=(
            "the days' prepayments by pages of ten, with their number and sum; in a "
            "supplier's group, what it paid in"
        ),
    ),
    Command(
        "daycut",
        {SetDayCut: "day_cut"},
        day_cut("time"),
        forms=("日切",),
        what="When business days begin",
        usage=("日切 06:00", "/daycut 06:00"),
        answer=(
            "when the merchant's (or supplier's, or in an ops group the platform's) "
            "business days begin, from the next one on"
        ),
    ),
    Command(
        "timezone",
        {SetDayCut: "day_cut"},
        day_cut("zone"),
        forms=("时区",),
        what="The time zone of business days",
        usage=("时区 Europe/Berlin", "/timezone Europe/Berlin"),
        answer="on whose clocks, likewise",
    ),
)
