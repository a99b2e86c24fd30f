"""Creating an order: same or new, which channel, and what the supplier says to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from core.books import BusinessDay
from core.connectors import Accepted, CreateReading, Rejected, Unknown
from core.kernel.errors import Refusal
from core.parties.merchants import App
from core.supply.channels import Choice, Reason, Routing, Wish
from core.system.district import System
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import moves
from core.trade.orders.acceptances import Acceptance, Acceptances
from core.trade.orders.decisions import OpenOrder, came_to_nothing, differences
from core.trade.orders.drafts import Draft, new_attempt
from core.trade.orders.openings import FIRST_QUESTION, LONGEST_WAIT, Openings
from core.trade.orders.payments import Payments
from core.trade.orders.placements import KeyTurn
from core.trade.orders.rows import (
    Attempt,
    Key,
    Order,
    find_key,
    get_attempts,
    get_order,
    lock_order,
    named,
    states_of,
)
from core.trade.orders.supplier_calls import NEVER_SENT, SupplierCalls, in_words
from core.trade.orders.twins import Twins

_LOG = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 3
# An attempt that was not marked as sent for so long was left behind by its process.
NEVER_SENT_AFTER: Final = timedelta(seconds=30)
# So old, it is sent by whoever asks for it again: its own call would have sent it long ago.
LEFT_AFTER: Final = timedelta(seconds=2)
# The merchant hears of the end of an order of which nothing was sent only when it did not use the
# number again within this time.
UNSENT_TOLD_AFTER: Final = timedelta(minutes=5)
WAIT_FOR_TWIN_S: Final = 10.0
# News of this process wakes a twin at once; other processes' are looked for ever more rarely.
_LOOK_S: Final = 0.25
_LOOKS_GROW: Final = 1.5
_LONGEST_LOOK_S: Final = 2.0

# How an attempt was rejected. refused: by the supplier's own word. absent: it said twice that it
# does not know it. unsent: the call never left. left: nobody marked it as being sent.
How = Literal["refused", "absent", "unsent", "left"]


@dataclass(frozen=True, slots=True)
class Opened:
    """An order after `open`. attempt: the one that can be paid, if the supplier answered yet.

    again: the order was there already, with the same content. nothing_sent: it failed, and no
    supplier ever heard of it, so that its number may be used again.
    """

    order: Order
    attempt: Attempt | None
    again: bool
    nothing_sent: bool = False


class Creation:
    """Takes orders down and sends them to suppliers."""

    def __init__(
        self,
        system: System,
        books: TradeBooks,
        routing: Routing,
        openings: Openings,
        supplier_calls: SupplierCalls,
        payments: Payments,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._market = books.market
        self._ledger = books.ledger
        self._routing = routing
        self._supplier_calls = supplier_calls
        self._payments = payments
        self._openings = openings
        self._acceptances = Acceptances(system.store, system.ids)
        self._twins = Twins(system.store.elsewhere)

    async def open(self, app: App, wanted: OpenOrder, *, request_id: str) -> Opened:
        """Create an order, or find the one that the same call created before. A number whose
        order came to nothing is free for another one.

        Refusals: order_conflict, merchant_suspended (since the call began), currency_not_sold,
        product_unknown, fee_exceeds_amount, credit_line_reached (live only: nothing is advanced
        for test orders), no_channel, no_room (later one will take it). After any of them nothing
        was written. Raises TimeoutError where a later call may do better, as `Openings.open` does.
        """
        opened = await self._open(app, wanted, KeyTurn(), request_id=request_id)
        if opened.again and opened.nothing_sent:
            there = await self._key(app, wanted)
            key_turn = KeyTurn(opened.order, there.turn + 1 if there else 1)
            opened = await self._open(app, wanted, key_turn, request_id=request_id)
        if opened.again:
            _need_same(opened.order, wanted)
        return await self._outcome(opened, request_id=request_id)

    async def _open(
        self, app: App, wanted: OpenOrder, key_turn: KeyTurn, *, request_id: str
    ) -> Opened:
        """A new order, or the one that has the number: that one also where a new one is refused,
        for whatever is so now does not matter to it."""
        try:
            draft = await self._openings.open(app, wanted, key_turn, request_id=request_id)
        except Refusal:
            if key_turn.former is not None or await self._key(app, wanted) is None:
                raise
            draft = None
        if draft is not None:
            return await self._first_sent(draft, app, request_id=request_id)
        there = await self._key(app, wanted)
        if there is None:
            raise Refusal("order_in_progress")
        return await self._opened(app.merchant.id, there.order_id, again=True)

    async def _key(self, app: App, wanted: OpenOrder) -> Key | None:
        return await find_key(self._store, app.merchant.id, app.id, wanted.merchant_order_no)

    async def _first_sent(self, draft: Draft, app: App, *, request_id: str) -> Opened:
        """A new order after its first attempt was sent, where that is for us to do."""
        order, attempt = draft.order, draft.attempt
        _LOG.info(
            "order opened",
            order_no=order.order_no,
            merchant_no=app.merchant.merchant_no,
            amount_minor=order.amount.minor,
            channel_no=attempt.channel_no,
        )
        if attempt.state == "accepted":
            await self._routing.accepted(attempt.channel_id, attempt.attempt_no)
            opened: Opened | None = Opened(order, attempt, again=False)
        else:
            opened = await self.send(order, attempt, request_id=request_id)
        return opened or await self._opened(order.merchant_id, order.id, again=False)

    async def send(self, order: Order, attempt: Attempt, *, request_id: str) -> Opened | None:
        """Send an attempt to its supplier and act on the answer; on a definite refusal go on to
        the next channel, at most MAX_ATTEMPTS in all. attempt: created; or sent by whoever has
        just written it so. Returns the order as it was written where a supplier accepted it."""
        current: Attempt | None = attempt
        failed: list[tuple[Attempt, Rejected | Unknown]] = []
        try:
            for _ in range(MAX_ATTEMPTS):
                if current is None or not (current := await self._mark_sent(current)):
                    return None
                reading = await self._called(order, current)
                if isinstance(reading, Accepted):
                    return await self._take_acceptance(order, current, reading, request_id)
                failed.append((current, reading))
                current = await self.take_answer(order, current, reading, request_id=request_id)
            return None
        finally:
            self._twins.tell(order.id)
            # Whether a channel pauses is not what this payer waits for.
            for tried, reading in failed:
                await self._routing.failed(
                    tried.channel_id,
                    tried.channel_day,
                    tried.attempt_no,
                    in_words(reading),
                    refused=_answered(reading),
                )

    async def _called(self, order: Order, attempt: Attempt) -> CreateReading:
        """What comes of an attempt that is marked as sent. One that waited so long that somebody
        may ask about it is not sent any more."""
        if attempt.sent_at is None or self._clock.now() > attempt.sent_at + LONGEST_WAIT:
            return Rejected(NEVER_SENT, "it was held up before it was sent")
        return await self._supplier_calls.create(order, attempt)

    async def take_answer(
        self, order: Order, attempt: Attempt, reading: CreateReading, *, request_id: str
    ) -> Attempt | None:
        """Write what a supplier said to a create. Returns the next attempt to send, if any."""
        if isinstance(reading, Accepted):
            await self._take_acceptance(order, attempt, reading, request_id)
            return None
        _log_answer(order, attempt, reading)
        if isinstance(reading, Unknown):
            await self._lose(order, attempt, reading.why, request_id)
            return None
        return await self.reject(
            order,
            attempt,
            in_words(reading),
            request_id=request_id,
            how="refused" if _answered(reading) else "unsent",
        )

    async def _take_acceptance(
        self, order: Order, attempt: Attempt, reading: Accepted, request_id: str
    ) -> Opened | None:
        """None: something outran the answer, such as a callback; the order is where it belongs."""
        _log_answer(order, attempt, reading)
        now = self._clock.now()
        accepted = Acceptance(reading.upstream_no, reading.pay, now, request_id)
        written = await self._acceptances.write(order, attempt, accepted)
        await self._routing.accepted(attempt.channel_id, attempt.attempt_no)
        if written is None:
            return None
        return Opened(*written, again=False)

    async def _lose(self, order: Order, attempt: Attempt, why: str, request_id: str) -> None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            _, attempts = await lock_order(tx, order.merchant_id, order.id)
            attempt = named(attempts, attempt.attempt_no)
            await moves.move_attempt(
                tx,
                self._ids,
                attempt,
                "lose",
                at=now,
                facts={"why": why[:300], "request_id": request_id},
                changes={"said": why[:300], "ask_at": now + timedelta(seconds=2)},
            )

    async def reject(
        self, order: Order, attempt: Attempt, said: str, *, request_id: str, how: How
    ) -> Attempt | None:
        """The attempt is definitely refused: prepare the next channel's, or fail the order. One
        that seemed left behind, but is being sent by now, is left alone, and so is one that
        somebody else asks about by now.
        """
        app = (await self._market.now()).app(order.app_id)
        attempt_no = self._ids.number("attempt", order.mode, app.merchant.tag, at=order.created_at)
        choice = await self._next_choice(order, attempt_no)
        follow_up: Attempt | None = None
        try:
            follow_up = await self._reject(
                order, attempt, said, attempt_no, choice, request_id=request_id, how=how
            )
        finally:
            if follow_up is None:
                await self._routing.given_back(order.merchant_id, attempt_no)
            else:
                self._routing.kept(attempt_no)
        await self._routing.recount(order.merchant_id, attempt.attempt_no)
        return follow_up

    async def _next_choice(self, order: Order, attempt_no: str) -> Choice:
        attempts = await get_attempts(self._store, order.merchant_id, order.id)
        if len(attempts) >= MAX_ATTEMPTS:
            return Choice((), ())
        product_code, channel_id = order.agreed.product_code, order.only_channel_id
        wish = Wish(order.merchant_id, order.mode, product_code, order.amount, channel_id)
        return await self._routing.choose(
            wish, attempt_no, tried={attempt.channel_id for attempt in attempts}
        )

    async def _reject(
        self,
        order: Order,
        attempt: Attempt,
        said: str,
        attempt_no: str,
        choice: Choice,
        *,
        request_id: str,
        how: How,
    ) -> Attempt | None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            order, attempts = await lock_order(tx, order.merchant_id, order.id)
            current = named(attempts, attempt.attempt_no)
            if how in ("refused", "unsent") and _is_taken_over(current):
                return None
            rejected = await moves.move_attempt(
                tx,
                self._ids,
                current,
                "drop" if how == "left" else "reject",
                at=now,
                facts={"said": said, "request_id": request_id},
                changes={
                    "said": said[:300],
                    "answered_at": now if how == "refused" else None,
                    "ask_at": None,
                    "unsent": how in ("unsent", "left"),
                },
            )
            if not rejected or order.state != "created":
                return None
            await moves.release_live(tx, order, attempt.attempt_no)
            tried = {a.channel_id for a in attempts}
            if choice.ranked and choice.ranked[0].id not in tried and len(attempts) < MAX_ATTEMPTS:
                refused = [
                    Reason(a.channel_no, "refused", {"said": a.said or said}) for a in attempts
                ]
                follow_up = self._attempt(
                    order, attempt_no, choice, len(attempts) + 1, refused=refused
                )
                await self._insert_attempt(tx, follow_up, order)
                return follow_up
            unsent = how in ("unsent", "left") and all(
                a.unsent for a in attempts if a.attempt_no != attempt.attempt_no
            )
            await self._payments.fail(
                tx,
                order,
                attempt,
                said,
                at=now,
                request_id=request_id,
                told_at=now + UNSENT_TOLD_AFTER if unsent else None,
            )
            return None

    async def _outcome(self, opened: Opened, *, request_id: str) -> Opened:
        """What becomes of an order that another call may be sending: its answer is this one's as
        well. Who left an order behind unsent has it sent by this call."""
        loop = asyncio.get_running_loop()
        until, look_s = loop.time() + WAIT_FOR_TWIN_S, _LOOK_S
        while _under_way(opened) and (left_s := until - loop.time()) > 0:
            order, attempt = opened.order, opened.attempt
            if attempt is not None and self._is_left(order, attempt):
                await self.send(order, attempt, request_id=request_id)
            elif not await self._twins.wait(order.id, min(look_s, left_s)):
                look_s = min(look_s * _LOOKS_GROW, _LONGEST_LOOK_S)
                if await states_of(self._store, order) == (
                    order.state,
                    attempt.state if attempt else None,
                ):
                    continue
            opened = await self._opened(order.merchant_id, order.id, again=opened.again)
        return opened

    def _is_left(self, order: Order, attempt: Attempt) -> bool:
        since, now = attempt.created_at, self._clock.now()
        return attempt.state == "created" and since + LEFT_AFTER <= now < order.expires_at

    async def _opened(self, merchant_id: UUID, order_id: UUID, *, again: bool) -> Opened:
        order = await get_order(self._store, merchant_id, order_id)
        attempts = await get_attempts(self._store, merchant_id, order_id)
        live = next((a for a in attempts if a.attempt_no == order.live_attempt_no), None)
        return Opened(order, live, again, came_to_nothing(order, attempts))

    def _attempt(
        self,
        order: Order,
        attempt_no: str,
        choice: Choice,
        seq: int,
        refused: Sequence[Reason] = (),
    ) -> Attempt:
        """On the first channel of the choice. refused: why not on those that were tried."""
        return new_attempt(
            order,
            choice.ranked[0],
            attempt_no,
            seq=seq,
            at=self._clock.now(),
            reasons=(*refused, *choice.reasons),
        )

    async def _insert_attempt(self, tx: Tx, attempt: Attempt, order: Order) -> None:
        ask_at = attempt.created_at + NEVER_SENT_AFTER
        await moves.insert_attempt(tx, self._ids, attempt, order, ask_at=ask_at)

    async def _mark_sent(self, attempt: Attempt) -> Attempt | None:
        """Committed before the call, so that a crash in between is known to be a doubt. In the
        merchant's open day: what is sent later is not before what is rolled up."""
        if attempt.state == "sent":
            return attempt

        async def work(tx: Tx, day: BusinessDay) -> Attempt | None:
            sent_at = max(day.at, attempt.created_at)
            changes: dict[str, Any] = {"sent_at": sent_at, "ask_at": sent_at + FIRST_QUESTION}
            marked = await moves.move_attempt(
                tx, self._ids, attempt, "send", at=sent_at, facts={}, changes=changes
            )
            return replace(attempt, state="sent", **changes) if marked else None

        return await self._ledger.in_open_day(attempt.merchant_id, work)


def _need_same(order: Order, wanted: OpenOrder) -> None:
    """A repeated create asks for what is there. Refusals: order_conflict."""
    differing = differences(order, wanted)
    if differing:
        raise Refusal(
            "order_conflict",
            param=differing[0],
            merchant_order_no=wanted.merchant_order_no,
            differs=", ".join(differing),
        )


def _log_answer(order: Order, attempt: Attempt, reading: CreateReading) -> None:
    _LOG.info(
        "supplier said",
        order_no=order.order_no,
        attempt_no=attempt.attempt_no,
        said=in_words(reading),
    )


def _answered(reading: Rejected | Unknown) -> bool:
    """Whether the supplier itself said no."""
    return isinstance(reading, Rejected) and reading.code != NEVER_SENT


def _is_taken_over(attempt: Attempt) -> bool:
    """Whether somebody else asks about an attempt, since the call that sent it was held up for so
    long. It may have been sent again by then, and a no to one call proves nothing of the other."""
    return attempt.sent_at is not None and attempt.ask_at != attempt.sent_at + FIRST_QUESTION


def _under_way(opened: Opened) -> bool:
    """Whether some call may be talking to a supplier about it."""
    doubtful = opened.attempt is not None and opened.attempt.state == "unknown"
    return opened.order.state == "created" and not doubtful
