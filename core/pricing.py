"""Rates and costs, set by a person's word: with a receipt, in the trail, once per message."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from core.access import Actor
from core.audit import Audit
from core.channels import Channels
from core.clock import Clock
from core.errors import Refusal
from core.ledger import HOUSE, BusinessDay
from core.merchants import Merchant, Merchants
from core.outbox import NOBODY, Outbox, Say
from core.store import Tx
from core.tariff import Tariff, format_tariff
from core.vouchers import Cause

RIGHT: Final = "price"


class Pricing:
    """What products cost merchants, and what channels cost us."""

    def __init__(
        self, clock: Clock, merchants: Merchants, channels: Channels, outbox: Outbox, audit: Audit
    ) -> None:
        self._clock = clock
        self._merchants = merchants
        self._channels = channels
        self._outbox = outbox
        self._audit = audit

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

        Refusals: anonymous_admin, not_permitted, product_not_found, tariff_in_the_past.
        """
        actor.need(RIGHT)
        before = (await self._merchants.offers(merchant, valid_from)).get(product_code)
        later = (await self._merchants.coming(merchant, valid_from)).get(product_code)

        async def also(tx: Tx, day: BusinessDay) -> None:
            since = valid_from or day.day
            facts = {
                "merchant_no": merchant.merchant_no,
                "merchant_name": merchant.name,
                "product_code": product_code,
                "before": format_tariff(before.tariff, merchant.currency) if before else "",
                "after": format_tariff(tariff, merchant.currency),
                "since": since.isoformat(),
                "from_now": since == day.day,
                "later": format_tariff(later.tariff, merchant.currency) if later else "",
                "later_since": later.since.isoformat() if later else "",
                "actor_name": actor.name,
            }
            await self._tell(tx, actor, merchant.id, "rate_set", facts, cause, day.at)

        try:
            await self._merchants.set_tariff(
                merchant,
                product_code,
                tariff,
                actor=actor.trail_name,
                valid_from=valid_from,
                also=also,
            )
        except _DoneBefore:
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
        channel = await self._channels.costs(channel_no)

        async def also(tx: Tx, since: date) -> None:
            before, later = channel.cost, channel.coming
            if later and channel.coming_since and channel.coming_since <= since:
                before, later = later, None
            facts = {
                "channel_no": channel.channel_no,
                "channel_name": channel.name,
                "supplier_no": channel.supplier_no,
                "before": format_tariff(before, channel.currency),
                "after": format_tariff(cost, channel.currency),
                "since": since.isoformat(),
                "from_now": since == channel.today,
                "later": format_tariff(later, channel.currency) if later else "",
                "later_since": str(channel.coming_since) if later else "",
                "actor_name": actor.name,
            }
            await self._tell(tx, actor, None, "cost_set", facts, cause, self._clock.now())

        try:
            await self._channels.set_cost(
                channel.id, cost, actor=actor.trail_name, valid_from=valid_from, also=also
            )
        except _DoneBefore:
            return

    async def _tell(
        self,
        tx: Tx,
        actor: Actor,
        merchant_id: UUID | None,
        screen: str,
        facts: dict[str, Any],
        cause: Cause,
        at: datetime,
    ) -> None:
        """Cause, trail and receipt. Raises _DoneBefore where this message was obeyed before."""
        kept = await tx.execute(
            "INSERT INTO cause (chat_id, message_id, line, holder_id, receipt, at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            cause.chat_id,
            cause.message_id,
            cause.line,
            merchant_id or HOUSE,
            facts,
            at,
        )
        if not kept:
            raise _DoneBefore
        await self._audit.record(
            tx,
            screen,
            actor=actor.trail_name,
            facts=facts,
            merchant_id=merchant_id,
            chat_id=cause.chat_id,
            message_id=cause.message_id,
        )
        await self._outbox.say(
            tx,
            cause.chat_id,
            Say(screen, facts, reply_to=cause.message_id),
            merchant_id=merchant_id or NOBODY,
        )


class _DoneBefore(Exception):
    """This message was obeyed before: everything is rolled back."""
