"""Ordinary payments: each is just what its order waits for, and many are booked in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from core.trade.orders.rows import Order, Waiting, find_waiting
from core.trade.orders.views import order_view

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """A payment that a callback told of. callback_id, turn: its row in the queue, and who holds it.
    order_created_at: of the order that it names, as the row says."""

    seen: PaymentSeen
    request_id: str
    callback_id: UUID
    order_created_at: datetime
    turn: UUID


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

    async def settle(self, merchant_id: UUID, reports: Sequence[Report]) -> list[Order | None]:
        """Book what is ordinary of a merchant's payments, all of it or none; their callbacks are
        done with it. The orders as they are now, in the order of the reports; None where the
        report is to be settled by itself: afterwards, in its turn.

        Two payments under one number, or of one order, are decided one after the other: only the
        first of them can be ordinary.
        """
        bookings = self._decide(merchant_id, reports, await self._find(merchant_id, reports))
        if not bookings or not await self._write(merchant_id, list(bookings.values())):
            return [None] * len(reports)
        for place, booking in bookings.items():
            seen = reports[place].seen
            _LOG.info(
                "payment settled",
                order_no=booking.order.order_no,
                attempt_no=seen.attempt_no,
                meaning="order",
                amount_minor=seen.paid.minor,
                how=seen.how,
                request_id=reports[place].request_id,
            )
        return [
            bookings[place].order if place in bookings else None for place in range(len(reports))
        ]

    async def _find(self, merchant_id: UUID, reports: Sequence[Report]) -> dict[int, Waiting]:
        return await find_waiting(
            self._store,
            merchant_id,
            [report.seen.attempt_no for report in reports],
            [report.seen.upstream_no for report in reports],
            [report.order_created_at for report in reports],
        )

    def _decide(
        self, merchant_id: UUID, reports: Sequence[Report], found: dict[int, Waiting]
    ) -> dict[int, _Booking]:
        """By their places."""
        now = self._clock.now()
        bookings: dict[int, _Booking] = {}
        named: set[object] = set()
        for place, report in enumerate(reports):
            if (waiting := found.get(place)) is None:
                continue
            order, attempt, seen = waiting.order, waiting.attempt, report.seen
            names = {order.id, (attempt.supplier_id, seen.upstream_no)}
            fresh = not waiting.known and named.isdisjoint(names)
            named |= names
            if not fresh or not is_ordinary(order, attempt, seen.paid):
                continue
            try:
                day = BusinessDay.of(merchant_id, waiting.day, now)
            except DayOver:
                return {}
            day = day.after(order.created_at).after(waiting.booked_at)
            bookings[place] = self._booking(day, waiting, report)
        return bookings

    def _booking(self, day: BusinessDay, waiting: Waiting, report: Report) -> _Booking:
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
            "callback_id": report.callback_id,
            "turn": report.turn,
        }
        return _Booking(
            paid, payment, event.pack(event_id, day), self._news(paid, waiting.tell_url, report)
        )

    def _news(self, paid: Order, url: str | None, report: Report) -> dict[str, Any] | None:
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
                request_id=report.request_id,
            )
        )

    async def _write(self, merchant_id: UUID, bookings: Sequence[_Booking]) -> bool:
        """False: it is not as it was when it was decided, and nothing is written."""
        news = [booking.news for booking in bookings if booking.news is not None]
        try:
            await self._store.execute(
                _BOOK,
                merchant_id,
                bookings[0].order.paid_day,
                [booking.payment for booking in bookings],
                [booking.event for booking in bookings],
                news,
            )
        except asyncpg.SerializationError:
            return False
        if news:
            self._outbox.wake_merchants()
        return True


_BOOK: Final = "SELECT book_payments($1, $2, $3, $4, $5)"
