"""The books of refunds: reserved when asked for, then settled or released, which is told."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.books import BusinessDay, Event, Postings, refund_reserved, refund_settled, reversal
from core.delivery.outbox import MerchantNews, News
from core.kernel.clock import rfc3339
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import MERCHANT_NUMBER
from core.kernel.money import Money
from core.parties.merchants import App
from core.people.actors import Actor
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import (
    Attempt,
    Order,
    charge_of,
    hold_charges,
    in_turn,
    lock_order,
    move_order,
    takings_of,
    tell_url,
)
from core.trade.refunds.answers import after_release
from core.trade.refunds.decisions import (
    back_of,
    ended_as,
    named_by,
    need_refundable,
    need_same,
    room_for,
)
from core.trade.refunds.moves import insert_refund, move_refund, note_refund
from core.trade.refunds.notices import AlarmRefund
from core.trade.refunds.rows import (
    LockedRefund,
    Refund,
    counted,
    lock_refund,
    read_refund,
    refunds_of,
)

MAX_WHY_CHARS: Final = 300
_NEWS: Final[dict[str, News]] = {"succeeded": "refund.succeeded", "failed": "refund.failed"}
# Whoever reserved it and died before the supplier was asked is followed by the timetable.
BEGUN_AFTER: Final = timedelta(seconds=30)
_REFUND_NO: Final = re.compile(MERCHANT_NUMBER, re.ASCII)


# What is written in the same transaction, from the order and all its refunds, failed ones too. Its
# refusal undoes all.
Also = Callable[[Tx, Order, Sequence[Refund]], Awaitable[None]]


async def _nothing(_tx: Tx, _order: Order, _begun: Sequence[Refund]) -> None:
    """Where nothing else is written."""


class Refunds:
    """Reserves, settles and releases. Every verb may be said again with the same end.

    `settle_locked` and `release_locked` are steps of one transaction, also of `RefundDispatch`.
    """

    def __init__(self, books: TradeBooks) -> None:
        self._ids = books.ids
        self._ledger = books.ledger
        self._market = books.market
        self._outbox = books.outbox
        self._alarms = books.alarms

    async def reserve(
        self,
        caller: Actor | App,
        merchant_id: UUID,
        order_id: UUID,
        refund_no: str,
        amount: Money,
        *,
        fee_returned: bool,
        also: Also = _nothing,
    ) -> Refund:
        """Hold a refund's money in the merchant's books, so that it cannot be refunded twice.

        caller: a person who may, or the app whose order it is. also: see `Also`.
        The same refund_no with the same content is the same refund; an app's are its own. Each goes
        back at one supplier, and all that did not fail are at most what that one took of the order:
        our shortfall was paid by nobody. They are borne by what orders earned: payable may not fall
        below zero, so that position >= -(what was advanced). Whoever runs on a prepayment is
        refunded on, as what was advanced is to be earned back by orders anyway; but nobody comes to
        owe more than was ever advanced to them.
        Refusals: anonymous_admin, not_permitted, merchant_not_found, order_not_found,
        field_invalid, refund_conflict, order_state, refund_over_amount, refund_not_covered.
        """
        if not _REFUND_NO.fullmatch(refund_no):
            expected = "1 to 64 characters of A-Z a-z 0-9 _ . | -"
            raise Refusal("field_invalid", param="refund_no", expected=expected)
        merchant = (await self._market.now()).merchant(merchant_id)
        actor = named_by(caller, merchant)

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            order, attempts = await lock_order(tx, merchant_id, order_id)
            if isinstance(caller, App) and caller.id != order.app_id:
                raise Refusal("order_not_found", number=order.order_no)
            there = await tx.fetchrow(
                "SELECT * FROM refund WHERE merchant_id = $1 AND app_id = $2 AND refund_no = $3",
                merchant_id,
                order.app_id,
                refund_no,
            )
            if there is not None:
                return need_same(read_refund(there), order_id, amount, fee_returned)
            need_refundable(order, amount)
            earlier = counted(begun := await refunds_of(tx, order))
            await also(tx, order, begun)
            taking, left = room_for(await takings_of(tx, order, attempts), earlier, amount.minor)
            if taking is None:
                shown = Money(left, amount.currency)
                raise Refusal("refund_over_amount", number=order.order_no, left=shown)
            fee_back = await _fee_back(tx, order, earlier, amount) if fee_returned else 0
            day = await in_turn(tx, day, order)
            wanted = Refund(
                merchant_id=merchant_id,
                id=self._ids.uuid7(),
                order_id=order.id,
                order_no=order.order_no,
                attempt_no=taking.attempt.attempt_no,
                refund_no=refund_no,
                sent_no=self._ids.number("refund", order.mode, merchant.tag),
                amount=amount,
                fee_returned=fee_returned,
                fee_back_minor=fee_back,
                state="created",
                actor=actor,
                at=day.at,
            )
            return await self._reserve(tx, day, order, taking.attempt, wanted)

        return await self._ledger.in_open_day(
            merchant.id, work, before=lambda tx: hold_charges(tx, merchant_id)
        )

    async def _reserve(
        self, tx: Tx, day: BusinessDay, order: Order, attempt: Attempt, wanted: Refund
    ) -> Refund:
        postings = refund_reserved(wanted.amount, fee_back_minor=wanted.fee_back_minor)
        event_id = await self._book(
            tx, day, order, attempt, f"refund_reserved:{wanted.id}", "refund_reserved", postings
        )
        # Booking locks the balance, so what is read after it stands still.
        position = await self._ledger.position(
            tx, order.merchant_id, order.mode, wanted.amount.currency
        )
        if position.payable_minor < 0:
            raise Refusal("refund_not_covered")
        refund = await insert_refund(
            tx,
            self._ids,
            replace(wanted, reserve_event_id=event_id),
            app_id=order.app_id,
            ask_at=day.at + BEGUN_AFTER,
        )
        if refund is None:  # a twin of another order, which no lock of ours held up
            raise Refusal("refund_conflict", refund_no=wanted.refund_no, differs="order")
        return refund

    async def settle(self, merchant_id: UUID, refund_id: UUID, *, cost_returned: bool) -> Refund:
        """The supplier gave the money back to the payer. cost_returned: and its cost on it, to us.

        Refusals: record_not_found, refund_state (it failed, or is being sent right now).
        """

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            locked = await lock_refund(tx, merchant_id, refund_id)
            if ended_as(locked.refund, "succeeded"):
                return locked.refund
            return await self.settle_locked(tx, day, locked, cost_returned=cost_returned)

        return await self._ledger.in_open_day(merchant_id, work)

    async def settle_locked(
        self,
        tx: Tx,
        day: BusinessDay,
        locked: LockedRefund,
        *,
        cost_returned: bool,
        changes: dict[str, object] | None = None,
        move: str = "settle",
    ) -> Refund:
        """Settle a refund that is under way. changes: columns that change with it."""
        refund, order, attempt = locked.refund, locked.order, locked.attempt
        day = await in_turn(tx, day, order)
        done = [r for r in await refunds_of(tx, order) if r.state == "succeeded"]
        takings = await takings_of(tx, order, locked.attempts)
        # A supplier that turned out not to have the money has taken its cost back.
        taking = next((t for t in takings if t.attempt == attempt), None)
        cost_back = 0
        if cost_returned and taking is not None:
            others = [r for r in done if r.cost_returned and r.attempt_no == refund.attempt_no]
            given = sum(r.cost_back_minor for r in others)
            amounts = [r.amount for r in others]
            cost_back = back_of(refund.amount, amounts, taking.cost_minor, taking.seen_minor, given)
        postings = refund_settled(
            refund.amount, cost_back_minor=cost_back, supplier_no=attempt.supplier_no
        )
        key = f"refund_settled:{refund.id}"
        event_id = await self._book(tx, day, order, attempt, key, "refund_settled", postings)
        costs = {"cost_returned": cost_returned, "cost_back_minor": cost_back}
        refunded = refund.amount.minor + sum(r.amount.minor for r in done)
        moved = await move_order(
            tx,
            order,
            "refund_rest" if refunded >= sum(t.minor for t in takings) else "refund_part",
            at=day.at,
            actor=refund.actor,
            facts={"refund_no": refund.refund_no, "amount_minor": refund.amount.minor},
        )
        if moved is None:
            raise Bug(f"order {order.order_no} is {order.state} and has a refund")
        return await self._end(tx, day, refund, moved, move, event_id, costs | (changes or {}))

    async def settle_late(
        self,
        merchant_id: UUID,
        refund_id: UUID,
        *,
        cost_returned: bool,
        changes: dict[str, object],
        told: Callable[[Tx, LockedRefund], Awaitable[None]],
    ) -> Refund:
        """The supplier says that one which failed has succeeded: the payer has the money.

        It is reserved again and settled at once, whatever the merchant's position is, and even
        where another refund has taken its place: the fee that goes back is what is left of it.
        Where the order is disputed nothing counts as paid, so that nothing is booked. told: is
        called in the same transaction, with the refund as it had failed. One that did not fail
        stays as it is. Refusals: record_not_found.
        """

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            locked = await lock_refund(tx, merchant_id, refund_id)
            refund, order = locked.refund, locked.order
            if refund.state != "failed":
                return refund
            if order.disputed:
                noted = await note_refund(tx, refund, changes | {"ask_at": None})
                await told(tx, locked)
                return noted
            day = await in_turn(tx, day, order)
            fee_back = 0
            if refund.fee_returned:
                others = counted(await refunds_of(tx, order))
                fee_back = await _fee_back(tx, order, others, refund.amount)
            event_id = await self._book(
                tx,
                day,
                order,
                locked.attempt,
                f"refund_reserved:{refund.id}:late",
                "refund_reserved",
                refund_reserved(refund.amount, fee_back_minor=fee_back),
            )
            reserved = {"fee_back_minor": fee_back, "reserve_event_id": event_id}
            settled = await self.settle_locked(
                tx,
                day,
                replace(locked, refund=replace(refund, fee_back_minor=fee_back)),
                cost_returned=cost_returned,
                changes=changes | reserved | {"late": True, "why": ""},
                move="settle_late",
            )
            await told(tx, locked)  # last: an alarm is held by whatever else sounds or ends it
            return settled

        # Waits for a change of charges: there is nobody who could be told to say it again.
        return await self._ledger.in_open_day(
            merchant_id, work, before=lambda tx: hold_charges(tx, merchant_id, alone=True)
        )

    async def release(self, merchant_id: UUID, refund_id: UUID, why: str) -> Refund:
        """The refund has definitely failed: what was held for it is the merchant's again.

        For one whose end is unknown, only by somebody who learned it. Refusals: record_not_found,
        refund_state (it succeeded, or is being sent right now), reason_missing.
        """
        if not why.strip():
            raise Refusal("reason_missing", reason_for="release")

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            locked = await lock_refund(tx, merchant_id, refund_id)
            if ended_as(locked.refund, "failed"):
                return locked.refund
            return await self.release_locked(tx, day, locked, why)

        return await self._ledger.in_open_day(merchant_id, work)

    async def release_locked(
        self,
        tx: Tx,
        day: BusinessDay,
        locked: LockedRefund,
        why: str,
        *,
        changes: dict[str, object] | None = None,
    ) -> Refund:
        """Release a refund that is under way. changes: columns that change with it.

        One that the supplier had, or might have, is asked about for a while yet.
        """
        refund, order = locked.refund, locked.order
        day = await in_turn(tx, day, order)
        event_id = await self._book(
            tx,
            day,
            order,
            locked.attempt,
            f"refund_released:{refund.id}",
            "refund_released",
            reversal(refund_reserved(refund.amount, fee_back_minor=refund.fee_back_minor)),
            reverses=refund.reserve_event_id,
        )
        wait = after_release(refund)
        said: dict[str, object] = {
            "why": why.strip()[:MAX_WHY_CHARS],
            "asked": 0,
            "ask_at": None if wait is None else day.at + wait,
        }
        return await self._end(tx, day, refund, order, "release", event_id, said | (changes or {}))

    async def _end(
        self,
        tx: Tx,
        day: BusinessDay,
        refund: Refund,
        order: Order,
        move: str,
        event_id: UUID | None,
        changes: dict[str, object],
    ) -> Refund:
        ended = await move_refund(
            tx,
            self._ids,
            refund,
            move,
            at=day.at,
            facts={"why": changes["why"]} if changes.get("why") else {},
            changes={"ask_at": None, **changes, "end_event_id": event_id, "ended_at": day.at},
        )
        await self._tell(tx, ended, order)
        if move != "settle_late":  # which is what its alarm tells of
            await self._alarms.end(tx, AlarmRefund, str(refund.id))
        return ended

    async def _tell(self, tx: Tx, refund: Refund, order: Order) -> None:
        """Put the end of a refund into the outbox for the merchant's server, where it has one."""
        url = await tell_url(tx, order)
        if url is None:
            return
        await self._outbox.tell_merchant(
            tx,
            MerchantNews(
                order.merchant_id,
                order.app_id,
                order.id,
                type=_NEWS[refund.state],
                url=url,
                facts=_view(refund, order),
                request_id=f"refund-{refund.sent_no}",
            ),
        )

    async def _book(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        key: str,
        kind: str,
        postings: Postings,
        reverses: UUID | None = None,
    ) -> UUID:
        """The event's id."""
        return await self._ledger.book(
            tx,
            day,
            Event(
                key=key,
                kind=kind,
                mode=order.mode,
                postings=postings,
                order_id=order.id,
                product_code=order.agreed.product_code,
                channel_no=attempt.channel_no,
                reverses=reverses,
            ),
        )


async def _fee_back(tx: Tx, order: Order, earlier: list[Refund], amount: Money) -> int:
    """What goes back of the fee with a refund. earlier: all others that did not fail."""
    charged = await charge_of(tx, order)
    others = [r for r in earlier if r.fee_returned]
    given = sum(r.fee_back_minor for r in others)
    return back_of(amount, [r.amount for r in others], charged.fee_minor, order.amount.minor, given)


def _view(refund: Refund, order: Order) -> dict[str, Any]:
    """The refund as its merchant is told of it. Why it failed stays with the desk's people."""
    return {
        "refund_no": refund.refund_no,
        "order_no": order.order_no,
        "merchant_order_no": order.merchant_order_no,
        "status": refund.state,
        "amount": refund.amount.minor,
        "currency": refund.amount.currency,
        "fee_back": refund.fee_back_minor,
        "order_status": order.state,
        "created_at": rfc3339(refund.at),
        "ended_at": rfc3339(refund.ended_at) if refund.ended_at else None,
        "metadata": order.metadata,
        "mode": order.mode,
    }
