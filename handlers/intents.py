"""The one parser: what a person wrote -> what they want, or None where it is chatter.

Pure: text in, dataclasses out; amounts stay exact decimals in main units until a handler knows
the merchant's currency. It never raises, whatever the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from core.ids import NUMBER_CHARS, read_number
from handlers.advances import (
    AdvanceLine,
    PhoneLike,
    Unreadable,
    fold,
    read_advances,
    read_amount,
    read_line,
)
from handlers.days import NoSuchDay, Span, read_days
from handlers.tariffs import Rerate, SetCost, SetRate, read_cost, read_rate, read_rerate

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
class Adjust:
    """Correct what a merchant is owed: + in its favour. The line's remark is the reason, which
    may be empty: core refuses that with an example."""

    line: AdvanceLine


@dataclass(frozen=True, slots=True)
class ShowUsdtRate:
    pass


@dataclass(frozen=True, slots=True)
class SetUsdtRate:
    """What one USDT is worth in this group."""

    rate: Decimal


@dataclass(frozen=True, slots=True)
class ShowCredit:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetCredit:
    """A merchant's credit line. amount: in main units; None switches it off."""

    amount: Decimal | None
    merchant_no: str | None = None


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
    """The bill of business days. number: of a merchant or a supplier; None: what the chat is
    bound to, or the platform."""

    days: Span | NoSuchDay
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ShowPrepaid:
    """The prepayments of business days, or what a supplier paid in. number: as in `ShowBill`."""

    days: Span | NoSuchDay
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A picture or a file of business days. bom: whether a CSV says that it is UTF-8; None: as
    the chat's language needs it. number: as in `ShowBill`."""

    what: Literal["chart", "excel", "csv"]
    days: Span | NoSuchDay
    table: Literal["orders", "prepayments", "days"] = "orders"
    bom: bool | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ShowStatistics:
    """Figures of today and of the last seven days. number: as in `ShowBill`."""

    what: Literal["volume", "success", "stats"]
    number: str | None = None


@dataclass(frozen=True, slots=True)
class SetDayCut:
    """When business days begin: a time of the day, or a time zone. text: as written."""

    what: Literal["time", "zone"]
    text: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete an order by hand. reason may be empty: core refuses that with an example."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Uncomplete:
    """Reverse a wrong completion. reason may be empty, as in `Complete`."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShowDiscrepancies:
    """Money of no settled order."""

    merchant_no: str | None = None


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
    Adjust | ShowUsdtRate | SetUsdtRate | ShowCredit | SetCredit |
    Advances | AdvancesFault | BindMerchant | BindSupplier | BindOps | Unbind | ShowInfo | LookUp
    | ShowBill | ShowPrepaid | Export | ShowStatistics | SetDayCut | Complete | Uncomplete
    | ShowDiscrepancies | ShowBalance | ShowRates | SetRate | SetCost | Rerate
    | SetLanguage | Help | Usage
)  # fmt: skip

# What moves money, or changes what money goes by: never said by forwarding somebody else's words.
MONEY: Final = (
    Advances, AdvancesFault, Adjust, SetUsdtRate, SetCredit, SetRate, SetCost, Rerate,
)  # fmt: skip

# command -> its other forms. A Chinese form is followed by nothing or by its argument.
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "bind": ("绑定商户",),
    "bind_supplier": ("绑定供应商",),
    "bind_ops": ("绑定管理群",),
    "unbind": ("解绑",),
    "info": ("群信息",),
    "prepay": (),
    "adjust": ("调账",),
    "usdt": ("设置汇率",),
    "credit": ("授信",),
    "order": ("查单",),
    "bill": ("今日账单", "昨日账单", "本月账单", "上月账单", "账单"),
    "prepaid": ("预付历史", "预付明细"),
    "export": ("导出", "图表"),
    "complete": ("补单",),
    "uncomplete": ("撤销补单",),
    "discrepancies": ("差异单",),
    "balance": ("查询余额",),
    "rates": ("产品费率",),
    "rate": ("设置费率",),
    "rerate": ("重算费率",),
    "cost": ("设置成本",),
    "volume": ("今日跑量",),
    "success": ("成功率",),
    "stats": ("实时统计",),
    "daycut": ("日切",),
    "timezone": ("时区",),
    "lang": (),
    "help": ("帮助", "?"),
    "start": (),
}
_CHINESE: Final = {word: name for name, words in COMMANDS.items() for word in words}
_IMPLIED: Final = {
    "今日账单": "今日",
    "昨日账单": "昨日",
    "本月账单": "本月",
    "上月账单": "上月",
    "图表": "图表",
}


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
        if looks_right or read_days(first) is not None or _may_begin(name, first):
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
        case "adjust" | "usdt" | "credit":
            return _SETTING_MONEY[name](words)
        case "order":
            numbers = tuple(dict.fromkeys(fold(w) for w in words if _may_be_number(fold(w))))
            return LookUp(numbers[:MAX_NUMBERS]) if numbers or not words else Usage(name)
        case "complete":
            reason = " ".join(words[1:])[:MAX_REASON_CHARS]
            return Complete(first, reason) if _may_be_number(first) else Usage(name)
        case "uncomplete":
            reason = " ".join(words[1:])[:MAX_REASON_CHARS]
            return Uncomplete(first, reason) if _may_be_number(first) else Usage(name)
        case "discrepancies":
            if words and not _is_no(first, "M"):
                return Usage(name)
            return ShowDiscrepancies(first.upper() or None)
        case "rate":
            return read_rate(words) or Usage(name)
        case "rerate":
            return read_rerate(words) or Usage(name)
        case "cost":
            return read_cost(words) or Usage(name)
        case "lang":
            return _language(first)
        case "export":
            return _export([fold(w) for w in words])
        case "bill" | "prepaid" | "balance" | "rates" | "volume" | "success" | "stats":
            return _reading(name, [fold(w) for w in words])
        case "daycut" | "timezone":
            return _day_cut(name, [fold(w) for w in words])
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


def _adjust(words: list[str]) -> Intent:
    named = words[0] if words and _is_no(fold(words[0]), "M") else None
    text = " ".join(words[1:] if named else words)
    if not text:
        return Usage("adjust")
    line = read_line(text if fold(text[0]) in "+-" else f"+{text}", 1, explicit=True)
    if not isinstance(line, AdvanceLine) or line.unit or line.rate is not None:
        return Usage("adjust")
    if named is None:
        return Adjust(line)
    if line.merchant_no is not None:
        return Usage("adjust")
    return Adjust(replace(line, merchant_no=fold(named).upper()))


def _usdt(words: list[str]) -> Intent:
    if not words:
        return ShowUsdtRate()
    rate = read_amount(words[0])
    return SetUsdtRate(rate) if rate is not None and len(words) == 1 else Usage("usdt")


def _credit(words: list[str]) -> Intent:
    folded = [fold(word) for word in words]
    numbers = [word.upper() for word in folded if _is_no(word, "M")]
    rest = [word for word in folded if not _is_no(word, "M")]
    if len(numbers) > 1 or len(rest) > 1:
        return Usage("credit")
    merchant_no = numbers[0] if numbers else None
    if not rest:
        return ShowCredit(merchant_no)
    if rest[0].lower() in _OFF:
        return SetCredit(None, merchant_no)
    amount = read_amount(rest[0])
    return SetCredit(amount, merchant_no) if amount is not None else Usage("credit")


_OFF: Final = ("off", "关", "关闭")
_SETTING_MONEY: Final = {"adjust": _adjust, "usdt": _usdt, "credit": _credit}


def _may_begin(name: str, word: str) -> bool:
    """Whether a word that is neither a name nor a day may follow a command about money."""
    if name not in _SETTING_MONEY:
        return False
    return word.lower() in _OFF or read_amount(word.lstrip("+-")) is not None


def _language(word: str) -> Intent:
    match word.lower():
        case "zh" | "cn" | "中文":
            return SetLanguage("zh")
        case "en" | "english" | "英文":
            return SetLanguage("en")
        case _:
            return Usage("lang")


def _reading(name: str, words: list[str]) -> Intent:
    """Bills, figures, balance, rates: each may name days, a merchant or supplier, both, neither."""
    numbers = [word.upper() for word in words if _is_no(word, "M") or _is_no(word, "S")]
    rest = " ".join(word for word in words if word.upper() not in numbers)
    days = read_days(rest) if rest else "today"
    number = numbers[0] if numbers else None
    dated, merchants_only = name in ("bill", "prepaid"), name in ("balance", "rates")
    if len(numbers) > 1 or days is None or (rest and not dated):
        return Usage(name)
    if number is not None and number[0] == "S" and merchants_only:
        return Usage(name)
    match name:
        case "bill":
            return ShowBill(days, number)
        case "prepaid":
            return ShowPrepaid(days, number)
        case "volume" | "success" | "stats" as what:
            return ShowStatistics(what, number)
        case "balance":
            return ShowBalance(number)
        case _:
            return ShowRates(number)


_WHAT: Final[dict[str, Literal["chart", "excel", "csv"]]] = {
    "chart": "chart", "图表": "chart", "excel": "excel", "xlsx": "excel", "csv": "csv",
}  # fmt: skip
_TABLES: Final[dict[str, Literal["orders", "prepayments", "days"]]] = {
    "orders": "orders", "订单": "orders",
    "prepayments": "prepayments", "预付": "prepayments",
    "days": "days", "每日": "days",
}  # fmt: skip
_BOM: Final = {"bom": True, "nobom": False}


def _export(words: list[str]) -> Intent:
    """What, which table (of CSV alone), days, whose: in any order, each once at most."""
    what = [_WHAT[word.lower()] for word in words if word.lower() in _WHAT]
    tables = [_TABLES[word.lower()] for word in words if word.lower() in _TABLES]
    marks = [_BOM[word.lower()] for word in words if word.lower() in _BOM]
    numbers = [word.upper() for word in words if _is_no(word, "M") or _is_no(word, "S")]
    known = (_WHAT, _TABLES, _BOM)
    rest = " ".join(
        word
        for word in words
        if not any(word.lower() in table for table in known) and word.upper() not in numbers
    )
    days = read_days(rest) if rest else "today"
    if days is None or any(len(found) > 1 for found in (what, tables, marks, numbers)):
        return Usage("export")
    kind = what[0] if what else "csv" if tables or marks else "excel"
    if kind != "csv" and (tables or marks):
        return Usage("export")
    table = tables[0] if tables else "orders"
    return Export(kind, days, table, marks[0] if marks else None, numbers[0] if numbers else None)


def _day_cut(name: str, words: list[str]) -> Intent:
    match words:
        case [text]:
            number = None
        case [text, holder] if _is_no(holder, "M") or _is_no(holder, "S"):
            number = holder.upper()
        case _:
            return Usage(name)
    return SetDayCut("time" if name == "daycut" else "zone", text, number)


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
