"""A tariff: which rate an amount is charged at. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from core.errors import Refusal
from core.money import Rate

MAX_TIERS: Final = 20
TiersBy = Literal["amount", "volume"]


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
            raise Refusal("tariff_invalid", why="the first tier must begin at 0")
        if any(after <= before for before, after in pairwise(starts)):
            raise Refusal("tariff_invalid", why="each tier must begin above the one before")
        if len(starts) > MAX_TIERS:
            raise Refusal("tariff_invalid", why=f"at most {MAX_TIERS} tiers are possible")

    @staticmethod
    def flat(rate: Rate) -> Tariff:
        """The same rate for every amount."""
        return Tariff((Tier(0, rate),))

    def rate_for(self, amount_minor: int, volume_minor: int = 0) -> Rate:
        """The rate of an order. volume_minor: of the closed days of its month."""
        measured = amount_minor if self.tiers_by == "amount" else volume_minor
        return next(t.rate for t in reversed(self.tiers) if t.from_minor <= measured)

    def pack(self) -> list[dict[str, int]]:
        """The tiers as JSON values."""
        return [{"from": tier.from_minor, **tier.rate.pack()} for tier in self.tiers]

    @staticmethod
    def unpack(tiers_by: TiersBy, tiers: Sequence[Mapping[str, Any]]) -> Tariff:
        """The tariff that `pack` packed."""
        return Tariff(tuple(Tier(tier["from"], Rate.unpack(tier)) for tier in tiers), tiers_by)
