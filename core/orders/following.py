"""Following orders up: asking suppliers, recovering what a crash left open, expiry and close."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from core.clock import Clock
from core.connectors import Accepted, Standing
from core.errors import Bug, Refusal
from core.groups import Groups
from core.ids import Ids
from core.orders import moves
from core.orders.calling import Calling
from core.orders.deciding import PaymentSeen
from core.orders.lifecycle import PAYABLE
from core.orders.opening import Opening
from core.orders.reading import (
    Attempt,
    Order,
    get_attempts,
    get_order,
    lock_order,
    named,
    read_attempt,
)
from core.orders.settling import Settling
from core.store import Store

_LOG = structlog.get_logger(__name__)

NEVER_SENT_AFTER: Final = timedelta(seconds=30)
NOT_FOUND_APART: Final = timedelta(seconds=60)
AT_ONCE: Final = 10
# Longer than asking may take; who died with a claim is followed by whoever looks next.
LEASE: Final = timedelta(seconds=60)
LONGEST_GAP: Final = timedelta(minutes=15)
# News of an end that the supplier did not confirm is held back this long.
HELD: Final = timedelta(minutes=5)
# A supplier that stays silent is asked until this long after the order's own end.
ASKED_FOR: Final = timedelta(hours=24)
# About one that was decided by hand it is asked this many times from then on: for about a day.
ASKED_BY_HAND: Final = 100


class Following:
    """What happens to an order when nobody calls."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        groups: Groups,
        calling: Calling,
        opening: Opening,
        settling: Settling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._groups = groups
        self._calling = calling
        self._opening = opening
        self._settling = settling

    async def ask(self, merchant_id: UUID, order_id: UUID, *, request_id: str) -> Standing:
        """Ask the supplier how an order stands, and act on it: money it saw is booked.

        An order without a payable attempt is `unknown`.
        """
        order = await get_order(self._store, merchant_id, order_id)
        attempts = await get_attempts(self._store, merchant_id, order_id)
        if not attempts:
            return Standing("unknown", "nothing was sent to a supplier")
        live = [a for a in attempts if a.attempt_no == order.live_attempt_no] or attempts[-1:]
        standing = await self._calling.standing(order, live[0])
        await self._act(order, live[0], standing, request_id=request_id)
        return standing

    async def ask_due(self, batch: int) -> int:
        """Ask about attempts whose time has come; how many there were. For the timetable."""
        now = self._clock.now()
        rows = await self._store.fetch(
            "UPDATE attempt a SET ask_at = $2 FROM ("
            " SELECT merchant_id, attempt_no FROM attempt WHERE ask_at <= $1"
            " ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED) due"
            " WHERE a.merchant_id = due.merchant_id AND a.attempt_no = due.attempt_no"
            " RETURNING a.*",
            now,
            now + LEASE,
            batch,
        )
        await _side_by_side(self._follow(read_attempt(row), now) for row in rows)
        return len(rows)

    async def _follow(self, attempt: Attempt, now: datetime) -> None:
        order = await get_order(self._store, attempt.merchant_id, attempt.order_id)
        request_id = f"follow-{attempt.attempt_no}"
        if attempt.state == "created":
            # Written down, then nothing: the process died before it marked the call.
            if now - attempt.created_at >= NEVER_SENT_AFTER:
                following = await self._opening.reject(
                    order, attempt, "never sent", request_id=request_id
                )
                if following is not None:
                    await self._opening.send(order, following, request_id=request_id)
            return
        if attempt.state not in PAYABLE:
            await self._put_off(attempt, None, attempt.said)
            return
        if (
            attempt.state in ("sent", "unknown")
            and order.state == "created"
            # Between two "not found"s nothing may be sent, or the second would prove nothing.
            and attempt.not_found_at is None
            and await self._calling.may_send_again(attempt)
        ):
            # Only a yes counts here: a no to the second call proves nothing about the first.
            reading = await self._calling.create(order, attempt)
            if isinstance(reading, Accepted):
                await self._opening.take_answer(order, attempt, reading, request_id=request_id)
                return
        standing = await self._calling.standing(order, attempt)
        await self._act(order, attempt, standing, request_id=request_id)

    async def _act(
        self, order: Order, attempt: Attempt, standing: Standing, *, request_id: str
    ) -> None:
        match standing.state:
            case "paid":
                await self._settle(order, attempt, standing, request_id)
            case "failed" | "closed":
                await self._over(order, attempt, standing, request_id)
            case "not_found":
                await self._not_found(order, attempt, standing, request_id)
            case "pending" | "unknown":
                await self._put_off(attempt, self._next_look(order, attempt), standing.why)

    async def _settle(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        if standing.paid is None:
            raise Bug("a paid standing without an amount")
        upstream_no = standing.upstream_no or attempt.upstream_no
        if upstream_no is None:
            raise Bug(f"the supplier names no number for {attempt.attempt_no}")
        await self._settling.settle_payment(
            PaymentSeen(order.merchant_id, attempt.attempt_no, upstream_no, standing.paid, "asked"),
            request_id=request_id,
        )
        await self._put_off(attempt, None, "paid")

    async def _over(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        """The supplier ended the attempt; the order that hung on it fails with it."""
        now = self._clock.now()
        move = "fail" if standing.state == "failed" else "close"
        async with self._store.transaction() as tx:
            order, attempts = await lock_order(tx, order.merchant_id, order.id)
            current = named(attempts, attempt.attempt_no)
            said = standing.why or standing.state
            moved = await moves.move_attempt(
                tx,
                self._ids,
                current,
                move,
                at=now,
                facts={"said": said, "request_id": request_id},
                changes={"ask_at": None, "said": said[:300]},
            )
            if not moved or order.live_attempt_no != attempt.attempt_no or order.settled:
                return  # a callback outran the answer, or another attempt is the payable one
            await moves.release_live(tx, order, attempt.attempt_no)
            await self._settling.fail(tx, order, attempt, said, at=now, request_id=request_id)

    async def _not_found(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        """Proof only where the document says so, and only when it is said twice, a while apart."""
        now = self._clock.now()
        # An attempt that was accepted is not undone by it; the supplier is asked on.
        doubtful = attempt.state in ("sent", "unknown")
        final = doubtful and await self._calling.not_found_is_final(attempt)
        first = attempt.not_found_at
        if final and first is not None and now - first >= NOT_FOUND_APART:
            following = await self._opening.reject(
                order, attempt, "not found at the supplier", request_id=request_id
            )
            if following is not None:
                await self._opening.send(order, following, request_id=request_id)
            return
        ask_at = now + NOT_FOUND_APART if final else self._next_look(order, attempt)
        await self._put_off(attempt, ask_at, "not found", not_found_at=first or now)

    async def _put_off(
        self,
        attempt: Attempt,
        ask_at: datetime | None,
        said: str,
        *,
        not_found_at: datetime | None = None,
    ) -> None:
        async with self._store.transaction() as tx:
            await moves.ask_again(tx, attempt, ask_at=ask_at, said=said, not_found_at=not_found_at)

    def _next_look(self, order: Order, attempt: Attempt) -> datetime | None:
        """When to ask next about an attempt that may still be paid; None: no more.

        The gap doubles up to LONGEST_GAP. It ends when a supplier's money paid the order, and
        ASKED_FOR after the order's own end. One that was completed by hand (or whose completion
        was reversed) is asked about on, since its money was not seen yet: ASKED_BY_HAND times
        from then on.
        """
        now = self._clock.now()
        if order.paid_how == "completed":
            over = attempt.asked + 1 >= ASKED_BY_HAND
        else:
            over = order.settled or now > order.expires_at + ASKED_FOR
        if over:
            return None
        doubled: int = 2 ** min(attempt.asked, 10)
        return now + min(moves.FIRST_LOOK * doubled, LONGEST_GAP)

    async def expire_due(self, batch: int) -> int:
        """End orders whose time is over; how many there were. For the timetable."""
        now = self._clock.now()
        rows = await self._store.fetch(
            "UPDATE orders o SET end_at = $2 FROM ("
            " SELECT merchant_id, id, created_at FROM orders"
            " WHERE state IN ('created', 'pending') AND end_at <= $1"
            " ORDER BY end_at LIMIT $3 FOR UPDATE SKIP LOCKED) due"
            " WHERE o.merchant_id = due.merchant_id AND o.id = due.id"
            " AND o.created_at = due.created_at RETURNING o.merchant_id, o.id",
            now,
            now + LEASE,
            batch,
        )
        await _side_by_side(
            self.end(
                row["merchant_id"],
                row["id"],
                "expire",
                actor="timetable",
                request_id=f"expire-{row['id'].hex}",
            )
            for row in rows
        )
        return len(rows)

    async def end(
        self, merchant_id: UUID, order_id: UUID, move: str, *, actor: str, request_id: str
    ) -> Order:
        """Expire or close an order. The supplier is asked first: money it saw settles the order
        instead. move: expire | close. Refusals: order_state when it is paid already."""
        order = await get_order(self._store, merchant_id, order_id)
        attempts = await get_attempts(self._store, merchant_id, order_id)
        live = next((a for a in attempts if a.attempt_no == order.live_attempt_no), None)
        open_there = False
        if live is not None and live.state in PAYABLE:
            standing = await self._calling.standing(order, live, "close")
            if standing.state == "unknown":
                standing = await self._calling.standing(order, live)
            if standing.state == "paid":
                await self._settle(order, live, standing, request_id)
                order = await get_order(self._store, merchant_id, order_id)
                if order.settled:
                    return order
                # Too little or too much was paid: that waits for a person, the order ends.
            open_there = standing.state in ("pending", "unknown")
        now = self._clock.now()
        async with self._store.transaction() as tx:
            order, _ = await lock_order(tx, merchant_id, order_id)
            if order.settled:
                raise Refusal("order_state", number=order.order_no, status=order.state)
            ended = await moves.move_order(
                tx,
                order,
                move,
                at=now,
                actor=actor,
                facts={"request_id": request_id},
                changes={"supplier_open": open_there},
            )
            if ended is None:
                return order
            news = "order.expired" if move == "expire" else "order.closed"
            # Money may still come where the supplier did not close: then that is the news.
            due_at = now + HELD if open_there else now
            await self._settling.tell(tx, ended, news, request_id=request_id, due_at=due_at)
            await self._groups.show_order(tx, merchant_id, order_id)
            return ended


async def _side_by_side(works: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Do all of a batch, a few at a time: one slow or failing supplier must not hold up the rest.

    A refusal means that the order moved on meanwhile.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(work: Coroutine[Any, Any, object]) -> None:
        async with limit:
            try:
                await work
            except Refusal as refusal:
                _LOG.info("the order moved on", refusal=refusal.code, facts=refusal.facts)

    results = await asyncio.gather(*(one(work) for work in works), return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            _LOG.error("following an order failed", exc_info=result)
