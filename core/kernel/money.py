"""Money: whole smallest units and a currency. No floats anywhere.

Rounding happens here alone: fees in `Rate.of`, shares of them in `share`, conversions in
`exchange`, all half-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Final

from core.kernel.errors import Bug, Refusal

# ISO 4217 exponents of the currencies a desk may be opened in; USDT as its issuer counts it.
EXPONENTS: Final[dict[str, int]] = {
    "CNY": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "JPY": 0,
    "KWD": 3,
    "SGD": 2,
    "USD": 2,
    "USDT": 6,
}
# Of a merchant or a supplier that is opened without another.
HOME_CURRENCY: Final = "CNY"
# One movement's bound. Sums of many still fit PostgreSQL's bigint, and JSON's safe integers.
MAX_MINOR: Final = 10**15
PPM: Final = 1_000_000

# As many digits as Decimal's arithmetic carries exactly: a longer text would be rounded unseen.
_MAX_CHARS: Final = 28
_DIVIDED_DIGITS: Final = 60
_PLAIN = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole smallest units (`minor`) of `currency`. May be negative."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        need_currency(self.currency)
        if type(self.minor) is not int:
            raise Bug(f"money needs whole units, not {type(self.minor).__name__}")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise Bug(f"{self.currency} and {other.currency} do not add")
        return other.minor

    def decimal(self) -> Decimal:
        """The amount in main units, exactly: 1234 CNY minor -> Decimal('12.34')."""
        return Decimal(self.minor).scaleb(-EXPONENTS[self.currency])

    def plain(self) -> str:
        """'1234.50': no grouping, all decimals of the currency; for machines."""
        return format_minor(self.minor, self.currency, grouping=False)

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.currency)} {self.currency}"


def need_currency(currency: str) -> None:
    """Refusals: currency_unknown."""
    if currency not in EXPONENTS:
        raise Refusal("currency_unknown", param="currency", currency=currency)


def format_minor(minor: int, currency: str, *, grouping: bool = True) -> str:
    """'1,234.50' (or '1234.50'): the number alone, with every decimal the currency has."""
    exponent = EXPONENTS[currency]
    units, rest = divmod(abs(minor), 10**exponent)
    text = f"{units:,}" if grouping else str(units)
    sign = "-" if minor < 0 else ""
    return f"{sign}{text}.{rest:0{exponent}d}" if exponent else f"{sign}{text}"


def parse_money(text: str, currency: str) -> Money:
    """Read main units as a person or a supplier writes them: '1,234.5' CNY -> 123450 minor.

    Exact: more decimals than the currency has are refused unless they are zeros.
    Refusals: currency_unknown, amount_invalid.
    """
    need_currency(currency)
    exponent = EXPONENTS[currency]
    example = format_minor(100 * 10**exponent, currency)
    stripped = text.strip()
    fault = Refusal("amount_invalid", text=text[:40], currency=currency, example=example)
    if len(stripped) > _MAX_CHARS or not _PLAIN.fullmatch(stripped):
        raise fault
    try:
        scaled = Decimal(stripped.replace(",", "")).scaleb(exponent)
    except InvalidOperation:
        raise fault from None
    if scaled != scaled.to_integral_value() or abs(scaled) > MAX_MINOR:
        raise fault
    return Money(int(scaled), currency)


def share(part_minor: int, of_minor: int, whole_minor: int) -> int:
    """What of `of_minor` falls to a part of the whole, rounded half-up; all of it to the whole.

    Nothing is negative and the part is within the whole, which is not nothing.
    """
    if not 0 <= part_minor <= whole_minor or whole_minor == 0 or of_minor < 0:
        raise Bug(f"{part_minor} of {whole_minor} has no share of {of_minor}")
    return (of_minor * part_minor * 2 + whole_minor) // (2 * whole_minor)


def exchange(amount: Money, rate: Decimal, currency: str) -> Money:
    """The amount in another currency, where one of it is `rate` of the other, rounded half-up."""
    minor = (amount.decimal() * rate).scaleb(EXPONENTS[currency])
    return Money(int(minor.to_integral_value(ROUND_HALF_UP)), currency)


def exchange_back(amount: Money, rate: Decimal, currency: str) -> Money:
    """The amount in another currency, of which one is `rate` of this one's, rounded half-up."""
    with localcontext(prec=_DIVIDED_DIGITS):  # so that no tie is made by rounding the quotient
        minor = (amount.decimal() / rate).scaleb(EXPONENTS[currency])
        return Money(int(minor.to_integral_value(ROUND_HALF_UP)), currency)


@dataclass(frozen=True, slots=True)
class Rate:
    """A percentage in parts per million of the amount, plus a fixed part, within bounds.

    0.65 % is 6500 ppm. fixed, min, max: in smallest units; max None: no upper bound.
    """

    ppm: int
    fixed_minor: int = 0
    min_minor: int = 0
    max_minor: int | None = None

    def __post_init__(self) -> None:
        bounds_meet = self.max_minor is None or self.min_minor <= self.max_minor
        if not 0 <= self.ppm <= PPM or min(self.fixed_minor, self.min_minor) < 0 or not bounds_meet:
            raise Bug(f"{self} cannot be a rate")

    def of(self, amount_minor: int) -> int:
        """The fee on an amount, rounded half-up to the smallest unit."""
        fee = (amount_minor * self.ppm * 2 + PPM) // (2 * PPM) + self.fixed_minor
        fee = max(fee, self.min_minor)
        return fee if self.max_minor is None else min(fee, self.max_minor)

    def percent(self) -> str:
        """'0.65%', without trailing zeros."""
        text = f"{Decimal(self.ppm) / 10_000:.4f}".rstrip("0").rstrip(".")
        return f"{text}%"

    def pack(self) -> dict[str, int]:
        """As JSON values; what is at its default is left out."""
        values = {"ppm": self.ppm, "fixed": self.fixed_minor, "min": self.min_minor}
        packed = {name: value for name, value in values.items() if value or name == "ppm"}
        return packed if self.max_minor is None else {**packed, "max": self.max_minor}

    @staticmethod
    def unpack(values: Mapping[str, int]) -> Rate:
        """The rate that `pack` packed."""
        return Rate(values["ppm"], values.get("fixed", 0), values.get("min", 0), values.get("max"))
