"""Money's moment: what a supplier saw is booked, once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from core.books import AlreadyBooked, BusinessDay
from core.delivery.outbox import MerchantNews, News
from core.kernel.errors import Bug, Contradiction, Refusal
from core.kernel.money import Money
from core.people.alarms import Trouble
from core.supply.channels import Routing
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import moves
from core.trade.orders.contradictions import CONTRADICTION, Contradictions
from core.trade.orders.decisions import PaymentSeen, Settlement, event_of, need_same_payment, settle
from core.trade.orders.lifecycle import LATE_FROM, PAYABLE
from core.trade.orders.notices import AlarmShortfall, OddPayment, sound_suspense
from core.trade.orders.ordinary_payments import Booked, FreshReport, OrdinaryPayments, Report
from core.trade.orders.rows import (
    Attempt,
    Order,
    find_attempt,
    in_turn,
    lock_order,
    named,
    tell_url,
)
from core.trade.orders.views import order_view

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of seen money. meaning: order | confirmation | short | over | duplicate |
    redelivery | contradiction. late: for an order or an attempt that had ended."""

    meaning: str
    order: Order
    late: bool = False


@dataclass(frozen=True, slots=True)
class PaidBy:
    """By whose word an order is paid. how: reported | asked | completed. facts: what its history
    keeps of it beside the request."""

    how: str
    actor: str
    request_id: str
    facts: dict[str, str]


class Payments:
    """Books what suppliers saw, and tells of it.

    More than seven verbs: beside what settles payments, `book`, `pay`, `tell`, `untell` and `fail`
    are steps of one transaction, also of other objects here.
    """

    def __init__(
        self,
        books: TradeBooks,
        routing: Routing,
        contradictions: Contradictions,
        ordinary: OrdinaryPayments,
        cashier_url: Callable[[str], str],
    ) -> None:
        self._ids = books.ids
        self._ledger = books.ledger
        self._alarms = books.alarms
        self._outbox = books.outbox
        self._routing = routing
        self._contradictions = contradictions
        self._ordinary = ordinary
        self._cashier_url = cashier_url

    async def settle_payment(self, seen: PaymentSeen, *, request_id: str) -> Settled:
        """Book money that a supplier saw for one of our attempts.

        The identity of a payment is (supplier, upstream_no): the same again changes nothing.
        What contradicts it is kept and told, and books nothing. Refusals: callback_unknown.
        """

        async def work(tx: Tx, day: BusinessDay) -> Settled:
            return await self._settle(tx, day, seen, request_id)

        try:
            settled = await self._ledger.in_open_day(seen.merchant_id, work)
        except (Contradiction, AlreadyBooked) as error:
            # Booked already: another order took the number since it was looked for.
            said = error if isinstance(error, Contradiction) else Contradiction("number_taken")
            return Settled(CONTRADICTION, await self._contradictions.keep(seen, said))
        if settled.late:
            await self._routing.recount(seen.merchant_id, seen.attempt_no)
        _LOG.info(
            "payment settled",
            order_no=settled.order.order_no,
            attempt_no=seen.attempt_no,
            meaning=settled.meaning,
            amount_minor=seen.paid.minor,
            how=seen.how,
        )
        return settled

    async def settle_payments(
        self, merchant_id: UUID, reports: Sequence[Report]
    ) -> Sequence[Order | None]:
        """Book the ordinary ones of a merchant's payments in one write, with which their callbacks
        are done. The orders as they are now; None for each report that is to be settled by itself,
        with `settle_payment`."""
        return (await self._ordinary.settle(merchant_id, reports)).orders

    async def settle_arriving(self, merchant_id: UUID, arriving: Sequence[FreshReport]) -> Booked:
        """The same where callbacks come: they are written with what they tell. Of those that are
        not booked nothing is written."""
        return await self._ordinary.settle_arriving(merchant_id, arriving)

    async def _settle(
        self, tx: Tx, day: BusinessDay, seen: PaymentSeen, request_id: str
    ) -> Settled:
        found = await find_attempt(tx, seen.merchant_id, seen.attempt_no)
        if found is None:
            raise Refusal("callback_unknown")
        order, attempts = await lock_order(tx, seen.merchant_id, found.order_id)
        attempt = named(attempts, seen.attempt_no)
        reports = await _reports(tx, order, attempt, seen)
        for row in reports:
            if (row["supplier_id"], row["upstream_no"]) == (attempt.supplier_id, seen.upstream_no):
                need_same_payment(_told(row), seen)
                return Settled("redelivery", order)
        day = await in_turn(tx, day, order)
        late = order.state in LATE_FROM or attempt.state not in PAYABLE
        paid_by = next((a for a in attempts if a.attempt_no == order.paid_attempt_no), None)
        reported = any(r["booked_as"] in ("order", "confirmation") for r in reports)
        settlement = settle(
            order,
            attempt,
            seen.paid,
            paid_by=paid_by,
            reported=reported or await _from_suspense(tx, order),
            cost_back_minor=await _cost_back(tx, order),
        )
        order = await self._write(tx, day, order, attempt, seen, settlement, request_id)
        return Settled(settlement.meaning, order, late)

    async def _write(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        seen: PaymentSeen,
        settlement: Settlement,
        request_id: str,
    ) -> Order:
        """What was decided of seen money: the booking, all that moves, and whoever is told."""
        key = seen.event_key(attempt.supplier_no)
        event_id = await self.book(tx, day, order, attempt, settlement, key)
        await _keep_payment(tx, attempt, seen, settlement.meaning, event_id, day.at)
        if settlement.meaning in ("order", "confirmation", "duplicate"):
            await moves.move_attempt(
                tx,
                self._ids,
                attempt,
                "pay",
                at=day.at,
                facts={"upstream_no": seen.upstream_no, "how": seen.how, "request_id": request_id},
                changes={"upstream_no": seen.upstream_no, "ask_at": None},
            )
        facts = {"upstream_no": seen.upstream_no, "request_id": request_id}
        if settlement.meaning == "confirmation":
            order = await _confirm(tx, day, order, attempt, settlement.cost_minor, facts)
        if settlement.move is not None:
            supplier = f"supplier:{attempt.supplier_no}"
            by = PaidBy(seen.how, supplier, request_id, {"upstream_no": seen.upstream_no})
            order = await self.pay(tx, day, order, attempt, settlement, by)
        if settlement.discrepancy is not None:
            await self._discrepancy(tx, day, order, attempt, seen, settlement, event_id)
        if settlement.missing_minor:
            short = AlarmShortfall(settlement.missing_minor, _odd(order, attempt, seen))
            await self._sound(tx, order, short, order.order_no)
        return order

    async def book(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        settlement: Settlement,
        key: str,
    ) -> UUID | None:
        """Write a settlement's event; its id, or None where nothing is moved."""
        if not settlement.postings:
            return None
        return await self._ledger.book(tx, day, event_of(order, attempt, settlement, key))

    async def pay(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        settlement: Settlement,
        by: PaidBy,
    ) -> Order:
        """Make the settlement's move, and tell of it."""
        if settlement.move is None:
            raise Bug("a settlement without a move pays nothing")
        moved = await moves.move_order(
            tx,
            order,
            settlement.move,
            at=day.at,
            actor=by.actor,
            facts={**by.facts, "request_id": by.request_id},
            changes=moves.changes_of_payment(day, order, attempt, settlement, by.how),
        )
        if moved is None:
            raise Bug(f"order {order.order_no} moved while it was locked")
        if settlement.late:
            await self._outbox.drop_untold(tx, order.merchant_id, order.id)
        news: News = "order.paid_late" if settlement.late else "order.paid"
        await self.tell(tx, moved, news, request_id=by.request_id)
        return moved

    async def fail(
        self,
        tx: Tx,
        order: Order,
        attempt: Attempt,
        said: str,
        *,
        at: datetime,
        request_id: str,
        told_at: datetime | None = None,
    ) -> None:
        """No attempt of an order is left: it fails, which is shown, and told from told_at on."""
        failed = await moves.move_order(
            tx,
            order,
            "fail",
            at=at,
            actor=f"supplier:{attempt.supplier_no}",
            facts={"said": said, "request_id": request_id},
        )
        if failed is not None:
            await self.tell(tx, failed, "order.failed", request_id=request_id, due_at=told_at)

    async def untell(self, tx: Tx, order: Order) -> None:
        """Another order has this one's number: its end is told no more."""
        await self._outbox.drop_untold(tx, order.merchant_id, order.id, tried=True)

    async def tell(
        self, tx: Tx, order: Order, news: News, *, request_id: str, due_at: datetime | None = None
    ) -> None:
        """Put news of an order for the merchant's server into the outbox, where it has one.

        due_at: not before then; now where it is None.
        """
        url = await tell_url(tx, order)
        if url is None:
            return
        await self._outbox.tell_merchant(
            tx,
            MerchantNews(
                order.merchant_id,
                order.app_id,
                order.id,
                type=news,
                url=url,
                facts=order_view(order, None, self._cashier_url(order.order_no)),
                request_id=request_id,
            ),
            due_at=due_at,
        )

    async def _discrepancy(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        seen: PaymentSeen,
        settlement: Settlement,
        event_id: UUID | None,
    ) -> None:
        if event_id is None or settlement.discrepancy is None:
            raise Bug("a discrepancy without a booking")
        discrepancy_id = self._ids.uuid7()
        await tx.execute(
            "INSERT INTO discrepancy (merchant_id, id, order_id, order_no, mode, attempt_no,"
            " supplier_no, upstream_no, kind, asked_minor, seen_minor, currency, event_id,"
            " left_minor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
            " $14, $15)",
            order.merchant_id,
            discrepancy_id,
            order.id,
            order.order_no,
            order.mode,
            attempt.attempt_no,
            attempt.supplier_no,
            seen.upstream_no,
            settlement.discrepancy,
            order.amount.minor,
            seen.paid.minor,
            seen.paid.currency,
            event_id,
            settlement.held_minor,
            day.at,
        )
        if order.mode == "live":  # a test's money is nowhere: it is listed, and alarms nobody
            await sound_suspense(tx, self._alarms, order.merchant_id)

    async def _sound(self, tx: Tx, order: Order, trouble: Trouble, subject: str) -> None:
        """Of money that is not what was asked for."""
        if order.mode == "live":  # a test's money is nowhere: it is listed, and alarms nobody
            await self._alarms.sound(tx, trouble, subject)


def _odd(order: Order, attempt: Attempt, seen: PaymentSeen) -> OddPayment:
    return OddPayment(
        order_no=order.order_no,
        supplier_no=attempt.supplier_no,
        upstream_no=seen.upstream_no,
        asked_minor=order.amount.minor,
        seen_minor=seen.paid.minor,
        currency=seen.paid.currency,
    )


async def _confirm(
    tx: Tx, day: BusinessDay, order: Order, attempt: Attempt, cost_minor: int, facts: dict[str, Any]
) -> Order:
    """Who has a completed order's money, and what it really costs, is known only now."""
    confirmed = await moves.move_order(
        tx,
        order,
        "confirm",
        at=day.at,
        actor=f"supplier:{attempt.supplier_no}",
        facts=facts,
        changes={"cost_minor": cost_minor, "paid_attempt_no": attempt.attempt_no},
    )
    if confirmed is None:
        raise Bug(f"order {order.order_no} is {order.state} and was confirmed")
    return confirmed


async def _keep_payment(
    tx: Tx, attempt: Attempt, seen: PaymentSeen, meaning: str, event_id: UUID | None, at: datetime
) -> None:
    """Raises Contradiction where another order took the number since it was looked for."""
    kept = await tx.fetchval(
        "INSERT INTO supplier_payment (merchant_id, supplier_id, upstream_no, attempt_no,"
        " order_id, amount_minor, currency, booked_as, event_id, how, address, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " ON CONFLICT (supplier_id, upstream_no) DO NOTHING RETURNING true",
        seen.merchant_id,
        attempt.supplier_id,
        seen.upstream_no,
        attempt.attempt_no,
        attempt.order_id,
        seen.paid.minor,
        seen.paid.currency,
        meaning,
        event_id,
        seen.how,
        seen.address,
        at,
    )
    if not kept:
        raise Contradiction("number_taken")


async def _reports(
    tx: Tx, order: Order, attempt: Attempt, seen: PaymentSeen
) -> list[asyncpg.Record]:
    """What suppliers reported of an order, and the payment that has this number already. A
    payment's number is its supplier's: it may have named another merchant's payment."""
    return await tx.fetch(
        "SELECT merchant_id, supplier_id, upstream_no, attempt_no, amount_minor, currency,"
        " booked_as FROM supplier_payment"
        " WHERE merchant_id = $1 AND order_id = $2 OR supplier_id = $3 AND upstream_no = $4",
        seen.merchant_id,
        order.id,
        attempt.supplier_id,
        seen.upstream_no,
    )


def _told(row: Any) -> PaymentSeen:
    """What was booked under a payment's number."""
    paid = Money(row["amount_minor"], row["currency"])
    return PaymentSeen(row["merchant_id"], row["attempt_no"], row["upstream_no"], paid, "reported")


async def _from_suspense(tx: Tx, order: Order) -> bool:
    """Whether an order was completed with money that a supplier had reported before."""
    return order.paid_how == "completed" and bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT FROM completion c JOIN resolution r"
            " ON r.merchant_id = c.merchant_id AND r.event_id = c.event_id"
            " WHERE c.merchant_id = $1 AND c.order_id = $2 AND NOT EXISTS (SELECT FROM completion w"
            "  WHERE w.merchant_id = c.merchant_id AND w.reverses = c.id))",
            order.merchant_id,
            order.id,
        )
    )


async def _cost_back(tx: Tx, order: Order) -> int:
    """What the supplier that an order was paid with gave back of its cost, with refunds."""
    return int(
        await tx.fetchval(
            "SELECT coalesce(sum(cost_back_minor), 0) FROM refund"
            " WHERE merchant_id = $1 AND order_id = $2 AND attempt_no = $3 AND state = 'succeeded'",
            order.merchant_id,
            order.id,
            order.paid_attempt_no,
        )
    )
