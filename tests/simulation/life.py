"""What can happen to two merchants, at the desk and in their own books.

A verb first looks at what there is and plans an `Act`: one call of the desk, and what it means by
the merchant's own books. Acts are done one by one, or several at once.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, permutations
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

import pytest

from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance, Cause, VoucherReceipt
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.trade.orders import OpenOrder, PaymentSeen, get_attempts
from tests.core.support import OPS_CHAT, complete_from, confirm_completion, wanted
from tests.simulation.books import Books, No, Sale, Try, Windows, agree, fee_by_hand
from tests.simulation.desk import PRODUCTS, LifeDesk

T = TypeVar("T")
_numbers = count(1)


@dataclass(frozen=True)
class Step:
    """One thing that happens. which: of several there are; much, how: what the verb makes of it."""

    verb: str
    whose: int = 0
    which: int = 0
    much: int = 0
    how: int = 0
    tariff: Tariff | None = None
    cut: DayCut | None = None


@dataclass
class Act:
    """call: at the desk. note: writes it into own books and says what the desk must have
    answered, as `read` reads it. free: refusals that own books do not foresee."""

    call: Callable[[], Awaitable[Any]]
    note: Callable[[Books, datetime], Any]
    read: Callable[[Any], Any] = lambda answer: None
    free: frozenset[str] = frozenset()


@dataclass
class Shop:
    """A merchant at the desk, and its own books."""

    merchant: Merchant
    books: Books
    advances: list[VoucherReceipt]


# Verbs that are planned one after another and then done at the same time; those with a + are done
# before what follows is planned. Each of them means the same order.
TOGETHER: Final = (
    ("pay", "complete"),
    ("pay", "pay"),
    ("complete", "complete"),
    ("pay", "reserve"),
    ("reserve", "rerate"),
    ("rerate", "reserve"),
    ("reserve", "reserve"),
    ("uncomplete", "reserve"),
    ("uncomplete", "rerate"),
    ("uncomplete", "pay"),
    ("+reserve", "settle", "release"),
    ("uncomplete", "+reserve", "settle"),
    ("roll", "pay", "adjust"),
    ("cut", "pay", "roll"),
    ("rerate", "rerate"),
    ("resolve", "pay"),
    ("resolve", "complete"),
)


class Life:
    """Carries out one example's steps."""

    def __init__(self, desk: LifeDesk, shops: Sequence[Shop]) -> None:
        self.desk = desk
        self.runtime = desk.runtime
        self.shops = shops
        self._aim: Sale | None = None  # the order that all verbs of a moment mean

    async def do(self, step: Step) -> None:
        shop = self.shops[step.whose]
        if self.desk.clock.now().second >= 58:
            self.desk.clock.advance(3)  # days are cut at full minutes: no step goes over one
        if step.verb == "together":
            await self._together(shop, step)
            return
        act = await self._plan(step.verb, shop, step)
        if act is not None:
            await self._noted(shop, act, await _tried(act.call))

    async def _plan(self, verb: str, shop: Shop, step: Step) -> Act | None:
        plan: Callable[[Shop, Step], Awaitable[Act | None]] = getattr(self, f"_{verb}")
        return await plan(shop, step)

    async def _noted(self, shop: Shop, act: Act, answer: Any) -> None:
        """What the desk answered must be what own books say."""
        if isinstance(answer, Refusal) and answer.code in act.free:
            return
        at = self.desk.clock.now()
        said = answer.code if isinstance(answer, Refusal) else act.read(answer)
        try:
            ours = act.note(shop.books, at)
        except No as no:
            ours = no.code
        agree(said, ours)

    async def _together(self, shop: Shop, step: Step) -> None:
        """Several at once: refusals are fine, and the rest happened in some order."""
        verbs = TOGETHER[step.how % len(TOGETHER)]
        self._aim = _aim(shop.books, verbs, step.which)
        if self._aim is None:
            return
        acts = []
        try:
            for verb in verbs:
                act = await self._plan(verb.removeprefix("+"), shop, step)
                if act is not None and verb.startswith("+"):
                    await self._noted(shop, act, await _tried(act.call))
                elif act is not None:
                    acts.append(act)
        finally:
            self._aim = None
        lag_ms = step.much % 20  # where in the others' work a verb falls, is anybody's guess
        calls = (_tried(act.call, lag_ms * nth) for nth, act in enumerate(acts))
        answers = await asyncio.gather(*calls)
        done = [(act, answer) for act, answer in zip(acts, answers, strict=True)
                if not isinstance(answer, Refusal)]  # fmt: skip
        before, failures = shop.books, []
        for order in permutations(done):
            shop.books = copy.deepcopy(before)
            try:
                for act, answer in order:
                    await self._noted(shop, act, answer)
                return
            except AssertionError as failure:
                failures.append(failure)
        raise ExceptionGroup(f"in no order can {verbs} have happened: {answers}", failures)

    def _some(self, shop: Shop, step: Step, fits: Callable[[Sale], bool]) -> Sale | None:
        if self._aim is not None:
            return shop.books.sales[self._aim.id]
        fitting = [sale for sale in shop.books.sales.values() if fits(sale)]
        return fitting[step.which % len(fitting)] if fitting else None

    # ── orders and their money ───────────────────────────────────────────────────────────────────
    async def _open(self, shop: Shop, step: Step) -> Act:
        """how: every seventh for tests; every third is refused by the first supplier."""
        mode = "test" if step.how % 7 == 6 else "live"
        apps = await self.runtime.parties.merchants.apps.of(shop.merchant)
        app = next(app for app in apps if app.mode == mode)
        product = PRODUCTS[(step.how // 2) % 2]
        amount = max(100, step.much)
        want = OpenOrder(
            **{
                **{f: getattr(wanted(), f) for f in OpenOrder.__dataclass_fields__},
                "amount": Money(amount, shop.books.currency), "product": product,
            }
        )  # fmt: skip
        if step.how % 3 == 2:
            await self.desk.supplier.fault("create", "refuse")
        windows = await self._windows(shop)
        made: list[Sale] = []

        async def call() -> Any:
            opened = await self.runtime.trade.creation.open(app, want, request_id="life")
            order = opened.order
            tries = [
                Try(a.attempt_no, a.supplier_no, a.cost, a.state in ("accepted", "unknown"))
                for a in await get_attempts(self.runtime.system.store, order.merchant_id, order.id)
            ]
            made.append(
                Sale(order.id, order.order_no, mode, product, amount, order.agreed.rate,
                     order.agreed.fee_minor,
                     order.created_at, order.created_day, tries, order.agreed.fee_minor)
            )  # fmt: skip
            return order

        def note(books: Books, at: datetime) -> Any:
            books.open_order(mode)
            assert made, "own books see no reason to refuse the order"
            sale = made[0]
            books.sales[sale.id] = sale
            rate = books.rate_for(product, amount, mode, windows, sale.created_day)
            return rate, fee_by_hand(rate, amount)

        act = Act(call, note, lambda order: (order.agreed.rate, order.agreed.fee_minor))
        if step.how % 3 == 2:
            act.call = _clearing(call, self.desk)
        return act

    async def _pay(self, shop: Shop, step: Step) -> Act | None:
        return self._money(shop, step, 0)

    async def _pay_oddly(self, shop: Shop, step: Step) -> Act | None:
        """much: 300 is 1.00 more than asked, 100 is 1.00 less."""
        return self._money(shop, step, step.much % 401 - 200 or 1)

    def _money(self, shop: Shop, step: Step, more: int) -> Act | None:
        """A supplier reports money for one of an order's attempts. how: which."""
        sale = self._some(shop, step, lambda sale: True)
        if sale is None:
            return None
        nth = (len(sale.tries) - 1 + step.how) % len(sale.tries)
        number, amount = f"U{next(_numbers)}", max(1, sale.amount + more)
        seen = PaymentSeen(
            shop.merchant.id, sale.tries[nth].number, number,
            Money(amount, shop.books.currency), "reported",
        )  # fmt: skip

        async def call() -> str:
            settled = await self.runtime.trade.payments.settle_payment(seen, request_id="life")
            again = await self.runtime.trade.payments.settle_payment(seen, request_id="life")
            assert again.meaning == "redelivery"
            return settled.meaning

        return Act(
            call, lambda books, at: books.see(sale.id, nth, amount, number, at),
            lambda meaning: meaning,
        )  # fmt: skip

    async def _complete(self, shop: Shop, step: Step) -> Act | None:
        sale = self._some(shop, step, lambda sale: sale.open)
        if sale is None or not sale.open:
            return None
        completions = self.runtime.trade.completions
        await completions.ask(self.desk.asks, sale.number, "life", message_id=1, request_id="life")
        asked = await self._question("complete", sale)
        return Act(
            lambda: confirm_completion(self.runtime, self.desk.asks, asked, message_id=2),
            lambda books, at: books.complete(sale.id, at),
            lambda order: order.paid_how,
        )

    async def _uncomplete(self, shop: Shop, step: Step) -> Act | None:
        sale = self._some(shop, step, lambda sale: sale.how == "completed")
        if sale is None:
            return None
        completions = self.runtime.trade.completions
        refused = await _tried(
            lambda: completions.ask_reversal(
                self.desk.asks, sale.number, "life", message_id=1, request_id="life"
            )
        )
        why = shop.books.irreversible(sale.id)
        agree(refused.code if isinstance(refused, Refusal) else None, why, "reversal")
        if why is not None:
            return None
        asked = await self._question("uncomplete", sale)
        return Act(
            lambda: completions.confirm_reversal(
                self.desk.confirms, asked, message_id=2, request_id="life"
            ),
            lambda books, at: books.reverse(sale.id, at),
            lambda order: "disputed" if order.disputed else order.state,
        )

    async def _question(self, kind: str, sale: Sale) -> UUID:
        asked: UUID = await self.runtime.system.store.fetchval(
            "SELECT id FROM approval WHERE kind = $1 AND state = 'open'"
            " AND facts ->> 'order_id' = $2 ORDER BY id DESC LIMIT 1",
            kind,
            str(sale.id),
        )
        return asked

    async def _resolve(self, shop: Shop, step: Step) -> Act | None:
        """how: 0 the first of the ways there are, in the order of their names."""
        page = await self.runtime.trade.discrepancies.open_ones([shop.merchant.id])
        ours = shop.books.open_money()
        agree(page.total, len(ours), "open discrepancies")
        shown = {(number, held.left) for _, number, held in ours}
        for item in page.items:
            assert (item.upstream_no, item.left_minor) in shown, item
        if self._aim is not None:
            ours = [money for money in ours if money[0].id == self._aim.id]
        if not ours:
            return None
        sale, number, held = ours[step.which % len(ours)]
        found = next((d for d in page.items if d.upstream_no == number), None)
        if found is None:
            return None
        agree(set(found.ways), shop.books.ways(sale, held), "ways")
        way: str = sorted(found.ways)[step.how % len(found.ways)]
        left = found.left_minor

        async def resolve() -> None:
            if way == "complete":
                await complete_from(self.runtime, found, self.desk.asks, "life")
                return
            await self.runtime.trade.discrepancies.resolve(
                self.desk.asks, shop.merchant.id, found.id, way, "life", left_minor=left,
            )  # fmt: skip

        async def call() -> None:
            await resolve()
            with pytest.raises(Refusal):
                await resolve()

        return Act(call, lambda books, at: books.resolve(sale.id, number, left, way, at))

    # ── refunds ──────────────────────────────────────────────────────────────────────────────────
    async def _reserve(self, shop: Shop, step: Step) -> Act | None:
        """how: even numbers give the fee back. much: how much, 0 for all that is left."""
        sale = self._some(shop, step, lambda sale: bool(sale.how) and sale.refundable > 0)
        if sale is None or sale.refundable <= 0:
            return None
        amount = 1 + (step.much - 1) % sale.refundable
        refund_no, fee_returned = f"R{next(_numbers)}", step.how % 2 == 0
        return Act(
            lambda: self.runtime.trade.refunds.reserve(
                self.desk.asks, shop.merchant.id, sale.id, refund_no,
                Money(amount, shop.books.currency), fee_returned=fee_returned,
            ),
            lambda books, at: books.reserve(sale.id, refund_no, amount, fee_returned, at),
            lambda refund: refund.fee_back_minor,
        )  # fmt: skip

    async def _settle(self, shop: Shop, step: Step) -> Act | None:
        found = await self._reserved(shop, step)
        if found is None:
            return None
        sale_id, refund_no, refund_id = found
        returned = step.how % 2 == 0
        return Act(
            lambda: self.runtime.trade.refunds.settle(
                shop.merchant.id, refund_id, cost_returned=returned
            ),
            lambda books, at: books.settle(sale_id, refund_no, returned, at),
            lambda refund: refund.cost_back_minor,
        )

    async def _release(self, shop: Shop, step: Step) -> Act | None:
        found = await self._reserved(shop, step)
        if found is None:
            return None
        sale_id, refund_no, refund_id = found
        return Act(
            lambda: self.runtime.trade.refunds.release(shop.merchant.id, refund_id, "refused"),
            lambda books, at: books.release(sale_id, refund_no, at),
        )

    async def _reserved(self, shop: Shop, step: Step) -> tuple[UUID, str, UUID] | None:
        """A refund that is on its way, however long."""
        sales = [self._aim] if self._aim is not None else shop.books.sales.values()
        under_way = [
            (sale.id, refund_no)
            for sale in (shop.books.sales[known.id] for known in sales)
            for refund_no, back in sale.backs.items() if back.state == "reserved"
        ]  # fmt: skip
        if not under_way:
            return None
        sale_id, refund_no = under_way[step.which % len(under_way)]
        refund_id = await self.runtime.system.store.fetchval(
            "SELECT id FROM refund WHERE merchant_id = $1 AND refund_no = $2",
            shop.merchant.id,
            refund_no,
        )
        return sale_id, refund_no, refund_id

    # ── money by word ────────────────────────────────────────────────────────────────────────────
    async def _prepay(self, shop: Shop, step: Step) -> Act:
        minor, usdt = step.much % 9_000 - 3_000 or 1, step.how % 4 == 3
        advance = Advance(Money(minor, shop.books.currency), "life")
        if usdt:
            advance = Advance(Money(1_000_000 + step.much, "USDT"), "life", Decimal("7.2"))
        receipts: list[VoucherReceipt] = []

        async def call() -> VoucherReceipt:
            receipt = await self.runtime.accounts.prepayments.record(
                self.desk.asks, shop.merchant, advance, _cause()
            )
            shop.advances.append(receipt)
            receipts.append(receipt)
            return receipt

        def note(books: Books, at: datetime) -> int:
            booked = receipts[0].minor if usdt else minor
            books.prepay(booked, at)
            return booked

        return Act(call, note, lambda receipt: receipt.minor)

    async def _undo(self, shop: Shop, step: Step) -> Act | None:
        if not shop.advances:
            return None
        receipt = shop.advances.pop(step.which % len(shop.advances))
        return Act(
            lambda: self.runtime.accounts.prepayments.undo(
                self.desk.asks, shop.merchant, receipt.voucher_id, _cause()
            ),
            lambda books, at: books.prepay(-receipt.minor, at),
            free=frozenset({"undo_too_late"}),
        )

    async def _adjust(self, shop: Shop, step: Step) -> Act:
        minor = step.much % 900 - 400 or 7
        correction = Correction(Money(minor, shop.books.currency), "life")
        return Act(
            lambda: self.runtime.accounts.adjustments.record(
                self.desk.asks, shop.merchant, correction, _cause()
            ),
            lambda books, at: books.adjust(minor, at),
        )

    async def _credit(self, shop: Shop, step: Step) -> Act:
        """how: every third switches it off."""
        line = None if step.how % 3 == 2 else step.much
        money = None if line is None else Money(line, shop.books.currency)

        def note(books: Books, at: datetime) -> None:
            books.credit_line = line

        return Act(
            lambda: self.runtime.accounts.credit.set_line(
                self.desk.asks, shop.merchant, money, _cause()
            ),
            note,
        )

    # ── rates, days, time ────────────────────────────────────────────────────────────────────────
    async def _tariff(self, shop: Shop, step: Step) -> Act:
        product, tariff = PRODUCTS[step.how % 2], step.tariff
        assert tariff is not None

        def note(books: Books, at: datetime) -> None:
            books.tariffs[product] = tariff

        return Act(
            lambda: self.runtime.parties.merchants.offers.set_tariff(
                shop.merchant, product, tariff, actor="life"
            ),
            note,
        )

    async def _rerate(self, shop: Shop, step: Step) -> Act | None:
        """how: even numbers the first product; how many days back."""
        product, tariff = PRODUCTS[step.how % 2], step.tariff
        assert tariff is not None
        if self._aim is not None:
            product = self._aim.product
        today = await self.runtime.reports.bills.open_day(shop.merchant.id)
        days = Days(today - timedelta(days=step.how // 2 % 5), today)
        windows = await self._windows(shop)
        paid_in = [window for window in windows if days.first <= window[0] <= days.last]
        reratings = self.runtime.accounts.reratings
        view = await reratings.preview(shop.merchant, product, days, tariff)
        then = {sale.id: sale.fee for sale in shop.books.sales.values()}
        fees = shop.books.rerated(product, tariff, paid_in, windows)
        agree(
            (view.orders, view.fee_then_minor, view.fee_now_minor),
            (len(fees), sum(then[sale_id] for sale_id in fees),
             sum(fee for fee, _ in fees.values())),
            "preview",
        )  # fmt: skip

        def note(books: Books, at: datetime) -> int:
            fees_now = books.rerated(product, tariff, paid_in, windows)
            return books.rerate(product, fees_now, at)

        return Act(
            lambda: reratings.apply(
                self.desk.asks, shop.merchant, product, days, tariff, view.seen, _cause()
            ),
            note,
            lambda receipt: receipt.question.difference_minor,
        )

    async def _cut(self, shop: Shop, step: Step) -> Act:
        """how: every third a supplier's (which: whose), every sixth the platform's."""
        assert step.cut is not None
        kind: Literal["m", "s", "p"] = "m"
        holder_id = shop.merchant.id
        if step.how % 6 == 5:
            kind, holder_id = "p", HOUSE
        elif step.how % 3 == 2:
            suppliers = await self.runtime.parties.suppliers.all()
            kind, holder_id = "s", suppliers[step.which % len(suppliers)].id
        cut = step.cut
        return Act(
            lambda: self.runtime.accounts.daycuts.set(
                self.desk.asks, kind, holder_id, _cause(), at=cut.at, zone=cut.zone
            ),
            lambda books, at: None,
            free=frozenset({"day_cut_too_far"}),
        )

    async def _wait(self, shop: Shop, step: Step) -> None:
        """how: 0 less than a minute, 1 an hour, 2 nine hours, 3 more than a day."""
        self.desk.clock.advance((40, 3_600, 9 * 3_600, 26 * 3_600)[step.how % 4])

    async def _roll(self, shop: Shop, step: Step) -> Act:
        """The timetable adds up whatever is due."""

        async def call() -> None:
            for holder_id in await self.runtime.ledger.calendar.due_to_roll():
                await self.runtime.ledger.calendar.roll(holder_id)
            await self.runtime.reports.bills.keep_sums()

        return Act(call, lambda books, at: None)

    async def _windows(self, shop: Shop) -> Windows:
        await self.runtime.reports.bills.open_day(shop.merchant.id)
        return await windows_of(self.desk, shop.merchant.id)


async def windows_of(desk: LifeDesk, holder_id: UUID) -> Windows:
    """A holder's business days, the first first."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT day, starts_at, ends_at FROM business_day WHERE holder_id = $1 ORDER BY day",
        holder_id,
    )
    days: Windows = [(row["day"], row["starts_at"], row["ends_at"]) for row in rows]
    return days


def _aim(books: Books, verbs: tuple[str, ...], which: int) -> Sale | None:
    """An order that all of these mean. which: 0 is the newest that fits."""
    fits: Callable[[Sale], bool] = lambda sale: sale.open  # noqa: E731
    if "uncomplete" in verbs:
        fits = lambda sale: books.irreversible(sale.id) is None  # noqa: E731
    elif "resolve" in verbs:
        fits = lambda sale: any(held.left for held in sale.held.values())  # noqa: E731
    elif "rerate" in verbs or "reserve" in verbs[0]:
        fits = lambda sale: sale.state == "paid" and not sale.open  # noqa: E731
    fitting = [sale for sale in books.sales.values() if fits(sale)]
    return fitting[-1 - which % len(fitting)] if fitting else None


def _clearing(call: Callable[[], Awaitable[T]], desk: LifeDesk) -> Callable[[], Awaitable[T]]:
    """A call that may not come so far as to meet its fault."""

    async def cleared() -> T:
        try:
            return await call()
        finally:
            await desk.supplier.fault("any", "clear")

    return cleared


async def _tried(call: Callable[[], Awaitable[T]], lag_ms: int = 0) -> T | Refusal:
    await asyncio.sleep(lag_ms / 1000)
    try:
        return await call()
    except Refusal as refusal:
        return refusal


def _cause() -> Cause:
    return Cause(OPS_CHAT, next(_numbers), 1)
