"""Money and dates as people read them, the same in every language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.kernel.money import EXPONENTS, format_minor

# A currency that counts more finely than any coin (USDT) shows two decimals, and more only where
# they are not 0.
_COINS: Final = 3
_LEAST: Final = 2


def number(minor: int, currency: str) -> str:
    """'1,234.50': an amount without its currency."""
    text = format_minor(minor, currency)
    exponent = EXPONENTS[currency]
    if exponent <= _COINS:
        return text
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(_LEAST, '0')}"


def money(minor: int, currency: str) -> str:
    """'1,234.50 CNY'."""
    return f"{number(minor, currency)} {currency}"


def instant(at: datetime, zone: str) -> str:
    """'2026-11-21 09:03:27' on the clocks of an IANA zone. at: aware."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def minute_from(at: datetime, zone: str) -> str:
    """'09:04': the first full minute that is not before an instant, on the clocks of a zone."""
    up = at + timedelta(minutes=1) - timedelta(microseconds=1)
    return up.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def day(value: date) -> str:
    """'2026-11-21'."""
    return value.isoformat()
