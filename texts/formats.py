"""Money and dates as people read them, the same in every language."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.money import format_minor


def number(minor: int, currency: str) -> str:
    """'1,234.50': an amount without its currency."""
    return format_minor(minor, currency)


def money(minor: int, currency: str) -> str:
    """'1,234.50 CNY'."""
    return f"{format_minor(minor, currency)} {currency}"


def instant(at: datetime, zone: str) -> str:
    """'2026-11-21 09:03:27' on the clocks of an IANA zone. at: aware."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def day(value: date) -> str:
    """'2026-11-21'."""
    return value.isoformat()
