"""Opening an order: decided by what is known, then written at once with its first attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.books import BusinessDay
from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.parties.merchants import App
from core.supply.channels import Choice, Routing, Wish
from core.supply.market import Snapshot
from core.system.store import Store, Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders.decisions import OpenOrder, came_to_nothing
from core.trade.orders.drafts import (
    Draft,
    Step,
    accepted_draft,
    line_minor_of,
    new_attempt,
    new_order,
    sent_draft,
)
from core.trade.orders.moves import FIRST_LOOK
from core.trade.orders.new_orders import NewOrders, Written
from core.trade.orders.payments import Payments
from core.trade.orders.rows import Order, Terms, find_key, lock_order
from core.trade.orders.supplier_calls import LONGEST_CALL, SupplierCalls

# Longer than a call may take: an attempt that is asked about is not still being sent.
FIRST_QUESTION: Final = LONGEST_CALL + timedelta(seconds=2)
CREDIT_LINE_REACHED: Final = "credit_line_reached"
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn a number is. former: the order that had it before, of which nothing was sent."""

    former: Order | None = None
    number: int = 1


class _NotWritten(Exception):
    def __init__(self, written: Written) -> None:
        self.written = written


class Openings:
    """Decides what a new order is, purely but for room on channels, and writes it.

    What is decided by may be over when it is written: the write looks at it again, and what is
    found to be otherwise is decided anew.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        books: TradeBooks,
        routing: Routing,
        supplier_calls: SupplierCalls,
        payments: Payments,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = books.ids
        self._ledger = books.ledger
        self._market = books.market
        self._routing = routing
        self._supplier_calls = supplier_calls
        self._payments = payments
        self._new_orders = NewOrders(store, books.ids)

    async def open(
        self, app: App, wanted: OpenOrder, turn: Turn, *, request_id: str
    ) -> Draft | None:
        """The new order as it is written now: pending, where the supplier needs no call of ours;
        else with an attempt that is sent, so that a crash from now on is known to be a doubt.
        None: another order has the number. app: as its call found it; what counts is how it stands
        when the order is written. Refusals: as of `Creation.open`."""
        for _ in range(_TRIES):
            market = await self._market.now()
            app = market.app_by_key(app.key_id)
            day = await self._ledger.open_days.now(app.merchant.id)
            attempt_no = self._ids.number("attempt", app.mode, app.merchant.tag, at=day.at)
            said = None
            try:
                draft = await self._draft(market, app, wanted, day, turn, attempt_no, request_id)
                if draft is None:
                    return None
                written = await self._write(draft, turn)
                said = written.said
            finally:
                if said == "opened":
                    self._routing.kept(attempt_no)
                else:
                    await self._routing.given_back(app.merchant.id, attempt_no)
            match written.said:
                case "opened":
                    return draft
                case "taken":
                    return None
                case "credit":
                    raise Refusal(CREDIT_LINE_REACHED)
                case "stale":
                    await self._market.reload()
                case "day":
                    self._ledger.open_days.seen(app.merchant.id, written.open_day)
        raise Bug(f"an order of {app.merchant.merchant_no} was decided in vain {_TRIES} times")

    async def _write(self, draft: Draft, turn: Turn) -> Written:
        former = turn.former
        if former is None:
            return await self._new_orders.write(draft)

        async def work(tx: Tx, _: BusinessDay) -> Written:
            # The number of an order that came to nothing goes to this one, and the former's end
            # is not told any more.
            order, attempts = await lock_order(tx, former.merchant_id, former.id)
            if not came_to_nothing(order, attempts):
                return Written("taken")
            await self._payments.untell(tx, order)
            written = await self._new_orders.write_in(tx, draft)
            if written.said != "opened":
                raise _NotWritten(written)  # the former's end is told after all
            return written

        try:
            return await self._ledger.in_open_day(former.merchant_id, work)
        except _NotWritten as error:
            return error.written

    async def _draft(
        self,
        market: Snapshot,
        app: App,
        wanted: OpenOrder,
        day: BusinessDay,
        turn: Turn,
        attempt_no: str,
        request_id: str,
    ) -> Draft | None:
        """None: another order has the number."""
        terms = await self._terms(market, app, wanted, day)
        choice = await self._choose(app, wanted, turn, attempt_no)
        if choice is None:
            return None
        if not choice.ranked:
            await self._need_credit(app)
            raise choice.refusal(wanted.product)
        if choice.ranked[0].paused_at is not None:
            # This order tries whether the channel works again, which everybody has to know: the
            # market is another one by that, and the order is decided in it.
            market = await self._market.reload()
            app = market.app_by_key(app.key_id)
            terms = await self._terms(market, app, wanted, day)
        order = new_order(
            app,
            wanted,
            terms,
            order_id=self._ids.uuid7(day.at),
            order_no=self._ids.number("order", app.mode, app.merchant.tag, at=day.at),
            attempt_no=attempt_no,
            created_day=day.day,
        )
        now = self._clock.now()
        attempt = new_attempt(
            order, choice.ranked[0], attempt_no, seq=1, at=now, reasons=choice.reasons
        )
        step = Step(now, now + FIRST_QUESTION)
        draft = sent_draft(
            order,
            attempt,
            app,
            step,
            turn=turn.number,
            market_version=market.version,
            request_id=request_id,
        )
        pay = await self._supplier_calls.handed_over(draft.order, draft.attempt)
        if pay is None:
            return draft
        return accepted_draft(draft, pay, Step(now, now + FIRST_LOOK), request_id=request_id)

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

    async def _choose(
        self, app: App, wanted: OpenOrder, turn: Turn, attempt_no: str
    ) -> Choice | None:
        """None: another order has the number. That is asked first where an order takes something
        away from others by being tried: a repeated one is to take nothing."""
        wish = Wish(app.merchant.id, app.mode, wanted.product, wanted.amount)
        choice = await self._routing.rank(wish)
        if turn.former is None and choice.ranked and choice.ranked[0].rationed:
            number = wanted.merchant_order_no
            if await find_key(self._store, app.merchant.id, app.id, number) is not None:
                return None
        return await self._routing.take(choice, wish, attempt_no)

    async def _need_credit(self, app: App) -> None:
        """Whoever is at the end of its credit is told so, whatever else stands in its way."""
        line_minor = line_minor_of(app)
        if line_minor is not None:
            position = await self._ledger.position(
                self._store, app.merchant.id, app.mode, app.merchant.currency
            )
            if position.minor > line_minor:
                raise Refusal(CREDIT_LINE_REACHED)
