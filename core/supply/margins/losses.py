"""Whether a rate is below what a channel costs: at which amounts a merchant would pay us less than
we pay the supplier. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from core.kernel.money import EXPONENTS, MAX_MINOR, PPM, Rate
from core.kernel.tariff import Tariff, format_tariff
from core.supply.channels import Channel

# Main units: amounts that people think in, tried before all others.
_ROUND: Final = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Loss:
    """A channel that costs more than the merchant pays, and an order of which that is true. cost:
    in writing. Amounts in smallest units of the channel's currency."""

    channel_no: str
    channel_name: str
    cost: str
    amount_minor: int
    fee_minor: int
    cost_minor: int


def losses(tariff: Tariff, channels: Iterable[Channel]) -> tuple[Loss, ...]:
    """The channels of which some order would cost more than it brings in."""
    found = (_loss(tariff, channel) for channel in channels)
    return tuple(loss for loss in found if loss is not None)


def _loss(tariff: Tariff, channel: Channel) -> Loss | None:
    """What a merchant pays by volume may be any tier's rate: the volume is not known before."""
    for amount in _amounts(tariff, channel):
        fee_minor = _least_fee(tariff, amount)
        cost_minor = channel.cost.of(amount)
        if fee_minor < cost_minor:
            cost = format_tariff(channel.cost, channel.currency)
            return Loss(channel.channel_no, channel.name, cost, amount, fee_minor, cost_minor)
    return None


def _least_fee(tariff: Tariff, amount: int) -> int:
    if tariff.tiers_by == "amount":
        return tariff.of(amount)
    return min(tier.rate.of(amount) for tier in tariff.tiers)


def _amounts(tariff: Tariff, channel: Channel) -> Iterator[int]:
    """Those that decide: between two of them fee and cost both run straight. Where a channel says
    no least amount, an order has one main unit at least."""
    if channel.amount_list:
        yield from channel.amount_list
        return
    unit = 10 ** EXPONENTS[channel.currency]
    least, most = channel.amount_min or unit, channel.amount_max or MAX_MINOR
    bends = {least, most}
    for one in (tariff, channel.cost):
        for tier in one.tiers:
            if one.tiers_by == "amount":
                bends |= {tier.from_minor - 1, tier.from_minor}
            bends |= set(_bends(tier.rate))
    for amount in (*(n * unit for n in _ROUND), *sorted(bends)):
        if least <= amount <= most:
            yield amount


def _bends(rate: Rate) -> Iterator[int]:
    """The amounts about which a fee meets its bounds."""
    for bound in (rate.min_minor, rate.max_minor):
        if bound is not None and rate.ppm:
            meets = (bound - rate.fixed_minor) * PPM // rate.ppm
            yield from (meets, meets + 1)
