"""The demo's past: thirty days at the desk, lived through at once before it starts.

People's deeds are those of the desk's own verbs, at the time of their day; ordinary orders are
booked in bulk. What happened on a day depends on how long ago it is, and on nothing else.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Final

from bot import world
from bot.demo import cast
from bot.demo.deeds import (
    CNY,
    DAYS,
    SHOPS,
    Adjust,
    Complete,
    Deed,
    PayAgain,
    PayIn,
    PayLess,
    Prepay,
    Refund,
    deeds,
)
from core.accounts.vouchers import Advance, Cause
from core.kernel.clock import DayCut
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.runtime import Runtime
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import ByHand, OpenOrder, OrdersByHand, PaymentSeen
from past import PastOrder, Pattern, StillClock, book_orders, orders_of

FINANCE, OPERATOR = 1003, 1004
_MONTHS: Final = 3  # of the past, and the present one
# People do things after the last hour of the night that is cut off, and before midnight.
_ZONE: Final = DayCut()
_HOUR: Final = timedelta(hours=1)
# An order of the past has ended by now, whether it is paid or not.
_ENDED: Final = timedelta(minutes=31)
# Causes of the past are messages with these numbers and higher ones: no chat has so many.
_MESSAGES_FROM: Final = 1_000_000_000
_MOST_MESSAGES: Final = 10_000
_MESSAGES_AT_ONCE: Final = 100


def first_instant(now: datetime, days: int = DAYS) -> datetime:
    """When the past of so many days begins that ends now."""
    return _ZONE.start_of(_ZONE.day_of(now) - timedelta(days=days))


async def make_past(
    runtime: Runtime, clock: StillClock, now: datetime, addresses: world.Addresses
) -> None:
    """Fill an empty demo desk with who is there and what happened until now. clock: the runtime's,
    at a `first_instant`; no desk may run meanwhile."""
    await runtime.system.store.make_months(clock.now().date().replace(day=1), _MONTHS)
    await world.seed(runtime, addresses, groups=())
    await cast.add_supply(runtime)
    past = Past(runtime, clock, now)
    await past.live()
    await world.seed_groups(runtime, cast.GROUPS, cast.USERS)
    await past.end_with_trouble()


class Past:
    """Lives from the clock's time until now."""

    def __init__(self, runtime: Runtime, clock: StillClock, now: datetime) -> None:
        self._runtime = runtime
        self._clock = clock
        self._now = now
        self._until = now - _LAST_MINUTES
        self._today = _ZONE.day_of(now)
        self._days = (self._today - _ZONE.day_of(clock.now())).days
        self._messages = count(_MESSAGES_FROM)

    async def live(self) -> None:
        """All days but the last minutes."""
        for ago in range(self._days, -1, -1):
            await self._live_day(ago)
        self._clock.go_to(self._until)
        await self._roll()
        await self._hush()

    async def _live_day(self, ago: int) -> None:
        day = self._today - timedelta(days=ago)
        if ago == min(cast.NEW_DAYS, self._days):
            self._clock.go_to(_ZONE.start_of(day))
            await cast.add_merchant(self._runtime)
        merchants = await self._runtime.parties.merchants.everybody()
        for cut in sorted({merchant.day_cut.at for merchant in merchants}):
            opens_at = DayCut(cut).start_of(day)
            if opens_at > self._until:
                return
            self._clock.go_to(opens_at)
            await self._roll()
            for merchant in merchants:
                if merchant.day_cut.at == cut:
                    await self._sell(merchant, ago, opens_at)
        for at, deed in deeds(ago):
            done_at = _at(day, at)
            if done_at <= self._until:
                self._clock.go_to(done_at)
                await self._do(deed, day)

    async def _roll(self) -> None:
        calendar = self._runtime.ledger.calendar
        for holder_id in await calendar.due_to_roll():
            await calendar.roll(holder_id)
        await self._runtime.reports.bills.keep_sums()

    async def _sell(self, merchant: Merchant, ago: int, opens_at: datetime) -> None:
        """The orders of a merchant's day, as far as it has come."""
        shop = SHOPS[merchant.merchant_no]
        if ago > shop.since:
            return
        whole = timedelta(days=1)
        ends_at = min(opens_at + whole, self._now - _ENDED)
        # Business goes up and down over a week, and a little up from week to week.
        weight = 100 + (0, 6, 12, -8, 15, -20, -12)[ago % 7] - ago
        orders = shop.a_day * weight // 100
        if ends_at < opens_at + whole:
            orders = int(orders * ((ends_at - opens_at) / whole))
        if orders < 1:
            return
        pattern = Pattern(
            shop.one_expires_of,
            swing=_SWING if ends_at == opens_at + whole else 0.0,
            turn=ago * shop.a_day,
            subjects=shop.subjects,
        )
        store = self._runtime.system.store
        await book_orders(store, merchant, orders, opens_at, ends_at, pattern)

    async def _do(self, deed: Deed, day: date) -> None:
        runtime, merchants = self._runtime, self._runtime.parties.merchants
        match deed:
            case Prepay(merchant_no, advance):
                merchant, actor = await merchants.by_no(merchant_no), await self._staff(FINANCE)
                cause = self._cause(merchant_no)
                await runtime.accounts.prepayments.record(actor, merchant, advance, cause)
            case Adjust(merchant_no, correction):
                merchant, actor = await merchants.by_no(merchant_no), await self._staff(FINANCE)
                cause = self._cause(merchant_no)
                await runtime.accounts.adjustments.record(actor, merchant, correction, cause)
            case PayIn(supplier_no, amount):
                supplier = await runtime.parties.suppliers.by_no(supplier_no)
                actor, advance = await self._staff(FINANCE), Advance(amount, "")
                cause = self._cause(supplier_no)
                await runtime.accounts.payins.record(actor, supplier, advance, cause)
            case Complete(merchant_no, reason):
                order = (await self._orders(merchant_no, day, "expired"))[0]
                await self._complete(order, reason)
            case Refund(merchant_no, minor):
                order = (await self._orders(merchant_no, day, "paid"))[0]
                await self._refund(order, Money(minor, CNY))
            case PayAgain(merchant_no):
                order = (await self._orders(merchant_no, day, "paid"))[0]
                await self._pay(order, order.amount.minor)
            case PayLess(merchant_no, less_minor):
                order = (await self._orders(merchant_no, day, "expired"))[-1]
                await self._pay(order, order.amount.minor - less_minor)

    async def _orders(self, merchant_no: str, day: date, state: str) -> list[PastOrder]:
        """Those of the day that have ended by the clock's time."""
        merchant = await self._runtime.parties.merchants.by_no(merchant_no)
        return list(await orders_of(self._runtime.system.store, merchant, day, state))

    async def _complete(self, order: PastOrder, reason: str) -> None:
        runtime, actor = self._runtime, await self._staff(OPERATOR)
        books = TradeBooks(
            runtime.system.ids,
            runtime.ledger,
            runtime.supply.market,
            runtime.people.groups,
            runtime.delivery.outbox,
            runtime.people.alarms,
        )
        by_hand = OrdersByHand(books, runtime.trade.payments, runtime.supply.routing)
        by = ByHand(reason, actor.user_id, actor.name, actor.chat_id)
        await by_hand.complete(
            order.merchant_id, order.id, None, by, request_id="past", also=_nothing
        )

    async def _refund(self, order: PastOrder, amount: Money) -> None:
        refunds, actor = self._runtime.trade.refunds, await self._staff(FINANCE)
        held = await refunds.reserve(
            actor, order.merchant_id, order.id, f"R-{order.order_no}", amount, fee_returned=False
        )
        await refunds.settle(order.merchant_id, held.id, cost_returned=False)

    async def _pay(self, order: PastOrder, minor: int) -> None:
        upstream_no = f"P{next(self._messages)}"
        paid = Money(minor, order.amount.currency)
        seen = PaymentSeen(order.merchant_id, order.attempt_no, upstream_no, paid, "reported")
        await self._runtime.trade.payments.settle_payment(seen, request_id="past")

    async def _staff(self, user_id: int) -> Actor:
        return await world.staff(self._runtime, user_id)

    def _cause(self, bound: str) -> Cause:
        """A message in the group of a merchant or supplier, or else the ops group."""
        chats = {group.bound: group.chat_id for group in cast.GROUPS}
        ops = next(group.chat_id for group in cast.GROUPS if group.kind == "ops")
        return Cause(chats.get(bound, ops), next(self._messages), 1)

    async def _hush(self) -> None:
        """What was said in all that time has been said."""
        outbox = self._runtime.delivery.outbox
        for _ in range(_MOST_MESSAGES):
            leaving = await outbox.take(_MESSAGES_AT_ONCE)
            if not leaving:
                return
            for one in leaving:
                await outbox.sent(one)
        raise RuntimeError(f"more than {_MOST_MESSAGES} messages of the past")

    async def end_with_trouble(self) -> None:
        """What the ops group hears of: orders whose first channel nobody answers, so that it is
        paused, for longer each time; and an order of yesterday that is paid once more."""
        merchants = self._runtime.parties.merchants
        sellers = [await merchants.by_no(no) for no in ("M1001", cast.NEW_MERCHANT_NO)]
        for n, minutes in enumerate(_TRIED_AFTER):
            self._clock.go_to(self._until + timedelta(minutes=minutes))
            merchant = sellers[n % len(sellers)]
            (app,) = await merchants.apps.of(merchant)
            subjects = SHOPS[merchant.merchant_no].subjects
            wanted = OpenOrder(
                merchant_order_no=f"PAST-{n + 1}",
                amount=Money(12_800 + 1_700 * n, CNY),
                product=cast.DEAD_PRODUCT,
                subject=subjects[n % len(subjects)],
                client_ip="203.0.113.9",
            )
            await self._runtime.trade.creation.open(app, wanted, request_id=f"past-{n}")
        await self._do(PayAgain("M1001"), self._today - timedelta(days=1))
        self._clock.go_to(self._now)
        await self._roll()


# The last of a past's minutes: five orders fail one after another, and then one whenever the pause
# is over that began with the one before.
_TRIED_AFTER: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 2.0, 7.5, 23.0)
_LAST_MINUTES: Final = timedelta(minutes=25)
_SWING: Final = 0.7


def _at(day: date, at: time) -> datetime:
    """A time of a day, on the desk's clocks, which are never changed there."""
    return _ZONE.start_of(day) + timedelta(hours=at.hour, minutes=at.minute)


async def _nothing(_: Tx) -> None:
    """What is written with a completion besides."""
