"""Where rates are below cost: which merchants pay less for a product than a channel costs that
sells it to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from core.kernel.clock import Clock, DayCut
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants import Merchant
from core.people.desk_settings import DeskSettings
from core.supply.channels import Channel, read_channels
from core.supply.margins.losses import Loss, losses
from core.supply.market import Market
from core.system.store import Queries, Tx

SECOND: Final = "below_cost_second"  # the setting


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change has written: whose rate of which product from which day on, or which channels
    cost something else, from which day on, or sell something more. None: any."""

    merchant_id: UUID | None = None
    product_code: str | None = None
    channel_nos: tuple[str, ...] | None = None
    rate_since: date | None = None
    cost_since: date | None = None


@dataclass(frozen=True, slots=True)
class Below:
    """A merchant's rate that is below what a channel costs. rate: in writing."""

    merchant_no: str
    merchant_name: str
    product_code: str
    rate: str
    currency: str
    loss: Loss


@dataclass(frozen=True, slots=True)
class _Priced:
    """A tariff for as long as it counts. until: None for ever."""

    tariff: Tariff
    since_day: date
    since: datetime
    until: datetime | None


class Margins:
    """Looks at what merchants pay beside what their orders may cost.

    What is switched off or archived counts as well: it may be on tomorrow, which nobody asks
    about.
    """

    def __init__(self, market: Market, settings: DeskSettings, clock: Clock, *, demo: bool) -> None:
        self._market = market
        self._settings = settings
        self._clock = clock
        self._demo = demo

    async def of_tariff(
        self, merchant: Merchant, product_code: str, tariff: Tariff
    ) -> tuple[Loss, ...]:
        """The channels that a merchant's live orders of a product may go to now, and that cost more
        than it would pay by this tariff."""
        now = self._clock.now()
        channels = await self._market.channels(product_code, merchant.id, now)
        return losses(tariff, [one for one in channels if self._sells(one, merchant.currency)])

    async def below_cost(self, tx: Tx, changed: Changed) -> tuple[Below, ...]:
        """What is below cost of all that a change concerns, now or on a day that is known by now.
        To be asked once it is written. Nobody else changes any of it until we commit."""
        await tx.hold("margins")
        now = self._clock.now()
        channels = {
            one.id: one
            for one in await read_channels(tx, now)
            if changed.channel_nos is None or one.channel_no in changed.channel_nos
        }
        sold = await tx.fetch(_SOLD, changed.merchant_id, changed.product_code, list(channels))
        rates = _priced(
            await tx.fetch(_RATES, changed.merchant_id, changed.product_code),
            ("merchant_id", "product_code"),
        )
        costs = _priced(await tx.fetch(_COSTS, list(channels)), ("channel_id",))
        found = []
        for row in sold:
            channel = channels[row["channel_id"]]
            if not self._sells(channel, row["currency"]):
                continue
            pairs = _at_once(
                rates[row["merchant_id"], row["product_code"]], costs[channel.id,], changed, now
            )
            if (below := _first(row, channel, pairs)) is not None:
                found.append(below)
        return tuple(found)

    async def needs_second(self, found: Sequence[object], queries: Queries) -> bool:
        """Whether a second person is to see them."""
        return bool(found) and await self._settings.switched_on(SECOND, queries)

    def _sells(self, channel: Channel, currency: str) -> bool:
        """A sandbox costs nothing, but in a demo."""
        return (self._demo or not channel.supplier_sandbox) and channel.currency == currency


def _priced(
    rows: Sequence[Any], names: tuple[str, ...]
) -> defaultdict[tuple[Any, ...], list[_Priced]]:
    """What each has in these columns -> its tariffs, the oldest first."""
    found: defaultdict[tuple[Any, ...], list[_Priced]] = defaultdict(list)
    for row in rows:
        since = DayCut(row["day_cut"], row["zone"]).start_of(row["valid_from"])
        priced = found[tuple(row[name] for name in names)]
        if priced:
            priced[-1] = replace(priced[-1], until=since)
        tariff = Tariff.unpack(row["tiers_by"], row["tiers"])
        priced.append(_Priced(tariff, row["valid_from"], since, None))
    return found


def _at_once(
    rates: Sequence[_Priced], costs: Sequence[_Priced], changed: Changed, now: datetime
) -> Iterator[tuple[Tariff, Tariff]]:
    """Each rate and each cost that count at one instant, now or later, and are concerned."""
    for rate in rates:
        for cost in costs:
            if changed.rate_since not in (None, rate.since_day):
                continue
            if changed.cost_since not in (None, cost.since_day):
                continue
            ends = [one.until for one in (rate, cost) if one.until is not None]
            if not ends or max(now, rate.since, cost.since) < min(ends):
                yield rate.tariff, cost.tariff


def _first(row: Any, channel: Channel, pairs: Iterator[tuple[Tariff, Tariff]]) -> Below | None:
    for rate, cost in pairs:
        for loss in losses(rate, [replace(channel, cost=cost)]):
            written = format_tariff(rate, channel.currency)
            return Below(
                row["merchant_no"], row["name"], row["product_code"], written, channel.currency,
                loss,
            )  # fmt: skip
    return None


# Whose orders of which product may go to which channel. $1: a merchant or null, $2: a product or
# null, $3: channels.
_SOLD: Final = """
SELECT mp.merchant_id, m.merchant_no, m.name, m.currency, mp.product_code, p.channel_id
FROM merchant_product mp
JOIN merchant m ON m.id = mp.merchant_id
JOIN product_channel p ON p.product_code = mp.product_code
    AND p.merchant_id IS NOT DISTINCT FROM (
        SELECT o.merchant_id FROM product_channel o
        WHERE o.product_code = mp.product_code AND o.merchant_id = mp.merchant_id LIMIT 1)
JOIN channel c ON c.id = p.channel_id
WHERE mp.merchant_id = coalesce($1, mp.merchant_id)
  AND mp.product_code = coalesce($2, mp.product_code) AND p.channel_id = ANY($3)
ORDER BY m.merchant_no, mp.product_code, c.channel_no
"""
# In force on the open day, or later; of several from one day on the last that was said.
_IN_FORCE: Final = """
    AND t.valid_from >= coalesce((
        SELECT max(f.valid_from) FROM {table} f WHERE {same} AND f.valid_from <= d.day), d.day)
"""
_RATES: Final = f"""
SELECT DISTINCT ON (t.merchant_id, t.product_code, t.valid_from)
       t.merchant_id, t.product_code, t.valid_from, t.tiers_by, t.tiers, m.day_cut, m.zone
FROM merchant m
JOIN business_day d ON d.holder_id = m.id AND d.closed_at IS NULL
JOIN tariff t ON t.merchant_id = m.id {
    _IN_FORCE.format(
        table="tariff", same="f.merchant_id = t.merchant_id AND f.product_code = t.product_code"
    )
}
WHERE m.id = coalesce($1, m.id) AND t.product_code = coalesce($2, t.product_code)
ORDER BY t.merchant_id, t.product_code, t.valid_from, t.seq DESC
"""  # noqa: S608 (our own words)
_COSTS: Final = f"""
SELECT DISTINCT ON (t.channel_id, t.valid_from)
       t.channel_id, t.valid_from, 'amount' AS tiers_by, t.tiers, s.day_cut, s.zone
FROM channel c
JOIN supplier s ON s.id = c.supplier_id
JOIN business_day d ON d.holder_id = s.id AND d.closed_at IS NULL
JOIN channel_tariff t ON t.channel_id = c.id {
    _IN_FORCE.format(table="channel_tariff", same="f.channel_id = t.channel_id")
}
WHERE c.id = ANY($1)
ORDER BY t.channel_id, t.valid_from, t.seq DESC
"""  # noqa: S608 (our own words)
