"""A tariff: which rate an amount is charged at, and how it is written. Pure.

1.2%                             of the amount
1.2% + 0.10 min 0.05 max 50      plus a fixed part, within bounds
1.2%; >=1000: 1%; >=5000: 0.8%   by the order's amount
volume 1.2%; >=100000: 1%        by what the month's closed days came to
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, Rate, format_minor

MAX_TIERS: Final = 20
TiersBy = Literal["amount", "volume"]

# What can be wrong with a tariff; the catalogues translate each.
FAULTS: Final[dict[str, str]] = {
    "empty": "no rate is written",
    "long": "that is too long",
    "unclear": "this part cannot be read",
    "percent": "a percentage lies between 0 and 100 and has at most 4 decimals",
    "amount": "this is not an amount of the currency",
    "twice": "this is said twice",
    "bounds": "the least fee is more than the most",
    "start": "the first tier must begin at 0",
    "threshold": "a tier needs the amount from which it counts",
    "order": "each tier must begin above the one before",
    "many": "there are too many tiers",
    "channel": "a channel's tiers go by amount",
}
_EXAMPLE: Final = "1.2% + 0.10 min 0.05 max 50; >=1000: 1%"
_SHOWN_CHARS: Final = 40


def tariff_fault(key: str, text: str = "") -> Refusal:
    """The refusal of a tariff. key: of FAULTS. text: the part of it that is at fault."""
    return Refusal(
        "tariff_invalid", why=FAULTS[key], text=text[:_SHOWN_CHARS] or "…", example=_EXAMPLE
    )


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate, and from which amount (or monthly volume) on it counts, in smallest units."""

    from_minor: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Tariff:
    """One rate or several. The whole amount is charged at the rate of its tier.

    tiers_by: amount (of the order) or volume (paid on the closed days of the month so far).
    Refusals: tariff_invalid.
    """

    tiers: tuple[Tier, ...]
    tiers_by: TiersBy = "amount"

    def __post_init__(self) -> None:
        starts = [tier.from_minor for tier in self.tiers]
        if not starts or starts[0] != 0:
            raise tariff_fault("start", str(starts[0]) if starts else "")
        for before, after in pairwise(starts):
            if after <= before:
                raise tariff_fault("order", str(after))
        if len(starts) > MAX_TIERS:
            raise tariff_fault("many", str(len(starts)))

    @staticmethod
    def flat(rate: Rate) -> Tariff:
        """The same rate for every amount."""
        return Tariff((Tier(0, rate),))

    def rate_for(self, amount_minor: int, volume_minor: int = 0) -> Rate:
        """The rate of an order. volume_minor: of the closed days of its month. Whatever is
        measured below 0 is in the first tier."""
        measured = amount_minor if self.tiers_by == "amount" else volume_minor
        return next(t.rate for t in reversed(self.tiers) if t.from_minor <= max(0, measured))

    def of(self, amount_minor: int) -> int:
        """What is charged on an amount at the tier that it is in. Of tiers by amount."""
        return self.rate_for(amount_minor).of(amount_minor)

    def pack(self) -> list[dict[str, int]]:
        """The tiers as JSON values."""
        return [{"from": tier.from_minor, **tier.rate.pack()} for tier in self.tiers]

    @staticmethod
    def unpack(tiers_by: TiersBy, tiers: Sequence[Mapping[str, Any]]) -> Tariff:
        """The tariff that `pack` packed."""
        return Tariff(tuple(Tier(tier["from"], Rate.unpack(tier)) for tier in tiers), tiers_by)


def format_tariff(tariff: Tariff, currency: str) -> str:
    """A tariff as a person writes it; `texts.tariffs` reads it back."""
    pieces = [
        (f">={short_amount(tier.from_minor, currency)}: " if tier.from_minor else "")
        + _format_rate(tier.rate, currency)
        for tier in tariff.tiers
    ]
    return ("volume " if tariff.tiers_by == "volume" else "") + "; ".join(pieces)


def _format_rate(rate: Rate, currency: str) -> str:
    text = rate.percent()
    if rate.fixed_minor:
        text += f" + {short_amount(rate.fixed_minor, currency)}"
    if rate.min_minor:
        text += f" min {short_amount(rate.min_minor, currency)}"
    if rate.max_minor is not None:
        text += f" max {short_amount(rate.max_minor, currency)}"
    return text


def short_amount(minor: int, currency: str) -> str:
    """'0.10', and '1000' where nothing is behind the point."""
    text = format_minor(minor, currency, grouping=False)
    return text if minor % 10 ** EXPONENTS[currency] else text.partition(".")[0]
