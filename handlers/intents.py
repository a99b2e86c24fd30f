"""The one parser: what a person wrote -> what they want, or None where it is chatter.

Pure: text in, dataclasses out; amounts stay exact decimals in main units until a handler knows
the merchant's currency. It never raises, whatever the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from core.ids import NUMBER_CHARS, read_number
from handlers.advances import AdvanceLine, PhoneLike, Unreadable, fold, read_advances, read_line

MAX_NUMBERS: Final = 10
MAX_REASON_CHARS: Final = 200
_NUMBER_LENGTH: Final = range(6, 65)


@dataclass(frozen=True, slots=True)
class Advances:
    """Prepayments, one per line; `+` advances, `-` takes back.

    explicit: said with a command, so that everybody gets an answer, a refusal included.
    """

    lines: tuple[AdvanceLine, ...]
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class AdvancesFault:
    """Meant as prepayments, but a line cannot be read: nothing is booked.

    sure: False where it may be chatter; then only a holder of the right hears of it.
    """

    fault: Unreadable | PhoneLike
    sure: bool = False


@dataclass(frozen=True, slots=True)
class BindMerchant:
    merchant_no: str


@dataclass(frozen=True, slots=True)
class BindSupplier:
    supplier_no: str


@dataclass(frozen=True, slots=True)
class BindOps:
    pass


@dataclass(frozen=True, slots=True)
class Unbind:
    pass


@dataclass(frozen=True, slots=True)
class ShowInfo:
    pass


@dataclass(frozen=True, slots=True)
class LookUp:
    """Orders by number. bare: numbers and nothing else, so it may be chatter.

    No numbers: they are in the message this one replies to.
    """

    numbers: tuple[str, ...]
    bare: bool = False


@dataclass(frozen=True, slots=True)
class ShowBill:
    """A business day's bill. day: a date, or one relative to the merchant's open day."""

    day: date | Literal["today", "yesterday"]
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class ShowPrepaid:
    """The prepayments of a business day."""

    day: date | Literal["today", "yesterday"]
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete an order by hand. reason may be empty: core refuses that with an example."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShowBalance:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class ShowRates:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Usage:
    """A known command that cannot be carried out as written. command: a key of `COMMANDS`."""

    command: str


Intent = (
    Advances | AdvancesFault | BindMerchant | BindSupplier | BindOps | Unbind | ShowInfo | LookUp
    | ShowBill | ShowPrepaid | Complete | ShowBalance | ShowRates | SetLanguage | Help | Usage
)  # fmt: skip

# command -> its other forms. A Chinese form is followed by nothing or by its argument.
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "bind": ("绑定商户",),
    "bind_supplier": ("绑定供应商",),
    "bind_ops": ("绑定管理群",),
    "unbind": ("解绑",),
    "info": ("群信息",),
    "prepay": (),
    "order": ("查单",),
    "bill": ("今日账单", "昨日账单", "账单"),
    "prepaid": ("预付历史", "预付明细"),
    "complete": ("补单",),
    "balance": ("查询余额",),
    "rates": ("产品费率",),
    "lang": (),
    "help": ("帮助", "?"),
    "start": (),
}
_CHINESE: Final = {word: name for name, words in COMMANDS.items() for word in words}
_IMPLIED: Final = {"今日账单": "today", "昨日账单": "yesterday"}
_DAYS: Final[dict[str, Literal["today", "yesterday"]]] = {
    "today": "today", "今日": "today", "今天": "today",
    "yesterday": "yesterday", "昨日": "yesterday", "昨天": "yesterday",
}  # fmt: skip


def parse(text: str, username: str = "") -> Intent | None:
    """What a message asks for. username: the bot's own; a command for another bot is None."""
    text = text.replace("\x00", "").strip()
    if not text:
        return None
    if text.startswith(("/", "／")):
        return _slash(fold(text[0]) + text[1:], username)
    return _chinese(text) or _money(text) or _bare_numbers(text)


def numbers_in(text: str) -> tuple[str, ...]:
    """Our own order and attempt numbers anywhere in a text, else its only words that may be a
    merchant's number; for captions and messages that are replied to."""
    words = fold(text).replace(",", " ").replace("：", " ").replace(":", " ").split()
    ours = tuple(dict.fromkeys(w.upper() for w in words if read_number(w) is not None))
    if ours:
        return ours[:MAX_NUMBERS]
    return tuple(dict.fromkeys(w for w in words if _may_be_number(w)))[:MAX_NUMBERS]


def _slash(text: str, username: str) -> Intent | None:
    head, _, rest = text.partition("\n")
    head, _, arguments = head.partition(" ")
    name, _, addressee = head[1:].partition("@")
    if addressee and username and addressee.lower() != username.lower():
        return None
    name = name.lower()
    if name not in COMMANDS:
        return None
    if name == "prepay" and rest.strip():
        return Usage("prepay")
    return _command(name, f"{arguments} {rest}".split())


def _chinese(text: str) -> Intent | None:
    """A Chinese command, or None: what follows must look like its argument, else it is talk."""
    folded = fold(text)
    for word, name in _CHINESE.items():
        if not folded.startswith(word):
            continue
        tail = text[len(word) :]
        arguments = tail.split()
        if word in _IMPLIED:
            arguments = [_IMPLIED[word], *arguments]
        if not tail.strip():
            return _command(name, arguments)
        first = fold(tail.split()[0])
        looks_right = first.isascii() and first[0].isalnum() and name not in ("help", "info")
        if looks_right or first in _DAYS:
            return _command(name, arguments)
    return None


def _command(name: str, words: list[str]) -> Intent:
    """The intent of a known command with its arguments."""
    first = fold(words[0]) if words else ""
    match name:
        case "bind":
            return BindMerchant(first.upper()) if _is_no(first, "M") else Usage(name)
        case "bind_supplier":
            return BindSupplier(first.upper()) if _is_no(first, "S") else Usage(name)
        case "bind_ops":
            return BindOps()
        case "unbind":
            return Unbind()
        case "info":
            return ShowInfo()
        case "prepay":
            return _prepay(words)
        case "order":
            numbers = tuple(dict.fromkeys(fold(w) for w in words if _may_be_number(fold(w))))
            return LookUp(numbers[:MAX_NUMBERS]) if numbers or not words else Usage(name)
        case "complete":
            reason = " ".join(words[1:])[:MAX_REASON_CHARS]
            return Complete(first, reason) if _may_be_number(first) else Usage(name)
        case "lang":
            return _language(first)
        case "bill" | "prepaid" | "balance" | "rates":
            return _reading(name, [fold(w) for w in words])
        case _:
            return Help()


def _prepay(words: list[str]) -> Intent:
    if not words:
        return Usage("prepay")
    text = " ".join(words)
    line = read_line(text if fold(text[0]) in "+-" else f"+{text}", 1, explicit=True)
    if isinstance(line, AdvanceLine):
        return Advances((line,), explicit=True)
    return AdvancesFault(line or Unreadable(1, text[:40], "amount"), sure=True)


def _language(word: str) -> Intent:
    match word.lower():
        case "zh" | "cn" | "中文":
            return SetLanguage("zh")
        case "en" | "english" | "英文":
            return SetLanguage("en")
        case _:
            return Usage("lang")


def _reading(name: str, words: list[str]) -> Intent:
    """Bill, prepayments, balance, rates: each may name a day, a merchant, both or neither."""
    day: date | Literal["today", "yesterday"] = "today"
    merchant_no: str | None = None
    for word in words:
        found = _DAYS.get(word.lower()) or _date(word)
        if found is not None and name in ("bill", "prepaid"):
            day = found
        elif _is_no(word, "M"):
            merchant_no = word.upper()
        else:
            return Usage(name)
    match name:
        case "bill":
            return ShowBill(day, merchant_no)
        case "prepaid":
            return ShowPrepaid(day, merchant_no)
        case "balance":
            return ShowBalance(merchant_no)
        case _:
            return ShowRates(merchant_no)


def _money(text: str) -> Intent | None:
    found = read_advances(text)
    if found is None:
        return None
    return Advances(found) if isinstance(found, tuple) else AdvancesFault(found)


def _bare_numbers(text: str) -> Intent | None:
    lines = [fold(line).strip() for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > MAX_NUMBERS or not all(_may_be_number(line) for line in lines):
        return None
    return LookUp(tuple(dict.fromkeys(lines)), bare=True)


def _may_be_number(word: str) -> bool:
    """Ours (with a letter in front), or what a shop may use: letters, digits and - _ . with a
    digit among them."""
    if len(word) == NUMBER_CHARS and read_number(word) is not None:
        return True
    return (
        len(word) in _NUMBER_LENGTH
        and word.isascii()
        and word[0].isalnum()
        and any(c.isdigit() for c in word)
        and all(c.isalnum() or c in "-_." for c in word)
    )


def _is_no(word: str, letter: str) -> bool:
    return 2 <= len(word) <= 12 and word[0].upper() == letter and word[1:].isdigit()


def _date(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if len(word) == len("2026-11-01") else None
    except ValueError:
        return None
