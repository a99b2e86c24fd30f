"""Plays a random but repeatable life of a shop, and keeps the shop's own books beside it.

The driver's books are as simple as a merchant would keep them: an order is credited once, with
its amount less its fee, and advances are subtracted. The desk must come to the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Final
from uuid import UUID

import pytest

from core.accounts.vouchers import UNDO_WITHIN, Advance, Cause, VoucherReceipt
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.reports.bills import Bill
from core.trade.orders import Opened, get_order
from tests.core.support import CHAT, NORTHWIND_CHAT, OPERATOR, Desk, confirm_completion, pay_link

# The sandbox supplier lives in real time and answers no request that is further away than 300 s.
SUPPLIER_NEAR_S: Final = 240.0
MAX_ORDERS: Final = 60


@dataclass
class Life:
    """What the driver knows of one order. upstream: the supplier's numbers it has reported;
    odd: what it reported under a number, where that is another amount than was asked."""

    opened: Opened
    amount_minor: int
    credited: bool = False
    completed: bool = False
    lost: bool = False
    upstream: list[str] = field(default_factory=list)
    odd: dict[str, int] = field(default_factory=dict)


@dataclass
class Shop:
    """One merchant, with the books it keeps for itself."""

    desk: Desk
    chat_id: int
    lives: list[Life] = field(default_factory=list)
    receipts: list[tuple[VoucherReceipt, float]] = field(default_factory=list)
    credited_minor: int = 0
    advanced_minor: int = 0

    def credit(self, life: Life) -> None:
        assert not life.credited
        life.credited = True
        self.credited_minor += life.amount_minor - life.opened.order.agreed.fee_minor


class Driver:
    """Does one thing after the other, drawn from a seed."""

    def __init__(self, seed: int, desk: Desk, neighbour: Desk) -> None:
        self.random = Random(seed)
        self.desk = desk
        self.shops = [Shop(desk, CHAT), Shop(neighbour, NORTHWIND_CHAT)]
        self.passed_s = 0.0
        self._numbers = 0
        self._messages = 0
        self.acts: list[tuple[int, Callable[[Shop], Awaitable[None]]]] = [
            (14, self.open),
            (12, self.pay),
            (4, self.pay_at_the_supplier),
            (6, self.pay_oddly),
            (5, self.report_again),
            (4, self.report_at_once),
            (6, self.complete),
            (8, self.prepay),
            (3, self.undo),
            (6, self.timetable),
            (3, self.wait),
        ]

    async def run(self, steps: int) -> None:
        weights = [weight for weight, _ in self.acts]
        for _ in range(steps):
            (_, act) = self.random.choices(self.acts, weights)[0]
            await act(self.random.choice(self.shops))
        for shop in self.shops:
            await self.timetable(shop)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────
    async def open(self, shop: Shop) -> None:
        if self.passed_s > SUPPLIER_NEAR_S or len(shop.lives) >= MAX_ORDERS:
            return
        amount_minor = self.random.choice((10000, 19999, 30001, 77777))
        fault = self.random.choice((None, None, None, "refuse", "garbage"))
        if fault is not None:
            after = fault == "garbage"
            await self.desk.supplier.fault("create", fault, after=after)
        opened = await shop.desk.open(
            amount_minor,
            product=self.random.choice(("alipay_qr", "alipay_qr", "wechat_qr")),
            expires_in_s=self.random.choice((60, 600, 1800)),
        )
        if opened.attempt is not None:
            shop.lives.append(Life(opened, amount_minor))
        else:
            assert opened.order.state == "failed"

    async def pay(self, shop: Shop) -> None:
        life = self._some(shop)
        if life is None:
            return
        meaning = await self._see(shop, life, life.amount_minor)
        self._check_exact(shop, life, meaning)

    async def pay_at_the_supplier(self, shop: Shop) -> None:
        """The supplier takes the money and never says so; the desk finds it by asking."""
        life = self._some(shop)
        if life is None or life.lost or self.passed_s > SUPPLIER_NEAR_S:
            return
        order = await shop.desk.order(life.opened)
        if order.state != "pending" or life.opened.attempt is None:
            return
        if life.opened.attempt.pay is None:
            return
        await self.desk.supplier.pay(pay_link(life.opened), "lose_callback")
        life.lost = True

    async def pay_oddly(self, shop: Shop) -> None:
        life = self._some(shop)
        if life is None:
            return
        seen_minor = life.amount_minor + self.random.choice((-100, -1, 1, 100))
        first_report = life.completed and not life.upstream
        meaning = await self._see(shop, life, seen_minor)
        if first_report:
            assert meaning == "confirmation"
        elif life.credited:
            assert meaning == "duplicate"
        else:
            assert meaning in ("short", "over")

    async def report_again(self, shop: Shop) -> None:
        life = self._some(shop)
        if life is None or not life.upstream:
            return
        upstream_no = self.random.choice(life.upstream)
        minor = life.odd.get(upstream_no, life.amount_minor)
        settled = await shop.desk.see(life.opened, minor, upstream_no=upstream_no)
        assert settled.meaning == "redelivery"

    async def report_at_once(self, shop: Shop) -> None:
        """Two workers act on the same payment, while the other merchant is paid as well."""
        life = self._some(shop)
        if life is None:
            return
        await self._catch_up(shop, life)
        number = self._number()
        settled = await asyncio.gather(
            *(shop.desk.see(life.opened, life.amount_minor, upstream_no=number) for _ in range(3)),
            *(self.prepay(other) for other in self.shops if other is not shop),
        )
        meanings = sorted(s.meaning for s in settled if s is not None)
        meanings.remove("redelivery")
        meanings.remove("redelivery")
        self._check_exact(shop, life, meanings[0])
        life.upstream.append(number)

    async def complete(self, shop: Shop) -> None:
        life = self._some(shop)
        if life is None:
            return
        actor = await shop.desk.actor(OPERATOR, shop.chat_id)
        completions = shop.desk.runtime.trade.completions
        question = completions.ask(
            actor, life.opened.order.order_no, "confirmed", message_id=1, request_id="sim"
        )
        await self._catch_up(shop, life)
        if life.credited:
            with pytest.raises(Refusal, match="this cannot be done"):
                await question
            return
        await question
        asked: UUID | None = await shop.desk.runtime.system.store.fetchval(
            "SELECT id FROM approval WHERE state = 'open' AND chat_id = $1"
            " AND facts ->> 'order_id' = $2 ORDER BY created_at DESC LIMIT 1",
            shop.chat_id,
            str(life.opened.order.id),
        )
        if asked is None:  # the supplier had the money
            await self._catch_up(shop, life)
            assert life.lost
            return
        order = await confirm_completion(shop.desk.runtime, actor, asked, message_id=2)
        if order.paid_how == "completed":
            shop.credit(life)
            life.completed = True
        await self._catch_up(shop, life)

    async def prepay(self, shop: Shop) -> None:
        minor = self.random.choice((100_000, 250_000, -40_000, 1))
        if self.random.random() < 0.25:
            advance = Advance(Money(abs(minor) * 10_000, "USDT"), "usdt", Decimal("7.2"))
            minor = abs(minor) * 72 // 10
        else:
            advance = Advance(Money(minor, "CNY"), "advance")
        actor = await shop.desk.actor(OPERATOR, shop.chat_id)
        cause = Cause(shop.chat_id, self._message(), 1)
        record = shop.desk.runtime.accounts.prepayments.record
        receipt = await record(actor, shop.desk.merchant, advance, cause)
        if self.random.random() < 0.3:
            assert await record(actor, shop.desk.merchant, advance, cause) == receipt
        shop.advanced_minor += receipt.minor
        assert receipt.minor == minor
        assert receipt.advanced_minor == shop.advanced_minor
        assert receipt.after_minor == shop.advanced_minor - shop.credited_minor
        shop.receipts.append((receipt, self.passed_s))

    async def undo(self, shop: Shop) -> None:
        if not shop.receipts:
            return
        receipt, at_s = self.random.choice(shop.receipts)
        actor = await shop.desk.actor(OPERATOR, shop.chat_id)
        cause = Cause(shop.chat_id, self._message(), 1)
        prepayment_id = receipt.voucher_id
        undo = shop.desk.runtime.accounts.prepayments.undo(
            actor, shop.desk.merchant, prepayment_id, cause
        )
        if self.passed_s - at_s >= UNDO_WITHIN.total_seconds():
            with pytest.raises(Refusal, match="time to undo is over"):
                await undo
            return
        await undo
        shop.advanced_minor -= receipt.minor
        shop.receipts.remove((receipt, at_s))

    async def timetable(self, shop: Shop) -> None:
        following = shop.desk.runtime.trade.follow_up
        await following.expire_due(20)
        await following.ask_due(20)
        for each in self.shops:
            for life in each.lives:
                await self._catch_up(each, life)

    async def wait(self, _: Shop) -> None:
        """Time passes: some seconds while the supplier is needed, later hours and days."""
        if self.passed_s < SUPPLIER_NEAR_S and len(self.shops[0].lives) < 6:
            seconds = self.random.choice((5, 15, 40))
        else:
            seconds = self.random.choice((30, 700, 5 * 3600, 86_400))
        self.desk.clock.advance(seconds)
        self.passed_s += seconds

    # ── the driver's own book-keeping ────────────────────────────────────────────────────────────
    async def _see(self, shop: Shop, life: Life, minor: int) -> str:
        await self._catch_up(shop, life)
        number = self._number()
        settled = await shop.desk.see(life.opened, minor, upstream_no=number)
        life.odd[number] = minor
        if settled.meaning != "confirmation":
            life.upstream.append(number)
        else:
            assert life.completed
            life.upstream.insert(0, number)
        return settled.meaning

    def _check_exact(self, shop: Shop, life: Life, meaning: str) -> None:
        """What the desk made of the exact amount, against what the driver knows."""
        if not life.credited:
            assert meaning == "order"
            shop.credit(life)
        else:
            assert meaning in ("duplicate", "confirmation")

    async def _catch_up(self, shop: Shop, life: Life) -> None:
        """Money that only the supplier knew of may have been found meanwhile."""
        order = await get_order(
            shop.desk.runtime.system.store, shop.desk.merchant.id, life.opened.order.id
        )
        if order.settled and not life.credited:
            assert life.lost
            assert order.paid_how == "asked"
            shop.credit(life)
        assert order.settled == life.credited
        if life.lost and life.opened.attempt is not None:
            known = await shop.desk.runtime.system.store.fetchval(
                "SELECT upstream_no FROM supplier_payment WHERE order_id = $1 AND upstream_no = $2",
                order.id,
                life.opened.attempt.upstream_no,
            )
            if known is not None and known not in life.upstream:
                life.upstream.append(known)

    def _some(self, shop: Shop) -> Life | None:
        return self.random.choice(shop.lives) if shop.lives else None

    def _number(self) -> str:
        self._numbers += 1
        return f"U{self._numbers:06d}"

    def _message(self) -> int:
        self._messages += 1
        return self._messages


async def bills_of(shop: Shop) -> list[Bill]:
    """Every bill from the first day of the books to the open one."""
    bills, merchant = shop.desk.runtime.reports.bills, shop.desk.merchant
    last = await bills.merchant(merchant.id)
    first = await shop.desk.runtime.system.store.fetchval(
        "SELECT min(day) FROM business_day WHERE holder_id = $1", merchant.id
    )
    days = [first + timedelta(days=n) for n in range((last.days.last - first).days)]
    return [*[await bills.merchant(merchant.id, Days.one(day)) for day in days], last]


async def check(shop: Shop) -> None:
    """The desk's books are right, and say what the shop's own books say."""
    bills = await bills_of(shop)
    assert bills[0].opening_minor == 0
    for before, after in pairwise(bills):
        assert before.closing_minor == after.opening_minor
        assert before.ends_at == after.starts_at
    assert bills[-1].closing_minor == shop.credited_minor - shop.advanced_minor
    paid = sum(line.net_minor for bill in bills for line in bill.products)
    other = sum(bill.other_minor for bill in bills)
    assert (paid, other) == (shop.credited_minor, 0)
    assert sum(bill.prepaid_minor for bill in bills) == shop.advanced_minor
    balances = await shop.desk.balances()
    assert balances.get("payable", 0) == shop.credited_minor
    assert balances.get("prepaid", 0) == -shop.advanced_minor
    owed = sum(minor for account, minor in balances.items() if account.startswith("suspense/"))
    assert owed >= 0
