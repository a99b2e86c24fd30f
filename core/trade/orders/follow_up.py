"""Following orders up: asking suppliers, recovering what a crash left open, expiry and close."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core.connectors import Accepted, Standing
from core.delivery.outbox import News
from core.kernel.errors import Bug, Refusal
from core.supply.channels import Routing
from core.system.district import System
from core.trade.orders import moves
from core.trade.orders.batches import side_by_side
from core.trade.orders.contradictions import CONTRADICTION
from core.trade.orders.creation import NEVER_SENT_AFTER, Creation
from core.trade.orders.decisions import PaymentSeen
from core.trade.orders.lifecycle import DOUBTFUL, PAYABLE
from core.trade.orders.payments import Payments
from core.trade.orders.polls import LEASE, Asking, Job
from core.trade.orders.rows import Attempt, Order, get_attempts, get_order, lock_order, named
from core.trade.orders.supplier_calls import SupplierCalls

NOT_FOUND_APART: Final = timedelta(seconds=60)
# A supplier that makes one payment of one number does not remember numbers for ever: those that
# say how long keep them for 6 hours at least (PayPal; Stripe a day, Adyen a week).
SENT_AGAIN_FOR: Final = timedelta(hours=1)
# Hearsay has a supplier asked no more often than this.
SOONEST: Final = timedelta(seconds=60)
LONGEST_GAP: Final = timedelta(minutes=15)
# An old attempt is asked about ever more rarely: when it is so much older again.
_RARELY: Final = 4
# News of an end that the supplier did not confirm is held back this long.
HELD: Final = timedelta(minutes=5)
# A supplier that stays silent is asked until this long after the order's own end.
ASKED_FOR: Final = timedelta(hours=24)
# About one that was decided by hand it is asked this many times from then on: for about a day.
ASKED_BY_HAND: Final = 100


class FollowUp:
    """What happens to an order when nobody calls."""

    def __init__(
        self,
        system: System,
        routing: Routing,
        supplier_calls: SupplierCalls,
        creation: Creation,
        payments: Payments,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._routing = routing
        self._supplier_calls = supplier_calls
        self._creation = creation
        self._payments = payments
        self._asking = Asking(system.store, system.clock)

    async def ask(
        self, merchant_id: UUID, order_id: UUID, *, request_id: str, attempt_no: str | None = None
    ) -> Standing:
        """Ask the supplier how an order stands, and act on it: money it saw is booked.

        attempt_no: of the attempt that is asked about, whatever became of it; else the live one,
        or the last. An order of which nothing was sent is `unknown`.
        """
        order = await get_order(self._store, merchant_id, order_id)
        attempts = await get_attempts(self._store, merchant_id, order_id)
        if not attempts:
            return Standing("unknown", "nothing was sent to a supplier")
        wanted = attempt_no or order.live_attempt_no
        attempt = next((a for a in attempts if a.attempt_no == wanted), attempts[-1])
        standing = await self._supplier_calls.standing(order, attempt)
        await self._act(order, attempt, standing, request_id=request_id)
        return standing

    async def take_due(self, hands: int) -> Sequence[Job]:
        """Claim attempts whose time has come, for so many hands at most, each supplier its fair
        share: one that is silent holds up no other's."""
        return await self._asking.take_due(hands, self._follow)

    async def ask_due(self, batch: int) -> int:
        """Ask about attempts until none is due, or `batch` were; how many there were."""
        asked = 0
        while asked < batch and (jobs := await self.take_due(batch - asked)):
            await asyncio.gather(*(job() for job in jobs))
            asked += len(jobs)
        return asked

    async def ask_soon(self, attempt: Attempt) -> None:
        """Have an attempt asked about at the next turn of the timetable, also one that nobody asks
        about any more: the supplier's word about money wins. Whoever keeps saying so has it asked
        no more often than once in SOONEST."""
        await self._store.execute(
            "UPDATE attempt SET ask_at = greatest($4, soon_at + $5),"
            " soon_at = greatest($4, soon_at + $5)"
            " WHERE merchant_id = $1 AND attempt_no = $2 AND order_created_at = $3"
            " AND state NOT IN ('created', 'paid')"
            " AND (ask_at > $4 OR ask_at IS NULL) AND (soon_at <= $4 OR soon_at IS NULL)",
            attempt.merchant_id,
            attempt.attempt_no,
            attempt.order_created_at,
            self._clock.now(),
            SOONEST,
        )

    async def _follow(self, attempt: Attempt) -> None:
        now = self._clock.now()
        order = await self._asking.order_of(attempt)
        request_id = f"follow-{attempt.attempt_no}"
        if attempt.state == "created":
            # Written down, then nothing: the process died before it marked the call.
            if now - attempt.created_at >= NEVER_SENT_AFTER:
                follow_up = await self._creation.reject(
                    order, attempt, "never sent", request_id=request_id, how="left"
                )
                if follow_up is not None:
                    await self._creation.send(order, follow_up, request_id=request_id)
            return
        if attempt.state == "paid":
            await self._put_off(attempt, None, attempt.said)
            return
        if (
            _is_in_doubt(order, attempt)
            and now - (attempt.sent_at or now) < SENT_AGAIN_FOR
            and await self._supplier_calls.may_send_again(attempt)
        ):
            async with self._store.transaction() as tx:
                order, attempts = await lock_order(tx, attempt.merchant_id, attempt.order_id)
            attempt = named(attempts, attempt.attempt_no)
            if attempt.state not in PAYABLE:
                return  # it was decided since it was claimed
            if _is_in_doubt(order, attempt):
                # Only a yes counts here: a no to the second call proves nothing about the first.
                reading = await self._supplier_calls.create(order, attempt)
                if isinstance(reading, Accepted):
                    await self._creation.take_answer(order, attempt, reading, request_id=request_id)
                    return
        standing = await self._supplier_calls.standing(order, attempt)
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
            case "approved":
                await self._capture(order, attempt, standing, request_id)
            case "pending" | "unknown":
                await self._put_off(attempt, self._next_look(order, attempt), standing.why)

    async def _capture(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        """The payer said yes and waits for ours: said while the order can be paid, and not after.

        Taken twice, a capture takes the money once: it is the supplier's own attempt that ends.
        """
        if order.state in ("created", "pending") and order.live_attempt_no == attempt.attempt_no:
            standing = await self._supplier_calls.standing(order, attempt, "capture")
        if standing.state == "approved":
            await self._put_off(attempt, self._next_look(order, attempt), "approved by the payer")
        else:
            await self._act(order, attempt, standing, request_id=request_id)

    async def _settle(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        if standing.paid is None:
            raise Bug("a paid standing without an amount")
        upstream_no = standing.upstream_no or attempt.upstream_no
        if upstream_no is None:
            raise Bug(f"the supplier names no number for {attempt.attempt_no}")
        settled = await self._payments.settle_payment(
            PaymentSeen(order.merchant_id, attempt.attempt_no, upstream_no, standing.paid, "asked"),
            request_id=request_id,
        )
        # Of a contradiction people were told: asking on would only say it again.
        said = CONTRADICTION if settled.meaning == CONTRADICTION else "paid"
        await self._put_off(attempt, None, said)

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
            # Else a callback outran the answer, or another attempt is the payable one.
            if moved and order.live_attempt_no == attempt.attempt_no and not order.settled:
                await moves.release_live(tx, order, attempt.attempt_no)
                await self._payments.fail(tx, order, attempt, said, at=now, request_id=request_id)
        if not moved and current.state != "created":
            await self._put_off(attempt, None, said)  # it ended before, and nothing else clears it
        await self._routing.recount(order.merchant_id, attempt.attempt_no)

    async def _not_found(
        self, order: Order, attempt: Attempt, standing: Standing, request_id: str
    ) -> None:
        """Proof only where the document says so, and only when it is said twice, a while apart."""
        now = self._clock.now()
        final = await self._may_prove_absence(attempt)
        first = attempt.not_found_at
        if final and _said_before(attempt, now):
            follow_up = await self._creation.reject(
                order, attempt, "not found at the supplier", request_id=request_id, how="absent"
            )
            if follow_up is not None:
                await self._creation.send(order, follow_up, request_id=request_id)
            return
        ask_at = now + NOT_FOUND_APART if final else self._next_look(order, attempt)
        await self._put_off(attempt, ask_at, "not found", not_found_at=first or now)

    async def _may_prove_absence(self, attempt: Attempt) -> bool:
        """Whether two "not found"s of an attempt prove that it will never be paid. One that was
        accepted is not undone by them; the supplier is asked on."""
        return attempt.state in DOUBTFUL and await self._supplier_calls.not_found_is_final(attempt)

    async def _put_off(
        self,
        attempt: Attempt,
        ask_at: datetime | None,
        said: str,
        *,
        not_found_at: datetime | None = None,
    ) -> None:
        await self._asking.put_off(attempt, ask_at, said, not_found_at=not_found_at)

    def _next_look(self, order: Order, attempt: Attempt) -> datetime | None:
        """When to ask next about an attempt that may still be paid; None: no more.

        The gap doubles up to LONGEST_GAP, and grows with the attempt's age. It ends when a
        supplier's money paid the order, and ASKED_FOR after the order's own end. One that was
        completed by hand (or whose completion was reversed) is asked about on, since its money was
        not seen yet: ASKED_BY_HAND times from then on.
        """
        now = self._clock.now()
        if order.paid_how == "completed":
            over = attempt.asked + 1 >= ASKED_BY_HAND
        else:
            over = order.settled or now > order.expires_at + ASKED_FOR
        if over:
            return None
        doubled: int = 2 ** min(attempt.asked, 10)
        longest = LONGEST_GAP
        if order.paid_how != "completed":
            longest = max(longest, (now - attempt.created_at) / _RARELY)
        return now + min(moves.FIRST_LOOK * doubled, longest)

    async def expire_due(self, batch: int) -> int:
        """End orders whose time is over; how many there were. For the timetable."""

        async def claim(count: int) -> list[asyncpg.Record]:
            now = self._clock.now()
            return await self._store.fetch(_CLAIM_ORDERS, now, now + LEASE, count)

        async def expire(row: asyncpg.Record) -> None:
            await self.end(
                row["merchant_id"],
                row["id"],
                "expire",
                actor="timetable",
                request_id=f"expire-{row['id'].hex}",
            )

        return await side_by_side(batch, claim, expire)

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
            standing = await self._supplier_calls.standing(order, live, "close")
            if standing.state in ("unknown", "not_found"):
                standing = await self._supplier_calls.standing(order, live)
            if standing.state == "paid":
                await self._settle(order, live, standing, request_id)
                order = await get_order(self._store, merchant_id, order_id)
                if order.settled:
                    return order
                # Too little or too much was paid: that waits for a person, the order ends.
            gone = _said_before(live, self._clock.now()) and await self._may_prove_absence(live)
            open_there = standing.state in ("pending", "approved", "unknown") or (
                standing.state == "not_found" and not gone
            )
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
            news: News = "order.expired" if move == "expire" else "order.closed"
            # Money may still come where the supplier did not close: then that is the news.
            due_at = now + HELD if open_there else now
            await self._payments.tell(tx, ended, news, request_id=request_id, due_at=due_at)
        if live is not None:
            await self._routing.recount(merchant_id, live.attempt_no)
        return ended

    async def backlog(self) -> dict[str, int]:
        """How many orders are not settled or ended yet, by state, for /metrics."""
        rows = await self._store.fetch(
            "SELECT state, count(*) AS n FROM orders"
            " WHERE state IN ('created', 'pending') GROUP BY state"
        )
        return {row["state"]: row["n"] for row in rows}


def _is_in_doubt(order: Order, attempt: Attempt) -> bool:
    """Whether nobody knows of an order's live attempt whether it is there. Between two "not found"s
    it is not to be sent again, or the second would prove nothing."""
    return (
        order.state == "created"
        and order.live_attempt_no == attempt.attempt_no
        and attempt.state in DOUBTFUL
        and attempt.not_found_at is None
    )


def _said_before(attempt: Attempt, now: datetime) -> bool:
    """Whether a "not found" is the second one, long enough after the first."""
    return attempt.not_found_at is not None and now - attempt.not_found_at >= NOT_FOUND_APART


# Whether an order may have to end, for the look at all queues. The order and the limit name the
# index. $1: now.
EXPIRY_DUE: Final = """
EXISTS (SELECT FROM (
    SELECT FROM orders WHERE state IN ('created', 'pending') AND end_at <= $1 AND created_at <= $1
    ORDER BY end_at LIMIT 1
) o)
"""
# $1 now, $2 the end of the lease, $3 how many.
_CLAIM_ORDERS: Final = "SELECT merchant_id, id FROM take_orders_to_end($1, $2, $3)"
