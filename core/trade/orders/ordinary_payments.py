"""Ordinary payments: each is just what its order waits for, and many are booked in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from core.books import BusinessDay, DayOver
from core.delivery.outbox import MerchantNews
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.system.store import Store
from core.trade.booking_tools import TradeBooks
from core.trade.orders.decisions import PaymentSeen, event_of, is_ordinary, settle
from core.trade.orders.lifecycle import attempt_after, order_after
from core.trade.orders.moves import changes_of_payment
from core.trade.orders.rows import Named, Order, Waiting, find_waiting
from core.trade.orders.views import order_view

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """A payment that a callback told of. callback_id, turn: its row in the queue, and who holds
    that."""

    seen: PaymentSeen
    request_id: str
    callback_id: UUID
    turn: UUID


@dataclass(frozen=True, slots=True)
class FreshReport:
    """A payment whose callback is not written yet, and is written with it. waiting: what it names,
    as it was read just now. row, body: of the callback."""

    seen: PaymentSeen
    request_id: str
    waiting: Waiting
    row: dict[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Booked:
    """orders: as they are now, in the order in which their payments were handed over; None where
    one is to be settled by itself. doubted: callbacks of a supplier of theirs were refused, and
    none was believed since."""

    orders: Sequence[Order | None]
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class _Booking:
    """An ordinary payment as it was decided: rows for the database, and the order as it will be."""

    order: Order
    payment: dict[str, Any]
    event: dict[str, Any]
    news: dict[str, Any] | None


class OrdinaryPayments:
    """Books a merchant's ordinary payments together, with all that goes with them."""

    def __init__(
        self, store: Store, clock: Clock, books: TradeBooks, cashier_url: Callable[[str], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = books.ids
        self._outbox = books.outbox
        self._cashier_url = cashier_url

    async def settle(self, merchant_id: UUID, reports: Sequence[Report]) -> Booked:
        """Book what is ordinary of a merchant's payments, all of it or none; their callbacks are
        done with it. What is to be settled by itself is so afterwards, in its turn.

        Two payments under one number, or of one order, are decided one after the other: only the
        first of them can be ordinary.
        """
        named = [
            Named(merchant_id, report.seen.attempt_no, report.seen.upstream_no)
            for report in reports
        ]
        found = await find_waiting(self._store, named)
        bookings = self._decide(merchant_id, reports, found)
        return await self._book(merchant_id, reports, bookings, ((), ()), waits=True)

    async def settle_arriving(self, merchant_id: UUID, arriving: Sequence[FreshReport]) -> Booked:
        """The same of payments whose callers wait for it. It waits for nobody who holds the day,
        and for nobody else for long."""
        bookings = self._decide(merchant_id, arriving, [one.waiting for one in arriving])
        told = [arriving[place] for place in bookings]
        rows = [one.row | {"place": place} for place, one in enumerate(told, start=1)]
        callbacks = (rows, [one.body for one in told])
        return await self._book(merchant_id, arriving, bookings, callbacks, waits=False)

    async def _book(
        self,
        merchant_id: UUID,
        payments: Sequence[Report | FreshReport],
        bookings: dict[int, _Booking],
        callbacks: tuple[Sequence[dict[str, Any]], Sequence[bytes]],
        *,
        waits: bool,
    ) -> Booked:
        """bookings: by the places of their payments. callbacks: rows that are not written yet, and
        their bodies."""
        nothing = Booked([None] * len(payments))
        if not bookings:
            return nothing
        try:
            doubted = await self._write(merchant_id, [*bookings.values()], callbacks, waits=waits)
        except asyncpg.SerializationError:
            return nothing  # it is not as it was when it was decided
        for place, booking in bookings.items():
            seen = payments[place].seen
            _LOG.info(
                "payment settled",
                order_no=booking.order.order_no,
                attempt_no=seen.attempt_no,
                meaning="order",
                amount_minor=seen.paid.minor,
                how=seen.how,
                request_id=payments[place].request_id,
            )
        orders = [bookings[n].order if n in bookings else None for n in range(len(payments))]
        return Booked(orders, doubted)

    def _decide(
        self,
        merchant_id: UUID,
        payments: Sequence[Report | FreshReport],
        found: Sequence[Waiting | None],
    ) -> dict[int, _Booking]:
        """By their places."""
        now = self._clock.now()
        bookings: dict[int, _Booking] = {}
        named: set[object] = set()
        for place, (payment, waiting) in enumerate(zip(payments, found, strict=True)):
            if waiting is None:
                continue
            order, attempt, seen = waiting.order, waiting.attempt, payment.seen
            names = {order.id, (attempt.supplier_id, seen.upstream_no)}
            fresh = not waiting.known and named.isdisjoint(names)
            named |= names
            if not fresh or not is_ordinary(order, attempt, seen.paid):
                continue
            try:
                day = BusinessDay.of(merchant_id, waiting.day, now)
            except DayOver:
                continue
            day = day.after(order.created_at).after(waiting.booked_at)
            bookings[place] = self._booking(day, waiting, payment)
        return bookings

    def _booking(
        self, day: BusinessDay, waiting: Waiting, report: Report | FreshReport
    ) -> _Booking:
        order, attempt, seen = waiting.order, waiting.attempt, report.seen
        settlement = settle(order, attempt, seen.paid, paid_by=None, reported=False)
        order_next, attempt_next = (
            order_after(order.state, "pay"),
            attempt_after(attempt.state, "pay"),
        )
        if (
            order_next is None
            or attempt_next is None
            or settlement.move != "pay"
            or settlement.late
        ):
            raise Bug(f"the payment {seen.upstream_no} of {order.order_no} is not ordinary")
        changes = changes_of_payment(day, order, attempt, settlement, seen.how)
        paid = replace(order, state=order_next, version=order.version + 1, **changes)
        event = event_of(order, attempt, settlement, seen.event_key(attempt.supplier_no))
        event_id = self._ids.uuid7()
        payment = {
            "order_id": order.id,
            "order_created_at": order.created_at,
            "order_state": order.state,
            "order_next": order_next,
            "version": order.version,
            "attempt_no": attempt.attempt_no,
            "attempt_state": attempt.state,
            "attempt_next": attempt_next,
            "supplier_id": attempt.supplier_id,
            "supplier_no": attempt.supplier_no,
            "upstream_no": seen.upstream_no,
            "amount_minor": seen.paid.minor,
            "currency": seen.paid.currency,
            "cost_minor": settlement.cost_minor,
            "how": seen.how,
            "address": seen.address,
            "request_id": report.request_id,
            "at": day.at,
            "event_id": event_id,
            "history_id": self._ids.uuid7(),
            **_queued(report),
        }
        return _Booking(
            paid,
            payment,
            event.pack(event_id, day),
            self._news(paid, waiting.tell_url, report.request_id),
        )

    def _news(self, paid: Order, url: str | None, request_id: str) -> dict[str, Any] | None:
        if url is None:
            return None
        return self._outbox.row_of(
            MerchantNews(
                paid.merchant_id,
                paid.app_id,
                paid.id,
                type="order.paid",
                url=url,
                facts=order_view(paid, None, self._cashier_url(paid.order_no)),
                request_id=request_id,
            )
        )

    async def _write(
        self,
        merchant_id: UUID,
        bookings: Sequence[_Booking],
        callbacks: tuple[Sequence[dict[str, Any]], Sequence[bytes]],
        *,
        waits: bool,
    ) -> bool:
        """Whether a supplier was doubted. Raises SerializationError where something is not as it
        was when it was decided; nothing is written then."""
        news = [booking.news for booking in bookings if booking.news is not None]
        doubted = await self._store.fetchval(
            _BOOK,
            merchant_id,
            bookings[0].order.paid_day,
            [booking.payment for booking in bookings],
            [booking.event for booking in bookings],
            news,
            *callbacks,
            waits,
        )
        if news:
            self._outbox.wake_merchants()
        return bool(doubted)


def _queued(report: Report | FreshReport) -> dict[str, UUID]:
    """The row of the queue that is done with a payment, where it has one."""
    if isinstance(report, FreshReport):
        return {}
    return {"callback_id": report.callback_id, "turn": report.turn}


_BOOK: Final = "SELECT book_payments($1, $2, $3, $4, $5, $6, $7, $8)"
