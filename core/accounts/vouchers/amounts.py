"""What one word may move, and what it comes to in the currency of whom it concerns. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, Money, exchange, exchange_back, format_minor, parse_money

MAX_MOVED: Final = 100_000_000  # main units of the currency
MAX_REMARK_CHARS: Final = 200
USDT: Final = "USDT"
_EXAMPLE: Final = "+1000"


@dataclass(frozen=True, slots=True)
class Advance:
    """Money as a person wrote it. amount: negative for a take-back.

    conversion_rate: what one USDT is worth in the holder's currency; None where nothing is
    converted. With it, an amount in USDT is to be converted, and an amount in the holder's own
    currency left as USDT. proof_file_id: the picture that was sent with it, at Telegram.
    """

    amount: Money
    remark: str
    conversion_rate: Decimal | None = None
    proof_file_id: str | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """amount: what is booked, in the holder's currency. original: what changed hands."""

    amount: Money
    original: Money


def convert(advance: Advance, currency: str) -> Converted:
    """An advance in the holder's currency: exact where nothing is converted, else rounded half-up
    to the smallest unit at the stated rate.

    `100 USDT at 7.2` is booked as 720.00, and 100 USDT is its original. `700.00 at 7.2` is booked
    as the 700.00 it says; what left was USDT, so its original is 97.222222 USDT. Either way the
    original, the rate and the booked amount are kept, and agree. Refusals: amount_invalid,
    amount_over_limit.
    """
    amount, rate = advance.amount, advance.conversion_rate
    known = (currency,) if rate is None else (currency, USDT)
    if amount.currency not in known or (rate is not None and currency == USDT):
        raise Refusal("amount_invalid", text=amount, currency=currency, example=_EXAMPLE)
    if rate is None:
        found = Converted(amount, amount)
    elif amount.currency == currency:
        found = Converted(amount, exchange_back(amount, rate, USDT))
    else:
        found = Converted(exchange(amount, rate, currency), amount)
    check_moved(found.amount, example=_EXAMPLE)
    check_moved(found.original, example=_EXAMPLE)
    return found


def check_moved(amount: Money, *, example: str) -> None:
    """Whether one word may move an amount: something, and not too much. Refusals: amount_invalid,
    amount_over_limit."""
    if amount.minor == 0:
        raise Refusal("amount_invalid", text=amount, currency=amount.currency, example=example)
    _check_limit(amount.decimal(), amount.currency)


def money_of(amount: Decimal, currency: str) -> Money:
    """An amount of main units as money, exactly. Refusals: amount_invalid (more decimals than the
    currency has), amount_over_limit."""
    _check_limit(amount, currency)
    return parse_money(format(amount, "f"), currency)


def _check_limit(amount: Decimal, currency: str) -> None:
    if abs(amount) > MAX_MOVED:
        limit = format_minor(MAX_MOVED * 10 ** EXPONENTS[currency], currency)
        raise Refusal("amount_over_limit", text=f"{amount:,f}", limit=limit, currency=currency)
