"""Where a new order goes first: at which terms, and over which channel, as the market stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from core.books import BusinessDay
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.parties.merchants import App
from core.supply.channels import Channel, Reason, Routing, Wish
from core.supply.market import Snapshot
from core.system.store import Store
from core.trade.booking_tools import TradeBooks
from core.trade.orders.decisions import OpenOrder
from core.trade.orders.drafts import line_minor_of
from core.trade.orders.rows import Order, Terms, find_key

CREDIT_LINE_REACHED: Final = "credit_line_reached"


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """Which order of its merchant's number a new one is. former: the one that had the number
    before, of which nothing was sent."""

    former: Order | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class Placement:
    """At which terms and over which channel an order is taken. All of it holds in `market`.

    app: as it stands there. reasons: why the order goes over no other channel.
    """

    market: Snapshot
    app: App
    terms: Terms
    channel: Channel
    reasons: tuple[Reason, ...]


class Placements:
    """Finds the terms and the channel of new orders, and takes room on the channel."""

    def __init__(self, store: Store, clock: Clock, books: TradeBooks, routing: Routing) -> None:
        self._store = store
        self._clock = clock
        self._ledger = books.ledger
        self._market = books.market
        self._routing = routing

    async def take(
        self,
        market: Snapshot,
        app: App,
        wanted: OpenOrder,
        key_turn: KeyTurn,
        day: BusinessDay,
        attempt_no: str,
    ) -> Placement | Literal["taken", "stale"]:
        """Place an order. Room on the channel is taken for the attempt, whatever comes of it: it is
        `kept` or `given_back` afterwards. taken: another order has the number. stale: the channel
        is another one by now.

        Refusals: currency_not_sold, product_unknown, fee_exceeds_amount, credit_line_reached,
        no_channel, no_room.
        """
        terms = await self._terms(market, app, wanted, day)
        wish = Wish(
            app.merchant.id, app.mode, wanted.product, wanted.amount, wanted.only_channel_id
        )
        choice = await self._routing.rank(wish)
        # A repeated order takes nothing from others, nor does one that is going to be refused.
        if (
            choice.ranked
            and choice.ranked[0].rationed
            and await self._is_taken(app, wanted, key_turn)
        ):
            return "taken"
        if _rests(choice.ranked):
            await self._need_credit(app)
        choice = await self._routing.take(choice, wish, attempt_no)
        if not choice.ranked:
            await self._need_credit(app)
            raise choice.refusal(wanted.product)
        channel = choice.ranked[0]
        if _rests([channel]):
            # This order tries whether the channel works again, which everybody has to know: the
            # market is another one by that, and the order is decided in it.
            market = await self._market.reload()
            app = market.app_by_key(app.key_id)
            terms = await self._terms(market, app, wanted, day)
            if not self._is_there(market, channel, wish):
                return "stale"
        return Placement(market, app, terms, channel, choice.reasons)

    def kept(self, attempt_no: str) -> None:
        """The attempt is written: its room is its own."""
        self._routing.kept(attempt_no)

    async def given_back(self, merchant_id: UUID, attempt_no: str) -> None:
        """The attempt was not written, or nobody knows."""
        await self._routing.given_back(merchant_id, attempt_no)

    async def _terms(
        self, market: Snapshot, app: App, wanted: OpenOrder, day: BusinessDay
    ) -> Terms:
        """What it is sold as, at the rate of its day and tier."""
        merchant, amount = app.merchant, wanted.amount
        if amount.currency != merchant.currency:
            raise Refusal("currency_not_sold", param="currency", currency=merchant.currency)
        offer = market.offer(merchant.id, wanted.product, day.day)
        if offer is None:
            raise Refusal("product_unknown", param="product", product=wanted.product)
        volume_minor = 0
        if offer.tariff.tiers_by == "volume":
            volume_minor = await self._ledger.volume(
                self._store, merchant.id, app.mode, amount.currency, wanted.product, day.day
            )
        rate = offer.tariff.rate_for(amount.minor, volume_minor)
        fee_minor = rate.of(amount.minor)
        if fee_minor > amount.minor:
            raise Refusal("fee_exceeds_amount", param="amount")
        return Terms(wanted.product, rate, offer.tariff_id, fee_minor)

    async def _is_taken(self, app: App, wanted: OpenOrder, key_turn: KeyTurn) -> bool:
        if key_turn.former is not None:
            return False
        number = wanted.merchant_order_no
        return await find_key(self._store, app.merchant.id, app.id, number) is not None

    async def _need_credit(self, app: App) -> None:
        """Whoever is at the end of its credit is told so, whatever else stands in its way."""
        line_minor = line_minor_of(app)
        if line_minor is not None:
            position = await self._ledger.position(
                self._store, app.merchant.id, app.mode, app.merchant.currency
            )
            if position.minor > line_minor:
                raise Refusal(CREDIT_LINE_REACHED)

    def _is_there(self, market: Snapshot, chosen: Channel, wish: Wish) -> bool:
        """Whether the market has the channel as it was chosen; its pause may be another one."""
        now = self._clock.now()
        channels = market.channels(wish.product_code, wish.merchant_id, now, wish.channel_id)
        return any(
            replace(
                channel,
                paused_at=chosen.paused_at,
                paused_until=chosen.paused_until,
                paused_why=chosen.paused_why,
            )
            == chosen
            for channel in channels
        )


def _rests(channels: Iterable[Channel]) -> bool:
    """Whether one of them failed, and would be tried by an order that takes it."""
    return any(channel.paused_at is not None for channel in channels)
