"""Whatever happens to two merchants, in whatever order and zone, the books are right.

Each example opens two merchants with day cuts of their own and lives through a random sequence.
The example keeps books as simple as a merchant would keep them; the desk must come to the same.
PAYDESK_PROPERTY_EXAMPLES makes it longer.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, pairwise
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.adjustments import Correction
from core.bills import Bill, Days
from core.clock import DayCut
from core.errors import Refusal
from core.merchants import Merchant
from core.money import Money, Rate
from core.orders import ByHand, Opened, PaymentSeen, get_order
from core.prepayments import Advance, Cause
from core.runtime import Runtime
from core.store import Tx
from core.tariff import Tariff, Tier
from tests.core.support import ADMIN, CHAT, Desk, SetClock, wanted

EXAMPLES = int(os.environ.get("PAYDESK_PROPERTY_EXAMPLES", "12"))
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
PRODUCTS = ("alipay_qr", "wechat_qr")
_numbers = count(3001)
T = TypeVar("T")

cuts = st.builds(
    lambda zone, hour, minute: DayCut(time(hour, minute), zone),
    st.sampled_from(ZONES), st.integers(0, 23), st.sampled_from((0, 0, 15, 30)),
)  # fmt: skip
rates = st.builds(
    lambda ppm, fixed, least, more: Rate(ppm, fixed, least, least + more if more else None),
    st.integers(0, 30_000), st.integers(0, 50), st.integers(0, 20), st.sampled_from((0, 100, 900)),
)  # fmt: skip
tariffs = st.one_of(
    rates.map(Tariff.flat),
    st.builds(
        lambda low, high, by, start: Tariff((Tier(0, low), Tier(start, high)), by),
        rates, rates, st.sampled_from(("amount", "volume")), st.integers(1, 30_000),
    ),
)  # fmt: skip
VERBS = (
    "open", "open", "open", "pay", "pay", "pay_oddly", "pay_again", "complete", "uncomplete",
    "resolve", "resolve", "prepay", "prepay", "undo", "adjust", "refund", "refund", "tariff",
    "rerate", "cut", "wait", "wait", "roll",
)  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 1), st.integers(0, 10**6), tariffs, cuts),
    min_size=12, max_size=45,
)  # fmt: skip


def fee_by_hand(rate: Rate, minor: int) -> int:
    """The fee as one would work it out on paper."""
    exact = Decimal(minor) * rate.ppm / 1_000_000
    fee = int(exact.quantize(Decimal(1), ROUND_HALF_UP)) + rate.fixed_minor
    fee = max(fee, rate.min_minor)
    return fee if rate.max_minor is None else min(fee, rate.max_minor)


@dataclass
class Books:
    """One merchant's own books. charged: what each order costs it now."""

    merchant: Merchant
    orders: list[Opened] = field(default_factory=list)
    paid: dict[UUID, str] = field(default_factory=dict)  # order -> reported | completed
    charged: dict[UUID, int] = field(default_factory=dict)
    refunded: dict[UUID, int] = field(default_factory=dict)
    advances: list[dict[str, Any]] = field(default_factory=list)
    payable_minor: int = 0
    prepaid_minor: int = 0


class Life:
    """Carries out one example's steps at the desk and in the merchants' own books."""

    def __init__(self, desk: Desk, books: list[Books]) -> None:
        self.desk = desk
        self.runtime: Runtime = desk.runtime
        self.books = books
        self.numbers = count(1)
        self.acts: dict[str, Callable[[Books, int], Awaitable[None]]] = {
            "open": self._open, "pay": self._pay, "pay_oddly": self._pay_oddly,
            "pay_again": self._pay_again, "complete": self._complete,
            "uncomplete": self._uncomplete, "resolve": self._resolve, "refund": self._refund,
            "prepay": self._prepay, "undo": self._undo, "adjust": self._adjust,
            "wait": self._wait, "roll": self._roll,
        }  # fmt: skip

    async def act(self, verb: str, mine: Books, n: int, tariff: Tariff, cut: DayCut) -> None:
        match verb:
            case "tariff":
                await self._tariff(mine, n, tariff)
            case "rerate":
                await self._rerate(mine, n, tariff)
            case "cut":
                await self._cut(mine, cut)
            case _:
                await self.acts[verb](mine, n)

    # ── orders and their money ───────────────────────────────────────────────────────────────────
    async def _open(self, mine: Books, n: int) -> None:
        app = (await self.runtime.merchants.apps_of(mine.merchant))[0]
        want = wanted(100 + n % 40_000, product=PRODUCTS[n % 2])
        opened = await self.runtime.opening.open(app, want, request_id="life")
        order = opened.order
        assert order.fee_minor == fee_by_hand(order.rate, order.amount.minor)
        assert order.state == "pending"
        mine.orders.append(opened)
        mine.charged[order.id] = order.fee_minor

    async def _see(self, mine: Books, opened: Opened, minor: int) -> str:
        assert opened.attempt is not None
        number = f"{mine.merchant.merchant_no}-{next(self.numbers)}"
        seen = PaymentSeen(
            mine.merchant.id, opened.attempt.attempt_no, number, Money(minor, "CNY"), "reported"
        )
        settled = await self.runtime.settling.settle_payment(seen, request_id="life")
        again = await self.runtime.settling.settle_payment(seen, request_id="life")
        assert again.meaning == "redelivery"
        return settled.meaning

    async def _pay(self, mine: Books, n: int) -> None:
        if not mine.orders:
            return
        opened = mine.orders[n % len(mine.orders)]
        order = await self._now(opened)
        meaning = await self._see(mine, opened, order.amount.minor)
        if meaning == "order":
            assert order.id not in mine.paid
            self._credit(mine, order.id, order.amount.minor, "reported")
        elif meaning == "confirmation":
            assert mine.paid[order.id] == "completed"
            mine.paid[order.id] = "confirmed"
        else:
            assert meaning == "duplicate"
            assert order.id in mine.paid

    async def _pay_oddly(self, mine: Books, n: int) -> None:
        if mine.orders:
            opened = mine.orders[n % len(mine.orders)]
            order = await self._now(opened)
            less = -1 if n % 3 else 1
            meaning = await self._see(mine, opened, order.amount.minor + less * (1 + n % 90))
            if meaning == "confirmation":
                mine.paid[order.id] = "confirmed"

    async def _pay_again(self, mine: Books, n: int) -> None:
        for order_id in list(mine.paid)[:1]:
            opened = next(o for o in mine.orders if o.order.id == order_id)
            meaning = await self._see(mine, opened, opened.order.amount.minor)
            if meaning == "confirmation":
                mine.paid[order_id] = "confirmed"

    async def _complete(self, mine: Books, n: int) -> None:
        unpaid = [o for o in mine.orders if o.order.id not in mine.paid]
        if not unpaid:
            return
        order = await self._now(unpaid[n % len(unpaid)])
        await self.runtime.completing.complete(
            mine.merchant.id, order.id, order.version, ByHand("life", ADMIN, "Life", CHAT),
            request_id="life", also=_nothing,
        )  # fmt: skip
        self._credit(mine, order.id, order.amount.minor, "completed")

    async def _uncomplete(self, mine: Books, n: int) -> None:
        completed = [order_id for order_id, how in mine.paid.items() if how == "completed"]
        if not completed or mine.refunded.get(completed[0]):
            return
        order = await get_order(self.runtime.store, mine.merchant.id, completed[0])
        reverse = self.runtime.completing.reverse(
            mine.merchant.id, order.id, order.version, ByHand("life", ADMIN, "Life", CHAT),
            asked_by=1, request_id="life", also=_nothing,
        )  # fmt: skip
        if await unless(reverse, "refund_under_way", "order_rerated") is None:
            return
        del mine.paid[order.id]
        mine.payable_minor -= order.amount.minor - order.fee_minor

    def _credit(self, mine: Books, order_id: UUID, minor: int, how: str) -> None:
        opened = next(o for o in mine.orders if o.order.id == order_id)
        mine.paid[order_id] = how
        mine.payable_minor += minor - opened.order.fee_minor

    async def _resolve(self, mine: Books, n: int) -> None:
        page = await self.runtime.discrepancies.open_ones([mine.merchant.id])
        if not page.items:
            return
        found = page.items[n % len(page.items)]
        how = found.ways[n % len(found.ways)]
        order = await get_order(self.runtime.store, mine.merchant.id, found.order_id)
        actor = await self._actor()
        await self.runtime.discrepancies.resolve(
            actor, mine.merchant.id, found.id, how, "life", left_minor=found.left_minor,
            request_id="life",
        )  # fmt: skip
        if how == "credit_merchant":
            fee = min(found.left_minor, fee_by_hand(order.rate, found.left_minor))
            mine.payable_minor += found.left_minor - fee
        elif how == "complete":
            self._credit(mine, order.id, order.amount.minor, "completed")
        with pytest.raises(Refusal):
            await self.runtime.discrepancies.resolve(
                actor, mine.merchant.id, found.id, how, "life", left_minor=found.left_minor,
                request_id="life",
            )  # fmt: skip

    async def _refund(self, mine: Books, n: int) -> None:
        for order_id in list(mine.paid):
            left = await self._refundable(mine, order_id)
            if left > 0:
                break
        else:
            return
        refunds, minor = self.runtime.refunds, 1 + n % left
        reserve = refunds.reserve(
            mine.merchant.id, order_id, f"R{next(self.numbers)}", Money(minor, "CNY"),
            fee_returned=bool(n % 2), actor="life",
        )  # fmt: skip
        refund = await unless(reserve, "refund_not_covered", "order_state")
        if refund is None:
            return
        mine.payable_minor -= refund.held_minor
        if n % 5 == 0:
            await refunds.release(mine.merchant.id, refund.id, "refused")
            mine.payable_minor += refund.held_minor
        elif n % 5 < 4:
            await refunds.settle(mine.merchant.id, refund.id, cost_returned=bool(n % 3))
            mine.refunded[order_id] = mine.refunded.get(order_id, 0) + minor
        else:
            mine.refunded[order_id] = mine.refunded.get(order_id, 0) + minor  # still on its way

    async def _refundable(self, mine: Books, order_id: UUID) -> int:
        opened = next(o for o in mine.orders if o.order.id == order_id)
        return opened.order.amount.minor - mine.refunded.get(order_id, 0)

    # ── money by word ────────────────────────────────────────────────────────────────────────────
    async def _prepay(self, mine: Books, n: int) -> None:
        advance = Advance(Money((n % 9_000) - 3_000 or 1, "CNY"), "life")
        if n % 4 == 0:
            advance = Advance(Money(1_000_000 + n, "USDT"), "life", Decimal("7.2"))
        receipt = await self.runtime.prepayments.record(
            await self._actor(), mine.merchant, advance, self._cause()
        )
        mine.prepaid_minor -= receipt["minor"]
        mine.advances.append(receipt)

    async def _undo(self, mine: Books, n: int) -> None:
        if not mine.advances:
            return
        receipt = mine.advances.pop(n % len(mine.advances))
        undo = self.runtime.prepayments.undo(
            await self._actor(), mine.merchant, UUID(receipt["prepayment_id"]), self._cause()
        )
        if await unless(undo, "undo_too_late") is None:
            return
        mine.prepaid_minor += receipt["minor"]

    async def _adjust(self, mine: Books, n: int) -> None:
        minor = (n % 500) - 200 or 7
        await self.runtime.adjustments.record(
            await self._actor(), mine.merchant, Correction(Money(minor, "CNY"), "life"),
            self._cause(),
        )  # fmt: skip
        mine.payable_minor += minor

    # ── rates, days, time ────────────────────────────────────────────────────────────────────────
    async def _tariff(self, mine: Books, n: int, tariff: Tariff) -> None:
        product = PRODUCTS[n % 2]
        await self.runtime.merchants.set_tariff(mine.merchant, product, tariff, actor="life")

    async def _rerate(self, mine: Books, n: int, tariff: Tariff) -> None:
        today = await self.runtime.bills.open_day(mine.merchant.id)
        days = Days(today - timedelta(days=n % 4), today)
        product, actor = PRODUCTS[n % 2], await self._actor()
        view = await self.runtime.reratings.preview(mine.merchant, product, days, tariff)
        apply = self.runtime.reratings.apply(
            actor, mine.merchant, product, days, tariff, view.difference_minor, self._cause()
        )
        if await unless(apply, "rerate_nothing") is None:
            assert view.changed == 0
            return
        mine.payable_minor -= view.difference_minor

    async def _cut(self, mine: Books, cut: DayCut) -> None:
        async with self.runtime.store.transaction() as tx:
            await self.runtime.merchants.set_day_cut(tx, mine.merchant.id, cut)
        mine.merchant = await self.runtime.merchants.by_id(mine.merchant.id)

    async def _wait(self, mine: Books, n: int) -> None:
        self.desk.clock.advance((40, 3_600, 9 * 3_600, 26 * 3_600)[n % 4])

    async def _roll(self, mine: Books, n: int) -> None:
        await self.runtime.ledger.roll_days(mine.merchant.id)

    # ── words ────────────────────────────────────────────────────────────────────────────────────
    async def _now(self, opened: Opened) -> Any:
        return await get_order(self.runtime.store, opened.order.merchant_id, opened.order.id)

    async def _actor(self) -> Any:
        return await self.runtime.access.actor(ADMIN, "Life", ADMIN, private=True)

    def _cause(self) -> Cause:
        return Cause(ADMIN, next(_numbers), 1)


async def unless(call: Awaitable[T], *codes: str) -> T | None:
    """What a verb answers; None where it refuses with one of these codes."""
    try:
        return await call
    except Refusal as refusal:
        if refusal.code not in codes:
            raise
        return None


async def _nothing(_: Tx) -> None:
    return None


async def all_bills(runtime: Runtime, merchant: Merchant) -> list[Bill]:
    today = await runtime.bills.open_day(merchant.id)
    first: date = await runtime.store.fetchval(
        "SELECT min(day) FROM business_day WHERE holder_id = $1", merchant.id
    )
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    bills = [await runtime.bills.merchant(merchant.id, Days.one(day)) for day in days]
    whole = await runtime.bills.merchant(merchant.id, Days(first, today))
    assert whole.closing_minor == bills[-1].closing_minor
    assert whole.net_minor == sum(bill.net_minor for bill in bills)
    assert whole.other_minor == sum(bill.other_minor for bill in bills)
    assert whole.prepaid_minor == sum(bill.prepaid_minor for bill in bills)
    return bills


async def check(runtime: Runtime, mine: Books) -> None:
    """The bills join, and close with what the merchant's own books say."""
    bills = await all_bills(runtime, mine.merchant)
    assert bills[0].opening_minor == 0
    for before, after in pairwise(bills):
        assert before.closing_minor == after.opening_minor
        assert before.ends_at == after.starts_at
    for bill in bills:
        moved = bill.net_minor + bill.other_minor - bill.prepaid_minor
        assert bill.opening_minor + moved == bill.closing_minor
    assert bills[-1].closing_minor == mine.payable_minor + mine.prepaid_minor
    position = await runtime.ledger.position(runtime.store, mine.merchant.id, "live", "CNY")
    assert position.payable_minor == mine.payable_minor
    assert position.prepaid_minor == mine.prepaid_minor


@pytest.fixture
def clock() -> SetClock:
    """Some days before clocks change in New York (14 March) and Berlin (28 March)."""
    clock = SetClock()
    year = clock.now().year + 1
    clock.go_to(clock.now().replace(year=year, month=3, day=12, hour=1))
    return clock


async def open_books(desk: Desk, cut: DayCut, offers: tuple[Tariff, Tariff]) -> Books:
    """A merchant that nobody else has, with its app and tariffs."""
    merchants = desk.runtime.merchants
    number = next(_numbers)
    merchant = await merchants.open_merchant(f"M{number}", f"Life {number}", day_cut=cut)
    await merchants.open_app(merchant, mode="live", name="shop", notify_url=None)
    for product, tariff in zip(PRODUCTS, offers, strict=True):
        await merchants.set_tariff(merchant, product, tariff, actor="life")
    return Books(merchant)


async def check_platform(runtime: Runtime) -> None:
    """The platform's bill closes with the sum of all merchants', and the books are right."""
    bill = await runtime.bills.platform()
    positions = [
        await runtime.ledger.position(runtime.store, merchant.id, "live", "CNY")
        for merchant in await runtime.merchants.everybody()
    ]
    assert bill.closing_minor == sum(position.minor for position in positions)
    assert [str(difference) for difference in await runtime.verify.books()] == []


@pytest.mark.timeout(60 + EXAMPLES * 20)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # a shrunk sequence would meet another desk
)  # fmt: skip
@given(st.tuples(cuts, cuts), st.tuples(tariffs, tariffs), steps)
async def test_the_books_are_right_whatever_happens(
    desk: Desk,
    day_cuts: tuple[DayCut, DayCut],
    offers: tuple[Tariff, Tariff],
    happens: list[tuple[str, int, int, Tariff, DayCut]],
) -> None:
    books = [await open_books(desk, cut, offers) for cut in day_cuts]
    life = Life(desk, books)
    for verb, whose, n, tariff, cut in happens:
        await life.act(verb, books[whose], n, tariff, cut)
    for mine in books:
        await check(desk.runtime, mine)
    await check_platform(desk.runtime)
