"""Opening an order: same or new, which channel, and what the supplier says to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from core.channels import Choice, Reason, Routing, Wish
from core.clock import Clock
from core.connectors import Accepted, CreateReading, Rejected, Unknown
from core.errors import Refusal
from core.groups import Groups
from core.ids import Ids, uuid7_time
from core.ledger import BusinessDay, Ledger
from core.merchants import App, Merchants
from core.orders import moves
from core.orders.calling import LONGEST_CALL, NEVER_SENT, Calling, in_words
from core.orders.deciding import OpenOrder, differences
from core.orders.reading import Attempt, Order, find_key, get_attempts, get_order, lock_order, named
from core.orders.settling import Settling
from core.store import Store, Tx

_LOG = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 3
# Longer than a call may take: an attempt that is asked about is not still being sent.
FIRST_QUESTION: Final = LONGEST_CALL + timedelta(seconds=2)
# An attempt that was not marked as sent for so long was left behind by its process.
NEVER_SENT_AFTER: Final = timedelta(seconds=30)
WAIT_FOR_TWIN_S: Final = 10.0
_TWIN_STEP_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Opened:
    """An order after `open`. attempt: the one that can be paid, if the supplier answered yet.

    again: the order was there already, with the same content.
    """

    order: Order
    attempt: Attempt | None
    again: bool


class Opening:
    """Takes orders down and sends them to suppliers."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        ledger: Ledger,
        merchants: Merchants,
        routing: Routing,
        groups: Groups,
        calling: Calling,
        settling: Settling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._ledger = ledger
        self._merchants = merchants
        self._routing = routing
        self._groups = groups
        self._calling = calling
        self._settling = settling

    async def open(self, app: App, wanted: OpenOrder, *, request_id: str) -> Opened:
        """Create an order, or find the one that the same call created before.

        Refusals: order_conflict, currency_not_sold, product_unknown, fee_exceeds_amount,
        credit_line_reached (live only: nothing is advanced for test orders), no_channel. After
        any of them nothing was written.
        """
        there = await find_key(self._store, app.merchant.id, app.id, wanted.merchant_order_no)
        if there is not None:
            return await self._again(app, there, wanted)
        merchant = app.merchant
        attempt_no = self._ids.number("attempt", app.mode, merchant.tag)
        choice = await self._routing.choose(
            Wish(merchant.id, app.mode, wanted.product, wanted.amount), attempt_no
        )

        async def work(tx: Tx, day: BusinessDay) -> tuple[Order, Attempt] | None:
            order = await self._decide(tx, day, app, wanted)
            if not choice.ranked:
                reasons = "; ".join(map(str, choice.reasons))
                raise Refusal("no_channel", reasons=reasons or f"{wanted.product} has no channel")
            attempt = self._attempt(order, attempt_no, choice, seq=1)
            if not await moves.insert_order(
                tx, order, actor=f"api:{app.key_id}", request_id=request_id
            ):
                return None
            await self._insert_attempt(tx, attempt, order)
            await self._groups.show_bill(tx, order.merchant_id)
            return order, attempt

        # An order belongs to the day that is open, as money does: no closed day gets another one.
        try:
            opened = await self._ledger.in_open_day(merchant.id, work)
        except BaseException:
            await self._routing.given_back(merchant.id, attempt_no)
            raise
        if opened is None:
            await self._routing.given_back(merchant.id, attempt_no)
            twin = await find_key(self._store, merchant.id, app.id, wanted.merchant_order_no)
            if twin is None:
                raise Refusal("order_in_progress")
            return await self._again(app, twin, wanted)
        self._routing.kept(attempt_no)
        order, attempt = opened
        _LOG.info(
            "order opened",
            order_no=order.order_no,
            merchant_no=merchant.merchant_no,
            amount_minor=order.amount.minor,
            channel_no=choice.ranked[0].channel_no,
        )
        await self.send(order, attempt, request_id=request_id)
        return await self._opened(order.merchant_id, order.id, again=False)

    async def send(self, order: Order, attempt: Attempt, *, request_id: str) -> None:
        """Send an attempt to its supplier and act on the answer; on a definite refusal go on to
        the next channel, at most MAX_ATTEMPTS in all."""
        current: Attempt | None = attempt
        failed: list[tuple[Attempt, Rejected | Unknown]] = []
        try:
            for _ in range(MAX_ATTEMPTS):
                if current is None or not await self._mark_sent(current):
                    return
                reading = await self._calling.create(order, current)
                if not isinstance(reading, Accepted):
                    failed.append((current, reading))
                current = await self.take_answer(order, current, reading, request_id=request_id)
        finally:
            # Whether a channel pauses is not what this payer waits for.
            for tried, reading in failed:
                await self._routing.failed(
                    tried.channel_id,
                    tried.channel_day,
                    tried.attempt_no,
                    in_words(reading),
                    refused=_answered(reading),
                )

    async def take_answer(
        self, order: Order, attempt: Attempt, reading: CreateReading, *, request_id: str
    ) -> Attempt | None:
        """Write what a supplier said to a create. Returns the next attempt to send, if any."""
        _LOG.info(
            "supplier said",
            order_no=order.order_no,
            attempt_no=attempt.attempt_no,
            said=in_words(reading),
        )
        match reading:
            case Accepted():
                await self._accept(order, attempt, reading, request_id)
                await self._routing.accepted(attempt.channel_id, attempt.attempt_no)
            case Unknown(why):
                await self._lose(order, attempt, why, request_id)
            case Rejected():
                return await self.reject(
                    order,
                    attempt,
                    in_words(reading),
                    request_id=request_id,
                    answered=_answered(reading),
                )
        return None

    async def _accept(
        self, order: Order, attempt: Attempt, reading: Accepted, request_id: str
    ) -> None:
        now = self._clock.now()
        facts = {"upstream_no": reading.upstream_no, "request_id": request_id}
        async with self._store.transaction() as tx:
            order, attempts = await lock_order(tx, order.merchant_id, order.id)
            attempt = named(attempts, attempt.attempt_no)
            pay: dict[str, object] = {
                "upstream_no": attempt.upstream_no or reading.upstream_no,
                "pay_kind": reading.pay.kind,
                "pay_value": reading.pay.value,
                "answered_at": now,
                "ask_at": now + moves.FIRST_LOOK,
                "said": "",
            }
            accepted = await moves.move_attempt(
                tx, self._ids, attempt, "accept", at=now, facts=facts, changes=pay
            )
            if not accepted or order.state != "created":
                return  # a callback outran the answer: the order is where it belongs already
            await moves.move_order(
                tx, order, "accept", at=now, actor=f"supplier:{attempt.supplier_no}", facts=facts
            )
            await self._groups.show_order(tx, order.merchant_id, order.id)

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
        self,
        order: Order,
        attempt: Attempt,
        said: str,
        *,
        request_id: str,
        move: Literal["reject", "drop"] = "reject",
        answered: bool = False,
    ) -> Attempt | None:
        """The attempt is definitely refused: prepare the next channel's, or fail the order.

        move: drop for one that was never sent; one that is being sent by now is left alone.
        answered: by the supplier's own word.
        """
        app = await self._merchants.app_by_id(order.app_id)
        attempt_no = self._ids.number("attempt", order.mode, app.merchant.tag)
        choice = await self._next_choice(order, attempt_no)
        following: Attempt | None = None
        try:
            following = await self._reject(
                order,
                attempt,
                said,
                attempt_no,
                choice,
                request_id=request_id,
                move=move,
                answered=answered,
            )
        finally:
            if following is None:
                await self._routing.given_back(order.merchant_id, attempt_no)
            else:
                self._routing.kept(attempt_no)
        await self._routing.recount(order.merchant_id, attempt.attempt_no)
        return following

    async def _next_choice(self, order: Order, attempt_no: str) -> Choice:
        attempts = await get_attempts(self._store, order.merchant_id, order.id)
        if len(attempts) >= MAX_ATTEMPTS:
            return Choice((), ())
        wish = Wish(order.merchant_id, order.mode, order.product_code, order.amount)
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
        move: str,
        answered: bool,
    ) -> Attempt | None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            order, attempts = await lock_order(tx, order.merchant_id, order.id)
            current = named(attempts, attempt.attempt_no)
            rejected = await moves.move_attempt(
                tx,
                self._ids,
                current,
                move,
                at=now,
                facts={"said": said, "request_id": request_id},
                changes={
                    "said": said[:300],
                    "answered_at": now if answered else None,
                    "ask_at": None,
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
                following = self._attempt(
                    order, attempt_no, choice, len(attempts) + 1, refused=refused
                )
                await self._insert_attempt(tx, following, order)
                return following
            await self._settling.fail(tx, order, attempt, said, at=now, request_id=request_id)
            return None

    async def _again(self, app: App, order_id: UUID, wanted: OpenOrder) -> Opened:
        opened = await self._opened(app.merchant.id, order_id, again=True)
        differing = differences(opened.order, wanted)
        if differing:
            raise Refusal(
                "order_conflict",
                param=differing[0],
                merchant_order_no=wanted.merchant_order_no,
                differs=", ".join(differing),
            )
        # The first call may still be talking to the supplier: its answer is this one's as well.
        waited_s = 0.0
        while opened.order.state == "created" and waited_s < WAIT_FOR_TWIN_S:
            if opened.attempt is not None and opened.attempt.state == "unknown":
                break
            await asyncio.sleep(_TWIN_STEP_S)
            waited_s += _TWIN_STEP_S
            opened = await self._opened(app.merchant.id, order_id, again=True)
        return opened

    async def _opened(self, merchant_id: UUID, order_id: UUID, *, again: bool) -> Opened:
        order = await get_order(self._store, merchant_id, order_id)
        attempts = await get_attempts(self._store, merchant_id, order_id)
        live = next((a for a in attempts if a.attempt_no == order.live_attempt_no), None)
        return Opened(order, live, again)

    async def _decide(self, tx: Tx, day: BusinessDay, app: App, wanted: OpenOrder) -> Order:
        """The order as it is to be written, with the rate of its day and tier."""
        merchant, amount = app.merchant, wanted.amount
        if amount.currency != merchant.currency:
            raise Refusal("currency_not_sold", param="currency", currency=merchant.currency)
        offers = await self._merchants.offers(merchant, day.day, queries=tx)
        offer = offers.get(wanted.product)
        if offer is None:
            raise Refusal("product_unknown", param="product", product=wanted.product)
        volume_minor = 0
        if offer.tariff.tiers_by == "volume":
            volume_minor = await self._ledger.volume(
                tx, merchant.id, app.mode, amount.currency, wanted.product, day.day
            )
        rate = offer.tariff.rate_for(amount.minor, volume_minor)
        fee_minor = rate.of(amount.minor)
        if fee_minor > amount.minor:
            raise Refusal("fee_exceeds_amount", param="amount")
        if app.mode == "live" and merchant.credit_line_minor is not None:
            position = await self._ledger.position(tx, merchant.id, app.mode, merchant.currency)
            if position.minor > merchant.credit_line_minor:
                raise Refusal("credit_line_reached")
        order_id = self._ids.uuid7(day.at)
        created_at = uuid7_time(order_id)
        return Order(
            merchant_id=app.merchant.id,
            id=order_id,
            created_at=created_at,
            order_no=self._ids.number("order", app.mode, app.merchant.tag),
            app_id=app.id,
            mode=app.mode,
            merchant_order_no=wanted.merchant_order_no,
            product_code=wanted.product,
            amount=wanted.amount,
            subject=wanted.subject,
            notify_url=wanted.notify_url,
            return_url=wanted.return_url,
            client_ip=wanted.client_ip,
            payer_id=wanted.payer_id,
            metadata=dict(wanted.metadata),
            state="created",
            version=1,
            live_attempt_no=None,
            rate=rate,
            tariff_id=offer.tariff_id,
            fee_minor=fee_minor,
            cost_minor=None,
            paid_attempt_no=None,
            paid_how=None,
            paid_late=False,
            supplier_open=False,
            disputed=False,
            created_day=day.day,
            expires_at=created_at + timedelta(seconds=wanted.expires_in_s),
            paid_at=None,
            paid_day=None,
        )

    def _attempt(
        self,
        order: Order,
        attempt_no: str,
        choice: Choice,
        seq: int,
        refused: Sequence[Reason] = (),
    ) -> Attempt:
        """On the first channel of the choice. refused: why not on those that were tried."""
        channel = choice.ranked[0]
        return moves.new_attempt(
            order=order,
            attempt_no=attempt_no,
            seq=seq,
            at=self._clock.now(),
            supplier_id=channel.supplier_id,
            supplier_no=channel.supplier_no,
            channel_id=channel.id,
            channel_no=channel.channel_no,
            channel_day=channel.today,
            document_id=channel.document_id,
            supplier_code=channel.supplier_code,
            cost=channel.cost,
            reasons=(*refused, *choice.reasons),
        )

    async def _insert_attempt(self, tx: Tx, attempt: Attempt, order: Order) -> None:
        ask_at = attempt.created_at + NEVER_SENT_AFTER
        await moves.insert_attempt(tx, self._ids, attempt, order, ask_at=ask_at)

    async def _mark_sent(self, attempt: Attempt) -> bool:
        """Committed before the call, so that a crash in between is known to be a doubt."""
        now = self._clock.now()
        changes: dict[str, Any] = {"sent_at": now, "ask_at": now + FIRST_QUESTION}
        async with self._store.transaction() as tx:
            return await moves.move_attempt(
                tx, self._ids, attempt, "send", at=now, facts={}, changes=changes
            )


def _answered(reading: Rejected | Unknown) -> bool:
    """Whether the supplier itself said no."""
    return isinstance(reading, Rejected) and reading.code != NEVER_SENT
