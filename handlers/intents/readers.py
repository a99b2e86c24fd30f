"""The words after a command -> an intent; None where the command cannot be carried out so.

A reader is given the words as they were typed. Commands that are written alike share a shape:
a function that makes a reader from what it shall fill in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeVar

from core.kernel.amounts import fold, read_amount, read_rate
from handlers.advances import SHOWN_CHARS, AdvanceLine, PhoneLike, Unreadable, read_line
from handlers.days import NoSuchDay, Span, read_days
from handlers.intents.model import (
    Adjust,
    Advances,
    AdvancesFault,
    Export,
    ExportKind,
    ExportTable,
    Intent,
    Language,
    LookUp,
    SetCredit,
    SetDayCut,
    SetLanguage,
    SetUsdtRate,
    ShowBill,
    ShowCredit,
    ShowDiscrepancies,
    ShowStatistics,
    ShowUsdtRate,
    Unbind,
    Usage,
)
from handlers.intents.words import (
    HOLDERS,
    MERCHANTS,
    SUPPLIERS,
    is_holder_no,
    is_off,
    is_test,
    take_currencies,
    take_holders,
)
from handlers.numbers import numbers_said, only_number

MAX_REASON_CHARS: Final = 200

Words = Sequence[str]
Reader = Callable[[Words], Intent | None]
_Meaning = TypeVar("_Meaning")

_LANGUAGES: Final[dict[str, Language]] = {
    "zh": "zh", "cn": "zh", "中文": "zh",
    "en": "en", "english": "en", "英文": "en",
}  # fmt: skip
_EXPORTS: Final[dict[str, ExportKind]] = {
    "chart": "chart", "图表": "chart", "excel": "excel", "xlsx": "excel", "csv": "csv",
}  # fmt: skip
_TABLES: Final[dict[str, ExportTable]] = {
    "orders": "orders", "订单": "orders",
    "prepayments": "prepayments", "预付": "prepayments",
    "days": "days", "每日": "days",
}  # fmt: skip
_BOM: Final = {"bom": True, "nobom": False}


# Shapes that several commands share


def bare(intent: Intent) -> Reader:
    """The command alone says it all; what follows it is passed over."""
    return lambda _: intent


def numbered(make: Callable[[str], Intent], letter: str) -> Reader:
    """The number of a merchant or of a supplier, which must be there."""

    def read(words: Words) -> Intent | None:
        number = _first(words)
        return make(number.upper()) if is_holder_no(number, letter) else None

    return read


def one_or_all(words: Words) -> Intent | None:
    """Which merchant or supplier is taken off this group, or nothing for all of them."""
    if not words:
        return Unbind()
    number = _first(words)
    known = len(words) == 1 and is_holder_no(number, MERCHANTS + SUPPLIERS)
    return Unbind(number.upper()) if known else None


def reasoned(make: Callable[[str, str], Intent]) -> Reader:
    """An order's number, then the reason, which may be missing: core asks for it."""

    def read(words: Words) -> Intent | None:
        number = only_number(words[0]) if words else None
        reason = " ".join(words[1:])[:MAX_REASON_CHARS]
        return make(number, reason) if number is not None else None

    return read


def about(make: Callable[[str | None], Intent]) -> Reader:
    """Which merchant, or nothing."""

    def read(words: Words) -> Intent | None:
        numbers, rest = take_holders(words, MERCHANTS)
        return None if rest or len(numbers) > 1 else make(_only(numbers))

    return read


def figures(what: Literal["volume", "success", "stats"]) -> Reader:
    """Whose and in which currency: both, one of them, or neither, in any order."""

    def read(words: Words) -> Intent | None:
        currencies, rest = take_currencies(words)
        numbers, rest = take_holders(rest, HOLDERS)
        if rest or len(numbers) > 1 or len(currencies) > 1:
            return None
        return ShowStatistics(what, _only(numbers), _only(currencies))

    return read


def dated(make: Callable[[Span | NoSuchDay, str | None], Intent]) -> Reader:
    """Days and whose: both, one of them, or neither, in any order."""

    def read(words: Words) -> Intent | None:
        numbers, rest = take_holders(words, HOLDERS)
        days = _days(rest)
        return None if days is None or len(numbers) > 1 else make(days, _only(numbers))

    return read


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


# Commands written like no other


def prepay(words: Words) -> Intent | None:
    """One line of money, which nobody takes for talk here."""
    if not words:
        return None
    line = _money_line(words)
    if isinstance(line, AdvanceLine):
        return Advances((line,), explicit=True)
    unread = Unreadable(1, " ".join(words)[:SHOWN_CHARS], "amount")
    return AdvancesFault(line or unread, sure=True)


def adjust(words: Words) -> Intent | None:
    """A line of money in the merchant's own currency; its number may also stand in front."""
    number = _first(words)
    leads = is_holder_no(number, MERCHANTS)
    rest = words[1:] if leads else words
    line = _money_line(rest) if rest else None
    if isinstance(line, Unreadable):
        return Usage("adjust", line)
    if not isinstance(line, AdvanceLine) or line.rate is not None:
        return None
    if not leads:
        return Adjust(line)
    return Adjust(replace(line, merchant_no=number.upper())) if line.merchant_no is None else None


def usdt(words: Words) -> Intent | None:
    """What one USDT is worth; without it, it is shown."""
    if not words:
        return ShowUsdtRate()
    rate = read_rate(words[0])
    return SetUsdtRate(rate) if rate is not None and len(words) == 1 else None


def credit(words: Words) -> Intent | None:
    """An amount, or a word for off, and whose, in any order; without an amount it is shown."""
    numbers, rest = take_holders(words, MERCHANTS)
    if len(numbers) > 1:
        return None
    merchant_no, text = _only(numbers), " ".join(rest)
    if not rest:
        return ShowCredit(merchant_no)
    if is_off(text):
        return SetCredit(None, merchant_no)
    amount = read_amount(text)
    return SetCredit(amount, merchant_no) if amount is not None else None


def order(words: Words) -> Intent | None:
    """Numbers of orders, among other words or not; without a word, they are replied to."""
    numbers = numbers_said(" ".join(words))
    return LookUp(numbers) if numbers or not words else None


def bill(words: Words) -> Intent | None:
    """Days, whose and in which currency: in any order, each once at most."""
    currencies, rest = take_currencies(words)
    numbers, rest = take_holders(rest, HOLDERS)
    days = _days(rest)
    if days is None or len(numbers) > 1 or len(currencies) > 1:
        return None
    return ShowBill(days, _only(numbers), _only(currencies))


def export(words: Words) -> Intent | None:
    """What, which table (of CSV alone), days, whose, in which currency: in any order, each once
    at most."""
    currencies, rest = take_currencies(words)
    numbers, rest = take_holders(rest, HOLDERS)
    kinds, rest = _take(rest, _EXPORTS)
    tables, rest = _take(rest, _TABLES)
    marks, rest = _take(rest, _BOM)
    days = _days(rest)
    once = (currencies, numbers, kinds, tables, marks)
    if days is None or any(len(found) > 1 for found in once):
        return None
    of_csv = bool(tables or marks)
    kind = _only(kinds) or ("csv" if of_csv else "excel")
    if of_csv and kind != "csv":
        return None
    table = _only(tables) or "orders"
    return Export(kind, days, table, _only(marks), _only(numbers), _only(currencies))


def discrepancies(words: Words) -> Intent | None:
    """Of which merchant, or of all; of test orders where that is said: in any order."""
    numbers, rest = take_holders(words, MERCHANTS)
    others = [word for word in rest if not is_test(word)]
    if others or len(numbers) > 1:
        return None
    return ShowDiscrepancies(_only(numbers), test=bool(rest))


def language(words: Words) -> Intent | None:
    """Its code or its name; what follows is passed over."""
    named = _LANGUAGES.get(_first(words).lower())
    return SetLanguage(named) if named is not None else None


def _first(words: Words) -> str:
    return fold(words[0]) if words else ""


def _only(found: Sequence[_Meaning]) -> _Meaning | None:
    return found[0] if found else None


def _days(words: Words) -> Span | NoSuchDay | None:
    """Today where nothing is said; None where the words name no days."""
    return read_days(" ".join(words)) if words else "today"


def _take(words: Words, meanings: Mapping[str, _Meaning]) -> tuple[list[_Meaning], list[str]]:
    """(what the words of this vocabulary mean; the other words)."""
    found = [meanings[word.lower()] for word in words if word.lower() in meanings]
    return found, [word for word in words if word.lower() not in meanings]


def _money_line(words: Words) -> AdvanceLine | Unreadable | PhoneLike | None:
    """A line of money whose plus may be left out."""
    return read_line(" ".join(words), 1, explicit=True)
