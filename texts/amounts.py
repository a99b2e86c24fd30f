"""Amounts as people type them: `1,000`, `1.5 万`, `一万`, `¥20`, `100 u`. Pure and exact.

There is one grammar for every command that takes an amount; docs/bot.md has it as a table. A text
is understood as a whole or it is no amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS

# What nobody sees in a text, and keyboards and copying put there.
_INVISIBLE: Final = dict.fromkeys(
    (0x00, 0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
)
# A plus or a minus that is a picture, with the mark that asks for it in colour.
_PICTURE: Final = re.compile("([\u2795\u2796])\ufe0f")

_BLANKS: Final = (0x3000, 0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F)
# Full-width forms and what keyboards put in their place, one character for one.
_FOLD: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(_BLANKS, " "),
    0x2212: "-", 0xFE63: "-", 0xFE62: "+", 0x3002: ".", 0xFFE5: "¥", 0xFFE1: "£",
}  # fmt: skip
# Signs that stand for + and - at the beginning of an amount; elsewhere they may be dashes.
_SIGNS: Final = {
    **dict.fromkeys(map(ord, "+\u2795"), "+"),
    **dict.fromkeys(map(ord, "-\u2796\u2010\u2011\u2012\u2013\u2014\u2015"), "-"),
}
_QUOTES: Final = dict.fromkeys(map(ord, "\u2018\u2019\u2032\u02bc\u00b4`"), "'")

_SCALES: Final = {
    "百万": 10**6, "百萬": 10**6, "千万": 10**7, "千萬": 10**7, "亿": 10**8, "億": 10**8,
    "万": 10_000, "萬": 10_000, "w": 10_000, "千": 1000, "仟": 1000, "k": 1000,
}  # fmt: skip
# The code of a currency -> the words for it. The desk does not count in the last ones: they are
# here so that none of them is taken for a remark.
_WORDS: Final = {
    "CNY": "块钱 元整 圆整 圓整 元 块 塊 圆 圓 人民币 人民幣 rmb cny ¥",
    "USDT": "usdt u 泰达币",
    "USD": "美元 美金 刀 usd us$ $",
    "EUR": "欧元 歐元 eur €",
    "GBP": "英镑 英鎊 gbp £",
    "HKD": "港币 港幣 港元 hkd hk$",
    "JPY": "日元 日圆 日圓 円 jpy",
    "KWD": "第纳尔 kwd",
    "SGD": "新币 新元 新加坡元 sgd s$",
    "THB": "泰铢 thb ฿", "VND": "越南盾 vnd ₫", "TWD": "新台币 台币 twd nt$",
    "KRW": "韩元 韩币 krw ₩", "INR": "卢比 inr ₹", "PHP": "比索 php ₱", "MYR": "马币 令吉 myr",
    "IDR": "印尼盾 idr", "AUD": "澳元 aud", "CAD": "加元 cad", "CHF": "瑞郎 chf",
    "RUB": "卢布 rub ₽", "AED": "迪拉姆 aed", "MOP": "澳门元 mop", "USDC": "usdc", "BTC": "btc",
    "ETH": "eth", "TRX": "trx",
}  # fmt: skip
_CURRENCY: Final = {word: code for code, words in _WORDS.items() for word in words.split()}
# In front of a figure stands a symbol or a code; other words there begin a sentence.
_IN_FRONT: Final = [w for w in _CURRENCY if not w.isalpha() or (w.isascii() and len(w) > 1)]

_NUMERALS: Final = dict(zip("零一二三四五六七八九", range(10), strict=True))
_PLACES: Final = {"千": 1000, "百": 100, "十": 10}
_SAME_NUMERAL: Final = str.maketrans(
    "〇壹贰貳叁參肆伍陆陸柒捌玖两兩拾佰仟萬", "零一二二三三四五六六七八九二二十百千万"
)
_SPOKEN_CHARS: Final = "零一二三四五六七八九十百千万〇壹贰貳叁參肆伍陆陸柒捌玖两兩拾佰仟萬"
_MYRIAD: Final = 10_000

_MAX_NUMBER_CHARS: Final = 24
_THOUSANDS_OR_DECIMALS: Final = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_DECIMALS_IN_DOUBT: Final = 3


def _any_of(words: list[str]) -> str:
    """A pattern for one of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_GROUPED: Final = "|".join(f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+" for mark in ",' ")
# Patterns of what is folded. They are parts of larger ones, also in texts.tariffs.
NUMBER: Final = rf"(?:(?:{_GROUPED}|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)(?![.,']?[0-9])"
SCALE: Final = _any_of(list(_SCALES))
CURRENCY: Final = _any_of(list(_CURRENCY))
_GAP: Final = r"[ \t]*"
_WHOLE_WORD: Final = r"(?:(?<![a-z])|(?![a-z0-9]))"
_SCALED: Final = (
    rf"{_GAP}(?P<scale>{SCALE})(?:{_WHOLE_WORD}|(?=(?:{CURRENCY}){_WHOLE_WORD}))(?![0-9])"
)
AMOUNT: Final = re.compile(
    rf"(?:(?P<before>{_any_of(_IN_FRONT)}){_GAP})?"
    rf"(?:(?P<number>{NUMBER})(?:{_SCALED})?"
    rf"|(?P<spoken>[{_SPOKEN_CHARS}]+))"
    rf"(?:{_GAP}(?P<after>{CURRENCY}){_WHOLE_WORD})?(?![a-z])",
    re.IGNORECASE,
)
_RATE: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_UNIT_FIRST: Final = re.compile(
    rf"(?:{SCALE}|(?:{SCALE})?(?:{CURRENCY})){_WHOLE_WORD}", re.IGNORECASE
)
_FRONT_FIRST: Final = re.compile(rf"(?:{_any_of(_IN_FRONT)}){_GAP}\.?[0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Typed:
    """An amount as it was typed: exact, in main units, negative behind a minus.

    text: as written. currency: the code of the one that was said, '' where none was. other: what
    it is as well, where its point may group thousands (`10.000`). grouped: with marks between
    thousands. scale: what a word like 万 behind it stands for.
    """

    text: str
    units: Decimal
    currency: str = ""
    other: Decimal | None = None
    grouped: bool = False
    scale: int = 1

    def units_in(self, currency: str) -> Decimal:
        """The amount in main units of a currency, which is the one that was said, if any was.

        Three decimals are usual in a currency that has three, and are in doubt in others.
        Refusals: currency_other, amount_doubtful.
        """
        if self.currency not in ("", currency):
            raise Refusal("currency_other", text=self.text, said=self.currency, currency=currency)
        if self.other is not None and EXPONENTS.get(currency) != _DECIMALS_IN_DOUBT:
            raise doubtful(self.text, _with_decimals(self.units), f"{self.other:,f}")
        return self.units


def doubtful(text: str, one: str, other: str) -> Refusal:
    """The refusal of what can be read in two ways, each of them as it should be written."""
    return Refusal("amount_doubtful", text=text, one=one, other=other)


def visible(text: str) -> str:
    """A text without what nobody sees in it."""
    return _PICTURE.sub(r"\1", text.translate(_INVISIBLE))


def fold(text: str) -> str:
    """Full-width digits, letters and signs as plain ones; every character stays in its place."""
    return text.translate(_FOLD)


def fold_amount(text: str) -> str:
    """As `fold`, with what people type between thousands and, at its beginning, as a sign."""
    plain = fold(text).translate(_QUOTES)
    rest = plain.lstrip("".join(map(chr, _SIGNS)))
    signs = plain[: len(plain) - len(rest)]
    return signs.translate(_SIGNS) + rest


def read_amount(text: str) -> Typed | None:
    """An amount that needs no sign: `50000`, `5 万元`, `1,234.5`; None where the text is none."""
    match = AMOUNT.fullmatch(fold(text).translate(_QUOTES).strip())
    return typed(match, text.strip()) if match is not None else None


def read_rate(text: str) -> Decimal | None:
    """What one of a currency is worth in another: plain digits and a point, of which none groups
    thousands; None where it is none."""
    folded = fold(text)
    return Decimal(folded) if _RATE.fullmatch(folded) else None


def typed(match: re.Match[str], text: str, *, negative: bool = False) -> Typed | None:
    """What a match of `AMOUNT` means; None where it cannot be computed exactly, is no numeral, or
    two currencies are said. text: the amount as written."""
    before, after = (_code(match[name]) for name in ("before", "after"))
    if before and after and before != after:
        return None
    sign = -1 if negative else 1
    if match["spoken"]:
        value = _spoken(match["spoken"])
        return None if value is None else Typed(text, Decimal(sign * value), before or after)
    number, scale = match["number"], _SCALES[match["scale"].lower()] if match["scale"] else 1
    if len(number) > _MAX_NUMBER_CHARS:
        return None
    in_doubt = _THOUSANDS_OR_DECIMALS.fullmatch(number) is not None
    return Typed(
        text,
        sign * scale * Decimal(re.sub("[,' ]", "", number)),
        before or after,
        sign * scale * Decimal(number.replace(".", "")) if in_doubt else None,
        grouped=not set(number).isdisjoint(",' "),
        scale=scale,
    )


def begins_with_unit(text: str) -> bool:
    """Whether a (folded) text begins with a scale or a currency."""
    return _UNIT_FIRST.match(text) is not None


def begins_with_front(text: str) -> bool:
    """Whether a (folded) text begins with a currency in front of a digit."""
    return _FRONT_FIRST.match(text) is not None


def _code(word: str | None) -> str:
    return _CURRENCY[word.lower()] if word else ""


def _with_decimals(units: Decimal) -> str:
    """With a number of decimals that leaves no doubt: 10.00, 10.50, 10.1250."""
    text = f"{units:.3f}"
    return text[:-1] if text.endswith("0") else f"{text}0"


def _spoken(text: str) -> int | None:
    """A Chinese numeral below 100,000,000; None where it is not written as it is counted:
    一万五 may be 15,000 or 10,005 to somebody."""
    plain = text.translate(_SAME_NUMERAL)
    value = section = digit = 0
    for char in plain:
        if char in _NUMERALS:
            digit = _NUMERALS[char]
        elif char in _PLACES:
            section += (digit or 1) * _PLACES[char]
            digit = 0
        else:
            value = (value + section + digit) * _MYRIAD
            section = digit = 0
    value += section + digit
    whole = f"一{plain}" if plain.startswith("十") else plain
    return value if 0 < value < _MYRIAD**2 and _counted(value) == whole else None


def _counted(value: int) -> str:
    """A number as it is counted in Chinese: 10,500 -> 一万零五百."""
    high, low = divmod(value, _MYRIAD)
    text = f"{_counted(high)}万" if high else ""
    skipped = bool(high)  # a place was written, so that a gap is spoken
    gap = False
    numerals = {number: char for char, number in _NUMERALS.items()}
    for place, char in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = low // place % 10
        if digit:
            text += ("零" if gap and skipped else "") + numerals[digit] + char
            skipped, gap = True, False
        else:
            gap = True
    return text
