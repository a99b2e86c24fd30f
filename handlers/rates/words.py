"""Rates and costs as people set them: `设置费率 alipay_qr 1.2% 从 2026-12-01`. Pure.

The tariff itself stays text until a handler knows the currency; core reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from core.kernel.errors import Refusal
from handlers.kit.commands import Command, about
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold
from texts.days import EXAMPLE, DaySpan, NoSuchDay, Span, read_days, resolve

Since = Span | NoSuchDay | Literal["tomorrow"] | None

_PRODUCT: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")
_MERCHANT_NO: Final = re.compile(r"[Mm][0-9]{1,11}")
_CHANNEL_NO: Final = re.compile(r"[Cc][0-9]{1,11}")
_SINCE: Final = re.compile(
    r"(?:\b(?:from|since)\b|从|自)\s*(?P<day>.*?)\s*(?:起|开始)?$", re.IGNORECASE
)
_TOMORROW: Final = frozenset({"tomorrow", "明天", "明日"})
_LONGEST_DAYS: Final = 3  # words: 2026-11-01 to 2026-11-10
_LEAP_CYCLE_YEARS: Final = 8
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class SetRate(Changing):
    """What a merchant pays for a product. since: None for from now on."""

    product_code: str
    tariff: str
    since: Since = None
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetCost(Changing):
    """What a supplier charges on a channel. since: None for from now on."""

    channel_no: str
    tariff: str
    since: Since = None


@dataclass(frozen=True, slots=True)
class Rerate(Changing):
    """Charge the orders of past days anew. tariff: empty for the one that counts now."""

    product_code: str
    tariff: str
    days: Span | NoSuchDay
    merchant_no: str | None = None


def read_rate(words: Sequence[str]) -> SetRate | None:
    """What follows the command; None where it is not written so."""
    merchant_no, rest = _merchant(words)
    if len(rest) < 2 or not _PRODUCT.fullmatch(rest[0].lower()):
        return None
    tariff, since = _since_in(" ".join(rest[1:]))
    return SetRate(rest[0].lower(), tariff, since, merchant_no) if tariff else None


def read_cost(words: Sequence[str]) -> SetCost | None:
    """What follows the command; None where it is not written so."""
    folded = [fold(word) for word in words]
    if len(folded) < 2 or not _CHANNEL_NO.fullmatch(folded[0]):
        return None
    tariff, since = _since_in(" ".join(folded[1:]))
    return SetCost(folded[0].upper(), tariff, since) if tariff else None


def read_rerate(words: Sequence[str]) -> Rerate | None:
    """What follows the command; None where it is not written so."""
    merchant_no, rest = _merchant(words)
    if not rest or not _PRODUCT.fullmatch(rest[0].lower()):
        return None
    for length in range(min(_LONGEST_DAYS, len(rest) - 1), 0, -1):
        days = read_days(" ".join(rest[-length:]))
        if days is not None:
            return Rerate(rest[0].lower(), " ".join(rest[1:-length]), days, merchant_no)
    return None


def first_day(since: Since, today: date) -> date | None:
    """The day from which on, where `today` is the open one; without a year, the next such day.

    None for from now on. Refusals: date_invalid.
    """
    match since:
        case None | "today":
            return None
        case "tomorrow":
            return today + timedelta(days=1)
        case DaySpan(first, last) if first == last:
            if first.year is not None:
                return first.begins(first.year)
            for year in range(today.year, today.year + _LEAP_CYCLE_YEARS + 1):
                try:
                    day = first.begins(year)
                except ValueError:
                    continue  # 29 February is not in every year
                if day >= today:
                    return day
            raise Refusal("date_invalid", text=f"{first.month}-{first.day}", example=EXAMPLE)
        case DaySpan():
            raise Refusal("date_invalid", text="…~…", example=EXAMPLE)
        case _:
            return resolve(since, today).first


def _merchant(words: Sequence[str]) -> tuple[str | None, list[str]]:
    folded = [fold(word) for word in words]
    if folded and _MERCHANT_NO.fullmatch(folded[0]):
        return folded[0].upper(), folded[1:]
    return None, folded


def _since_in(text: str) -> tuple[str, Since]:
    """A tariff, and the day that follows it."""
    match = _SINCE.search(text)
    if match is None:
        return text, None
    tariff, written = text[: match.start()].strip(), match["day"]
    if written.lower() in _TOMORROW:
        return tariff, "tomorrow"
    return tariff, read_days(written) or NoSuchDay(written[:_SHOWN_CHARS] or "…")


@dataclass(frozen=True, slots=True)
class ShowRates(Reading):
    merchant_no: str | None = None


COMMANDS: Final = (
    Command(
        "rates",
        {ShowRates: "read_money"},
        about(ShowRates),
        forms=("产品费率",),
        what="Products and their rates",
        usage=("产品费率", "产品费率 M1001", "/rates"),
        answer=(
            "what the merchant pays for each product, since when, and what comes; in a supplier's"
            " group, what it charges on each channel"
        ),
    ),
    Command(
        "rate",
        {SetRate: "price"},
        read_rate,
        forms=("设置费率",),
        what="Set a merchant's rate",
        usage=(
            "设置费率 alipay_qr 1.2%",
            "设置费率 M1001 alipay_qr 1.2% + 0.10 最低 0.05 最高 50; >=1000: 1% 从 2026-12-01",
            "/rate alipay_qr 1.2% from tomorrow",
        ),
        answer="the merchant's rate from now, or from a day on; see below",
    ),
    Command(
        "rerate",
        {Rerate: "price"},
        read_rerate,
        forms=("重算费率",),
        what="Charge past orders anew",
        usage=("重算费率 alipay_qr 1.1% 11-01~11-10", "/rerate M1001 alipay_qr 1.1% 2026-11"),
        answer="what charging those days' orders anew would come to; then asks you",
    ),
    Command(
        "cost",
        {SetCost: "price"},
        read_cost,
        forms=("设置成本",),
        what="Set what a channel costs",
        usage=("设置成本 C01 0.65%", "/cost C01 0.65% from 2026-12-01"),
        answer="what a channel costs us; in ops groups and private chats only",
    ),
)
