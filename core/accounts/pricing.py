"""Rates, costs and what a USDT is worth, set by a person's word: with a receipt, in the trail,
once per message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from core.books import BusinessDay
from core.delivery.outbox import Notice
from core.kernel.errors import Refusal
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants import Merchant, Merchants
from core.people.actors import Actor
from core.people.groups import Groups
from core.people.receipts import Answer, Cause, ObeyedBefore, Receipts
from core.supply.channels import Channels
from core.system.store import Store, Tx

RIGHT: Final = "price"
USDT_RIGHT: Final = "set_rate"


@dataclass(frozen=True, slots=True)
class RateSet(Notice):
    """What a merchant pays for a product was set. before, after, later: tariffs in writing; before
    is empty where the product was not open. later: what comes after it; empty where nothing does.
    since, later_since: business days. from_now: since is the open day."""

    merchant_no: str
    merchant_name: str
    product_code: str
    before: str
    after: str
    since: date
    from_now: bool
    later: str
    later_since: date | None
    actor_name: str


@dataclass(frozen=True, slots=True)
class CostSet(Notice):
    """What a supplier charges on a channel was set; as in `RateSet`."""

    channel_no: str
    channel_name: str
    supplier_no: str
    before: str
    after: str
    since: date
    from_now: bool
    later: str
    later_since: date | None
    actor_name: str


@dataclass(frozen=True, slots=True)
class UsdtRateSet(Notice):
    """What one USDT is worth in a group: exact decimal text. before: empty where there was no
    rate."""

    before: str
    after: str
    actor_name: str


class Pricing:
    """What products cost merchants, what channels cost us, what a USDT is worth in a group."""

    def __init__(
        self,
        store: Store,
        merchants: Merchants,
        channels: Channels,
        groups: Groups,
        receipts: Receipts,
    ) -> None:
        self._store = store
        self._merchants = merchants
        self._channels = channels
        self._groups = groups
        self._receipts = receipts

    async def set_rate(
        self,
        actor: Actor,
        merchant: Merchant,
        product_code: str,
        tariff: Tariff,
        cause: Cause,
        *,
        valid_from: date | None = None,
    ) -> None:
        """Set what a merchant pays for a product from a business day on (None: from now on), and
        say before and after. The same cause again changes and says nothing.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, product_not_found,
        tariff_in_the_past.
        """
        actor.need_for(RIGHT, merchant=merchant)

        async def also(tx: Tx, day: BusinessDay) -> None:
            since = valid_from or day.day
            offers = await self._merchants.offers.of(merchant, since, queries=tx)
            coming = await self._merchants.offers.coming(merchant, since, queries=tx)
            before, later = offers.get(product_code), coming.get(product_code)
            receipt = RateSet(
                merchant_no=merchant.merchant_no,
                merchant_name=merchant.name,
                product_code=product_code,
                before=format_tariff(before.tariff, merchant.currency) if before else "",
                after=format_tariff(tariff, merchant.currency),
                since=since,
                from_now=since == day.day,
                later=format_tariff(later.tariff, merchant.currency) if later else "",
                later_since=later.since if later else None,
                actor_name=actor.name,
            )
            answer = Answer(receipt, "rate_set", merchant.id)
            await self._receipts.answer(tx, actor, cause, answer)

        try:
            await self._merchants.offers.set_tariff(
                merchant,
                product_code,
                tariff,
                actor=actor.trail_name,
                valid_from=valid_from,
                also=also,
            )
        except ObeyedBefore:
            return

    async def set_cost(
        self,
        actor: Actor,
        channel_no: str,
        cost: Tariff,
        cause: Cause,
        *,
        valid_from: date | None = None,
    ) -> None:
        """Set what a supplier charges on a channel, as `set_rate`; only where staff alone reads.

        Refusals: anonymous_admin, not_permitted, cost_not_here, channel_not_found, tariff_invalid,
        cost_in_the_past.
        """
        actor.need(RIGHT)
        if actor.merchant_ids is not None:
            raise Refusal("cost_not_here")
        channel_id = (await self._channels.costs(channel_no)).id

        async def also(tx: Tx, since: date) -> None:
            channel = await self._channels.costs(channel_no, queries=tx)
            before, later = channel.cost, channel.coming
            if later and channel.coming_since and channel.coming_since <= since:
                before, later = later, None
            receipt = CostSet(
                channel_no=channel.channel_no,
                channel_name=channel.name,
                supplier_no=channel.supplier_no,
                before=format_tariff(before, channel.currency),
                after=format_tariff(cost, channel.currency),
                since=since,
                from_now=since == channel.today,
                later=format_tariff(later, channel.currency) if later else "",
                later_since=channel.coming_since if later else None,
                actor_name=actor.name,
            )
            await self._receipts.answer(tx, actor, cause, Answer(receipt, "cost_set"))

        try:
            await self._channels.set_cost(
                channel_id, cost, actor=actor.trail_name, valid_from=valid_from, also=also
            )
        except ObeyedBefore:
            return

    async def set_usdt_rate(self, actor: Actor, rate: Decimal, cause: Cause) -> None:
        """Set what one USDT is worth in a group from now on, as `set_rate`.

        Refusals: anonymous_admin, not_permitted, usdt_rate_invalid, group_not_bound.
        """
        actor.need(USDT_RIGHT)
        try:
            async with self._store.transaction() as tx:
                before = await self._groups.set_usdt_rate(tx, cause.chat_id, rate)
                said = UsdtRateSet(
                    before="" if before is None else format(before, "f"),
                    after=format(rate, "f"),
                    actor_name=actor.name,
                )
                action = "set_usdt_rate" if said.before != said.after else ""
                await self._receipts.answer(tx, actor, cause, Answer(said, action))
        except ObeyedBefore:
            return
