"""What is said about money: lines of it, corrections, credit lines, what a USDT is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from core.people.actors import Actor
from handlers.kit.commands import Command, Words, first, only
from handlers.kit.grammar import MERCHANTS, is_holder_no, is_off, latin_or_money, take_holders
from handlers.kit.intents import Changing, Intent, Mistake, Reading, Usage
from handlers.money.money_lines import (
    SHOWN_CHARS,
    AdvanceLine,
    PhoneLike,
    Unreadable,
    read_advances,
    read_line,
)
from texts.amounts import Typed, read_amount, read_rate


@dataclass(frozen=True, slots=True)
class Advances(Changing):
    """Prepayments, one per line; `+` advances, `-` takes back.

    explicit: said with a command, so that everybody gets an answer, a refusal included.
    """

    lines: tuple[AdvanceLine, ...]
    explicit: bool = False

    def is_talk(self, actor: Actor) -> bool:
        """In a group that belongs to nobody; with a command it is meant."""
        return actor.in_unbound_group and not self.explicit


@dataclass(frozen=True, slots=True)
class AdvancesFault(Mistake):
    """Meant as prepayments, but a line cannot be read: nothing is booked.

    sure: False where it may be chatter; then only a holder of the right hears of it.
    """

    fault: Unreadable | PhoneLike
    sure: bool = False

    def is_talk(self, actor: Actor) -> bool:
        """As `Advances`."""
        return actor.in_unbound_group and not self.sure

    def gives_way(self) -> bool:
        """What may be talk is a part of an answer where it replies to a question."""
        aside = isinstance(self.fault, PhoneLike) or self.fault.aside
        return aside and not self.sure


@dataclass(frozen=True, slots=True)
class Adjust(Changing):
    """Correct what a merchant is owed: + in its favour. The line's remark is the reason, which
    may be empty: core refuses that with an example."""

    line: AdvanceLine


@dataclass(frozen=True, slots=True)
class ShowUsdtRate(Reading):
    pass


@dataclass(frozen=True, slots=True)
class SetUsdtRate(Changing):
    """What one USDT is worth in this group."""

    rate: Decimal


@dataclass(frozen=True, slots=True)
class ShowCredit(Reading):
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetCredit(Changing):
    """A merchant's credit line. amount: None switches it off."""

    amount: Typed | None
    merchant_no: str | None = None


def read_prepay(words: Words) -> Intent | None:
    """One line of money, which nobody takes for talk here."""
    if not words:
        return None
    line = _money_line(words)
    if isinstance(line, AdvanceLine):
        return Advances((line,), explicit=True)
    unread = Unreadable(1, " ".join(words)[:SHOWN_CHARS], "amount")
    return AdvancesFault(line or unread, sure=True)


def read_adjust(words: Words) -> Intent | None:
    """A line of money in the merchant's own currency; its number may also stand in front."""
    number = first(words)
    leads = is_holder_no(number, MERCHANTS)
    rest = words[1:] if leads else words
    line = _money_line(rest) if rest else None
    if isinstance(line, Unreadable):
        return Usage("adjust", line.text, line.why)
    if not isinstance(line, AdvanceLine) or line.rate is not None:
        return None
    if not leads:
        return Adjust(line)
    return Adjust(replace(line, merchant_no=number.upper())) if line.merchant_no is None else None


def read_usdt(words: Words) -> Intent | None:
    """What one USDT is worth; without it, it is shown."""
    if not words:
        return ShowUsdtRate()
    rate = read_rate(words[0])
    return SetUsdtRate(rate) if rate is not None and len(words) == 1 else None


def read_credit(words: Words) -> Intent | None:
    """An amount, or a word for off, and whose, in any order; without an amount it is shown."""
    numbers, rest = take_holders(words, MERCHANTS)
    if len(numbers) > 1:
        return None
    merchant_no, text = only(numbers), " ".join(rest)
    if not rest:
        return ShowCredit(merchant_no)
    if is_off(text):
        return SetCredit(None, merchant_no)
    amount = read_amount(text)
    return SetCredit(amount, merchant_no) if amount is not None else None


def _money_line(words: Words) -> AdvanceLine | Unreadable | PhoneLike | None:
    """A line of money whose plus may be left out."""
    return read_line(" ".join(words), 1, explicit=True)


def hear(text: str) -> Intent | None:
    """Lines of money that are said without a command."""
    found = read_advances(text)
    if found is None:
        return None
    return Advances(found) if isinstance(found, tuple) else AdvancesFault(found)


COMMANDS: Final = (
    Command(
        "prepay",
        {Advances: "prepay", AdvancesFault: "prepay"},
        read_prepay,
        one_line=True,
        what="Record a prepayment",
        usage=("+1000", "-1000", "+1000 M1001", "/prepay 1000"),
        suppliers_usage=("+1000", "-1000", "+1000 S01", "/prepay 1000"),
        answer=(
            "books the prepayment, or in a supplier's group (with the right `payin`) what it paid "
            "in, so that it owes that much less; see below"
        ),
    ),
    Command(
        "adjust",
        {Adjust: "adjust"},
        read_adjust,
        forms=("调账",),
        takes=latin_or_money,
        what="Correct what a merchant is owed",
        usage=("调账 M1001 -20 {}", "/adjust M1001 -20 {}"),
        reason="wrong fee",
        answer="corrects what the merchant is owed (`+` in its favour); the reason is required",
    ),
    Command(
        "usdt",
        {SetUsdtRate: "set_rate", ShowUsdtRate: "read_money"},
        read_usdt,
        forms=("设置汇率",),
        takes=latin_or_money,
        what="What 1 USDT is worth here",
        usage=("设置汇率 7.2", "/usdt 7.2", "/usdt"),
        place="groups",
        answer="what one USDT is worth in this group",
    ),
    Command(
        "credit",
        {SetCredit: "set_credit", ShowCredit: "read_money"},
        read_credit,
        forms=("授信",),
        takes=latin_or_money,
        what="The credit line",
        usage=("授信 50000", "授信 M1001 50000", "授信 关", "/credit 50000", "/credit off"),
        answer="the merchant's credit line; alone: line, position and what is left",
    ),
)
