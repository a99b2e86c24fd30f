"""Which orders somebody means, by words in any order: `今天 M1001 未回调 >1000`. Pure.

Words may stand without blanks between them, as in `今天未回调`. Each thing is said once, but for
numbers of merchants, channels and suppliers, products and marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from core.kernel.money import EXPONENTS
from core.reports.order_lists import Mark, News, Pay
from texts.amounts import Typed, fold, read_amount
from texts.days import NoSuchDay, Span, read_days

MAX_WORDS: Final = 40
_DAY_WORDS: Final = 5  # `11-20 ~ 11-25`, `last 7 days`
_MAX_AMOUNT_CHARS: Final = 24
_MAX_JOINED_CHARS: Final = 60  # of words without blanks between them

# What is meant -> the words for it.
_PAY_WORDS: Final[dict[Pay, str]] = {
    "paid": "已付 已付款 已支付 支付成功 付款成功 成功 付了 paid success",
    "unpaid": "未付 未付款 未支付 没付 没付款 未成功 unpaid",
    "waiting": "待付 待付款 待支付 支付中 等待支付 等待付款 进行中 waiting pending open",
    "failed": "失败 支付失败 下单失败 出码失败 failed",
    "expired": "超时 过期 已超时 已过期 expired timeout",
    "closed": "关闭 已关闭 订单关闭 closed",
}
_NEWS_WORDS: Final[dict[News, str]] = {
    "told": "已回调 已通知 回调成功 通知成功 told notified",
    "untold": "未回调 没回调 未通知 没通知 未发送 untold unnotified",
    "failed": "回调失败 通知失败 notify_failed",
    "waiting": "回调中 通知中 待回调 notifying",
}
_MARK_WORDS: Final[dict[Mark, str]] = {
    "completed": "补单 已补单 补单订单 手工 手动 人工 手工补单 人工补单 completed manual",
    "refunded": "退款 已退款 退款单 退单 refunded refund",
    "late": "迟到 迟付 晚到 晚付 late",
    "disputed": "争议 有争议 争议单 disputed",
}
_PAY: Final = {word: meant for meant, words in _PAY_WORDS.items() for word in words.split()}
_NEWS: Final = {word: meant for meant, words in _NEWS_WORDS.items() for word in words.split()}
_MARKS: Final = {word: meant for meant, words in _MARK_WORDS.items() for word in words.split()}
_TEST: Final = frozenset({"测试", "测试单", "test"})
_ALL: Final = frozenset({"全部", "所有", "订单", "的", "all", "orders", "and", "from", "和"})

Bound = Literal["least", "more", "most", "less", "is"]
_BOUND_WORDS: Final[dict[Bound, str]] = {
    "least": ">= => ≥ ≧ 不低于 不少于 至少",
    "more": "> 大于 超过 高于 多于 over above",
    "most": "<= =< ≤ ≦ 不超过 不高于 不多于 至多 upto",
    "less": "< 小于 低于 少于 不到 under below",
    "is": "= 等于 金额",
}
_AFTER_WORDS: Final[dict[Bound, str]] = {
    "least": "以上 及以上 起 +",
    "most": "以下 及以下 以内 之内",
}
_BOUNDS: Final = {word: bound for bound, words in _BOUND_WORDS.items() for word in words.split()}
_AFTER: Final = {word: bound for bound, words in _AFTER_WORDS.items() for word in words.split()}


def _any_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_BOUND_ALONE: Final = re.compile(rf"(?:{_any_of(list(_BOUNDS))})", re.IGNORECASE)
_BOUNDED: Final = re.compile(rf"(?P<bound>{_any_of(list(_BOUNDS))})(?P<amount>.+)", re.IGNORECASE)
_AFTERWARDS: Final = re.compile(rf"(?P<amount>.+?)(?P<bound>{_any_of(list(_AFTER))})")
_RANGE: Final = re.compile(r"(?P<least>[^-~〜至到–—]+)[-~〜至到–—]+(?P<most>[^-~〜至到–—]+)")
_MERCHANT: Final = re.compile(r"[Mm][0-9]{1,9}")
_SUPPLIER: Final = re.compile(r"[Ss][0-9]{2,9}")
_CHANNEL: Final = re.compile(r"[Cc][0-9]{2,9}")
# A comma between words, and none of an amount.
_BETWEEN_WORDS: Final = re.compile(r"(?<![0-9]),|,(?![0-9])|[、;]")
_NUMBERED: Final = re.compile(r"[MmSsCc][0-9]{1,9}(?![0-9A-Za-z_])")
_WORDS: Final = frozenset({*_PAY, *_NEWS, *_MARKS, *_TEST, *_ALL})
_LONGEST: Final = 24


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound of amounts. included: whether it is one of them."""

    amount: Typed
    included: bool = True


Limits = tuple[Limit | None, Limit | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said. days: today where nothing was. currency: '' where none was said. others: the
    words that are nothing of this: products, perhaps. too_long: there were more than `MAX_WORDS`,
    of which the first were read."""

    days: Span | NoSuchDay = "today"
    merchants: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    currency: str = ""
    least: Limit | None = None
    most: Limit | None = None
    pay: Pay = ""
    news: News = ""
    marks: tuple[Mark, ...] = ()
    test: bool = False
    others: tuple[str, ...] = ()
    too_long: bool = False


def read_filter(words: Sequence[str]) -> Wanted:
    """What these words mean together. Words that mean nothing, or say a thing twice, are others."""
    reader = _Reader()
    text = _BETWEEN_WORDS.sub(" ", fold(" ".join(words)))
    words = text.split()
    joined = _joined(words[: MAX_WORDS + 1])
    said = joined[:MAX_WORDS]
    place = 0
    while place < len(said):
        place += reader.take(said, place)
    return replace(reader.wanted(), too_long=len(joined) > MAX_WORDS)


def is_part(word: str) -> bool:
    """Whether a (folded) word is understood as a part of a filter."""
    return not read_filter([word]).others


def _joined(words: Sequence[str]) -> list[str]:
    """`> 1000` as one word, and words that stand without blanks between them apart."""
    said: list[str] = []
    waiting = ""
    for word in words:
        if _BOUND_ALONE.fullmatch(waiting + word):
            waiting += word
            continue
        said += [waiting + word] if waiting else _apart(word)
        waiting = ""
    return [*said, waiting] if waiting else said


def _apart(word: str) -> list[str]:
    """The parts of a word that is several; the word itself where a piece of it means nothing."""
    if _means(word) or len(word) > _MAX_JOINED_CHARS:
        return [word]
    parts = list(_pieces(word))
    return parts if "".join(parts) == word else [word]


def _pieces(word: str) -> Iterator[str]:
    """The longest that means something, again and again; it ends where nothing does."""
    place = 0
    while place < len(word):
        rest = word[place:]
        numbered = _NUMBERED.match(rest)
        if numbered is not None:
            found = numbered[0]
        else:
            sizes = range(min(_LONGEST, len(rest)), 0, -1)
            found = next((rest[:size] for size in sizes if _means(rest[:size])), "")
        if not found:
            found = rest if _bounds(rest) else ""
        if not found:
            return
        yield found
        place += len(found)


def _means(word: str) -> bool:
    """Whether a word means something by itself, and is no amount: that may go on."""
    if word.lower() in _WORDS or word.upper() in EXPONENTS or read_days(word) is not None:
        return True
    return any(shape.fullmatch(word) for shape in (_MERCHANT, _SUPPLIER, _CHANNEL))


def _bounds(word: str) -> Limits | None:
    """(least, most); None where it is no amount."""
    if len(word) > _MAX_AMOUNT_CHARS:
        return None
    if found := _BOUNDED.fullmatch(word):
        return _bounded(_BOUNDS[found["bound"].lower()], _amount(found["amount"]))
    if found := _AFTERWARDS.fullmatch(word):
        return _bounded(_AFTER[found["bound"]], _amount(found["amount"]))
    if found := _RANGE.fullmatch(word):
        least, most = _amount(found["least"]), _amount(found["most"])
        if least is None or most is None or least.units > most.units:
            return None
        return Limit(least), Limit(most)
    return _bounded("is", _amount(word))


def _amount(word: str) -> Typed | None:
    typed = read_amount(word)
    return typed if typed is not None and typed.units >= 0 else None


def _bounded(bound: Bound, typed: Typed | None) -> Limits | None:
    if typed is None:
        return None
    match bound:
        case "least" | "more":
            return Limit(typed, bound == "least"), None
        case "most" | "less":
            return None, Limit(typed, bound == "most")
        case "is":
            return Limit(typed), Limit(typed)


class _Reader:
    """Collects what words mean."""

    def __init__(self) -> None:
        self._days: Span | NoSuchDay | None = None
        self._numbers: dict[str, list[str]] = {"M": [], "S": [], "C": []}
        self._currency = ""
        self._least: Limit | None = None
        self._most: Limit | None = None
        self._pay: Pay = ""
        self._news: News = ""
        self._marks: list[Mark] = []
        self._test = False
        self._others: list[str] = []

    def wanted(self) -> Wanted:
        """All that was said."""
        merchants, suppliers, channels = (tuple(self._numbers[letter]) for letter in "MSC")
        return Wanted(
            self._days or "today",
            merchants,
            suppliers,
            channels,
            self._currency,
            self._least,
            self._most,
            self._pay,
            self._news,
            tuple(self._marks),
            self._test,
            tuple(self._others),
        )

    def take(self, said: Sequence[str], place: int) -> int:
        """Understand what begins here; how many words that was."""
        size = self._take_days(said, place)
        if size:
            return size
        word = said[place]
        if not (self._take_word(word.lower()) or self._take_number(word) or self._limit(word)):
            self._others.append(word)
        return 1

    def _take_days(self, said: Sequence[str], place: int) -> int:
        for size in range(min(_DAY_WORDS, len(said) - place), 0, -1):
            text = " ".join(said[place : place + size])
            found = read_days(text)
            if found is None or (self._days is not None and size > 1):
                continue
            if self._days is not None:
                return 0
            self._days = found
            return size
        return 0

    def _take_word(self, word: str) -> bool:
        if word in _ALL:
            return True
        if word in _TEST:
            self._test = True
            return True
        if word in _MARKS:
            self._marks += [_MARKS[word]] if _MARKS[word] not in self._marks else []
            return True
        if word in _PAY and self._pay in ("", _PAY[word]):
            self._pay = _PAY[word]
            return True
        if word in _NEWS and self._news in ("", _NEWS[word]):
            self._news = _NEWS[word]
            return True
        if word.upper() in EXPONENTS and self._currency in ("", word.upper()):
            self._currency = word.upper()
            return True
        return False

    def _take_number(self, word: str) -> bool:
        for shape in (_MERCHANT, _SUPPLIER, _CHANNEL):
            if shape.fullmatch(word):
                there = self._numbers[word[0].upper()]
                there += [word.upper()] if word.upper() not in there else []
                return True
        return False

    def _limit(self, word: str) -> bool:
        found = _bounds(word)
        if found is None:
            return False
        least, most = found
        said = {limit.amount.currency for limit in found if limit} - {""}
        again = (least and self._least) or (most and self._most)
        if again or not said <= EXPONENTS.keys() or len(said | {self._currency} - {""}) > 1:
            return False
        self._least, self._most = least or self._least, most or self._most
        self._currency = "".join(said) or self._currency
        return True
