"""Rates, costs and what a USDT is worth, set by a person's word: with a receipt, in the trail,
once per message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from core.accounts.pricing.notices import CostQuestion, CostSet, RateQuestion, RateSet, UsdtRateSet
from core.books import BusinessDay
from core.kernel.errors import Refusal
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants import Merchant, Merchants
from core.people.actors import Actor
from core.people.district import People
from core.people.receipts import Answer, Cause, ObeyedBefore
from core.supply.channels import ChannelCost
from core.supply.district import Supply
from core.supply.margins import Below, Changed, Check
from core.system.district import System
from core.system.store import Tx

RIGHT: Final = "price"
USDT_RIGHT: Final = "set_rate"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A rate that is to be set. valid_from: a business day; None: from now on."""

    merchant: Merchant
    product_code: str
    tariff: Tariff
    valid_from: date | None


class Pricing:
    """What products cost merchants, what channels cost us, what a USDT is worth in a group."""

    def __init__(
        self, system: System, merchants: Merchants, supply: Supply, people: People
    ) -> None:
        self._store = system.store
        self._losses = supply.loss_approvals
        self._merchants = merchants
        self._channels = supply.channels
        self._groups = people.groups
        self._receipts = people.receipts
        self._losses.carries_out(RateQuestion, self._rate_approved)
        self._losses.carries_out(CostQuestion, self._cost_approved)

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
        say before and after. Where that is below what a channel costs, a second person is asked
        first. The same cause again changes and says nothing.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, product_not_found,
        tariff_in_the_past.
        """
        actor.need_for(RIGHT, merchant=merchant)
        wanted = _Wanted(merchant, product_code, tariff, valid_from)
        await self._losses.make(
            actor,
            RateQuestion,
            cause,
            lambda check: self._set(actor, wanted, cause, check),
            merchant_id=merchant.id,
        )

    async def _rate_approved(
        self, author: Actor, question: RateQuestion, cause: Cause, check: Check
    ) -> None:
        merchant = await self._merchants.by_id(question.merchant_id)
        author.need_for(RIGHT, merchant=merchant)
        since = None if question.from_now else question.since
        wanted = _Wanted(merchant, question.product_code, question.tariff, since)
        await self._set(author, wanted, cause, check)

    async def _set(self, actor: Actor, wanted: _Wanted, cause: Cause, check: Check) -> None:
        """Set it, if `check` lets it pass."""
        merchant, code, approver = wanted.merchant, wanted.product_code, check.approver
        set_as: list[RateSet] = []

        async def also(tx: Tx, day: BusinessDay) -> None:
            since = wanted.valid_from or day.day
            offers = await self._merchants.offers.of(merchant, since, queries=tx)
            coming = await self._merchants.offers.coming(merchant, since, queries=tx)
            before, later = offers.get(code), coming.get(code)
            receipt = RateSet(
                merchant_no=merchant.merchant_no,
                merchant_name=merchant.name,
                product_code=code,
                before=format_tariff(before.tariff, merchant.currency) if before else "",
                after=format_tariff(wanted.tariff, merchant.currency),
                since=since,
                from_now=since == day.day,
                later=format_tariff(later.tariff, merchant.currency) if later else "",
                later_since=later.since if later else None,
                actor_name=actor.name,
                approved_by=approver.user_id if approver else None,
                approved_by_name=approver.name if approver else "",
            )
            answer = Answer(receipt, "rate_set", merchant.id)
            await self._receipts.answer(tx, actor, cause, answer)
            set_as.append(receipt)

        async def then(tx: Tx) -> None:
            (receipt,) = set_as
            changed = Changed(merchant.id, code, rate_since=receipt.since)
            await check.need(tx, changed, lambda below: _rate_question(wanted, receipt, below))

        try:
            await self._merchants.offers.set_tariff(
                merchant,
                code,
                wanted.tariff,
                actor=actor.trail_name,
                valid_from=wanted.valid_from,
                also=also,
                then=then,
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
        Where a merchant pays less, a second person is asked first.

        Refusals: anonymous_admin, not_permitted, cost_not_here, channel_not_found, tariff_invalid,
        cost_in_the_past.
        """
        actor.need(RIGHT)
        if actor.merchant_ids is not None:
            raise Refusal("cost_not_here")
        await self._losses.make(
            actor,
            CostQuestion,
            cause,
            lambda check: self._set_cost(actor, channel_no, (cost, valid_from), cause, check),
        )

    async def _cost_approved(
        self, author: Actor, question: CostQuestion, cause: Cause, check: Check
    ) -> None:
        cost = Tariff.unpack("amount", question.tiers)
        since = None if question.from_now else question.since
        await self._set_cost(author, question.channel_no, (cost, since), cause, check)

    async def _set_cost(
        self,
        actor: Actor,
        channel_no: str,
        wanted: tuple[Tariff, date | None],
        cause: Cause,
        check: Check,
    ) -> None:
        """wanted: the cost, and from which business day on; None for now."""
        cost, valid_from = wanted
        approver = check.approver
        channel_id = (await self._channels.costs(channel_no)).id
        set_as: list[tuple[ChannelCost, CostSet]] = []

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
                approved_by=approver.user_id if approver else None,
                approved_by_name=approver.name if approver else "",
            )
            await self._receipts.answer(tx, actor, cause, Answer(receipt, "cost_set"))
            set_as.append((channel, receipt))

        async def then(tx: Tx) -> None:
            ((channel, receipt),) = set_as
            changed = Changed(channel_nos=(channel.channel_no,), cost_since=receipt.since)
            await check.need(
                tx, changed, lambda below: _cost_question(channel.currency, cost, receipt, below)
            )

        try:
            await self._channels.set_cost(
                channel_id,
                cost,
                actor=actor.trail_name,
                valid_from=valid_from,
                also=also,
                then=then,
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
                changed = said.before != said.after
                answer = Answer(said, "set_usdt_rate" if changed else "")
                await self._receipts.answer(tx, actor, cause, answer)
        except ObeyedBefore:
            return


def _rate_question(wanted: _Wanted, would: RateSet, below: tuple[Below, ...]) -> RateQuestion:
    """What a second person would be asked. would: what would be told."""
    merchant, tariff = wanted.merchant, wanted.tariff
    return RateQuestion(
        merchant_id=merchant.id,
        merchant_no=would.merchant_no,
        merchant_name=would.merchant_name,
        currency=merchant.currency,
        product_code=would.product_code,
        before=would.before,
        after=would.after,
        tiers_by=tariff.tiers_by,
        tiers=tuple(tariff.pack()),
        since=would.since,
        from_now=would.from_now,
        losses=tuple(one.loss for one in below),
    )


def _cost_question(
    currency: str, cost: Tariff, would: CostSet, below: tuple[Below, ...]
) -> CostQuestion:
    """As `_rate_question`."""
    return CostQuestion(
        channel_no=would.channel_no,
        channel_name=would.channel_name,
        supplier_no=would.supplier_no,
        currency=currency,
        before=would.before,
        after=would.after,
        tiers=tuple(cost.pack()),
        since=would.since,
        from_now=would.from_now,
        below=below,
    )
