"""Money in suspense as people see and resolve it: asked, answered, booked once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.books import BusinessDay, Event
from core.delivery.audit import Audit
from core.delivery.outbox import Notice, Say
from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked
from core.people.ops import Deed, tell_ops
from core.system.store import Queries, Store, Tx
from core.trade.booking_tools import TradeBooks
from core.trade.discrepancies.decisions import (
    ResolveQuestion,
    fee_of,
    need_left,
    need_reason,
    postings_of,
    question_of,
    seen_by,
)
from core.trade.discrepancies.notices import DiscrepancyNotice, Resolved, ResolveQuestionNotice
from core.trade.discrepancies.rows import (
    HOWS,
    Discrepancy,
    How,
    Page,
    Resolution,
    find_one,
    find_open,
    find_resolved,
)
from core.trade.orders import (
    ByHand,
    Order,
    OrdersByHand,
    charge_of,
    get_order,
    hold_charges,
    in_turn,
    lock_order,
    named,
)

_KINDS: Final = {"refund_payer": "payer_refunded", "credit_merchant": "credited"}


class Discrepancies:
    """The list of them, and their resolution: each cent once.

    More than seven verbs: what a person asks, is asked and answers, button by button.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        books: TradeBooks,
        audit: Audit,
        approvals: Approvals,
        by_hand: OrdersByHand,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = books.ids
        self._ledger = books.ledger
        self._market = books.market
        self._groups = books.groups
        self._outbox = books.outbox
        self._audit = audit
        self._approvals = approvals
        self._by_hand = by_hand

    async def open_ones(
        self, merchant_ids: Sequence[UUID] | None, page: int = 1, *, mode: str = "live"
    ) -> Page:
        """What is still in suspense. merchant_ids: whose; None for everybody's."""
        return await find_open(self._store, merchant_ids, mode, page)

    async def history(
        self,
        merchant_ids: Sequence[UUID] | None,
        days: int,
        *,
        mode: str = "live",
        limit: int = 100,
    ) -> list[Resolution]:
        """What was resolved in the last days, the newest first. merchant_ids: as in
        `open_ones`."""
        since = self._clock.now() - timedelta(days=days)
        return await find_resolved(self._store, merchant_ids, mode, since, limit)

    async def get(
        self, merchant_ids: Sequence[UUID] | None, discrepancy_id: UUID
    ) -> tuple[Discrepancy, list[Resolution]]:
        """One discrepancy among those of these merchants, and what became of it so far.

        Refusals: record_not_found.
        """
        return await find_one(self._store, merchant_ids, discrepancy_id)

    async def resolve(
        self,
        actor: Actor,
        merchant_id: UUID,
        discrepancy_id: UUID,
        how: str,
        reason: str,
        *,
        left_minor: int,
        request_id: str,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> Order:
        """Decide what becomes of all that is left of a discrepancy. Returns its order.

        how: refund_payer, credit_merchant (less the percentage that the order is charged now), or
        complete: the order is paid with it, and what is too much of it stays open. left_minor:
        what the person saw. also: written in the same transaction, after the locks are held.
        Refusals: anonymous_admin, not_permitted, field_invalid, reason_missing, record_not_found,
        already_resolved, discrepancy_changed, order_state, charges_changing.
        """
        actor.need("resolve")
        way = next((way for way in HOWS if way == how), None)
        if way is None:
            raise Refusal("field_invalid", param="how", expected=", ".join(HOWS))
        reason = need_reason(reason)
        seen, _ = await self.get(actor.merchant_ids, discrepancy_id)
        if seen.merchant_id != merchant_id:
            raise Refusal("record_not_found")
        need_left(seen.left_minor, left_minor, seen)
        if how not in seen.ways:
            order = await get_order(self._store, merchant_id, seen.order_id)
            raise Refusal("order_state", number=order.order_no, status=order.state)
        merchant = (await self._market.now()).merchant(merchant_id)
        by = ByHand(reason, actor.user_id, actor.name, actor.chat_id, discrepancy_id=discrepancy_id)

        async def check(tx: Tx) -> None:
            """The order is locked by now: nobody else resolves anything of it."""
            left = await tx.fetchval(
                "SELECT left_minor FROM discrepancy WHERE merchant_id = $1 AND id = $2 FOR UPDATE",
                merchant_id,
                discrepancy_id,
            )
            need_left(left, left_minor, seen)
            if also is not None:
                await also(tx)
            await self._tell_of(tx, actor, merchant, seen, way, by.reason)

        if how == "complete":
            return await self._by_hand.complete(
                merchant_id, seen.order_id, None, by, request_id=request_id, also=check
            )

        async def work(tx: Tx, day: BusinessDay) -> Order:
            order, attempts = await lock_order(tx, merchant_id, seen.order_id)
            await check(tx)
            channel_no = named(attempts, seen.attempt_no).channel_no
            day = await in_turn(tx, day, order)
            await self._book(tx, day, order, seen, how, by, channel_no)
            return order

        async def before(tx: Tx) -> None:
            if how == "credit_merchant":
                await hold_charges(tx, merchant_id)

        return await self._ledger.in_open_day(merchant.id, work, before=before)

    async def _tell_of(
        self, tx: Tx, actor: Actor, merchant: Merchant, seen: Discrepancy, how: How, reason: str
    ) -> None:
        """The trail keeps a decision, and ops hears of it."""
        await self._audit.record(
            tx,
            "resolve",
            actor=actor.trail_name,
            facts={
                "discrepancy_id": str(seen.id),
                "order_no": seen.order_no,
                "how": how,
                "left_minor": seen.left_minor,
                "currency": seen.currency,
                "reason": reason,
            },
            merchant_id=merchant.id,
            chat_id=actor.chat_id,
        )
        if seen.mode == "live":
            deed = Deed(
                how, merchant.merchant_no, merchant.name, seen.moved_by(how), seen.order_no, reason
            )
            await tell_ops(tx, self._groups, actor, deed)

    async def _book(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        seen: Discrepancy,
        how: str,
        by: ByHand,
        channel_no: str,
    ) -> None:
        """All that is left leaves suspense. The row and its order are locked."""
        emptied = await tx.execute(
            "UPDATE discrepancy SET left_minor = 0"
            " WHERE merchant_id = $1 AND id = $2 AND left_minor = $3",
            seen.merchant_id,
            seen.id,
            seen.left_minor,
        )
        if not emptied:
            raise Bug(f"the discrepancy {seen.id} was resolved while it was locked")
        fee = await _fee_of(tx, order, seen.left_minor) if how == "credit_merchant" else None
        nth = 1 + await tx.fetchval(
            "SELECT count(*) FROM resolution WHERE merchant_id = $1 AND discrepancy_id = $2",
            seen.merchant_id,
            seen.id,
        )
        event_id = await self._ledger.book(
            tx,
            day,
            Event(
                key=f"resolved:{seen.id}:{nth}",
                kind=_KINDS[how],
                mode=order.mode,
                postings=postings_of(seen, fee),
                order_id=order.id,
                product_code=order.agreed.product_code,
                channel_no=channel_no,
            ),
        )
        await tx.execute(
            "INSERT INTO resolution (merchant_id, id, discrepancy_id, how, minor, reason,"
            " actor_user_id, actor_name, event_id, day, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            seen.merchant_id,
            self._ids.uuid7(),
            seen.id,
            how,
            seen.left_minor,
            by.reason,
            by.user_id,
            by.name,
            event_id,
            day.day,
            day.at,
        )

    async def ask(self, actor: Actor, discrepancy_id: UUID, how: str, *, message_id: int) -> None:
        """A button of a discrepancy's card: its message becomes the question why, which the same
        person answers by a reply.

        Refusals: anonymous_admin, not_permitted, record_not_found, already_resolved, order_state.
        """
        actor.need("resolve")
        seen, _ = await self.get(actor.merchant_ids, discrepancy_id)
        if seen.left_minor == 0:
            raise Refusal("already_resolved", number=seen.order_no)
        order = await get_order(self._store, seen.merchant_id, seen.order_id)
        way = next((way for way in seen.ways if way == how), None)
        if way is None:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        credited = way == "credit_merchant"
        fee_minor = await _fee_of(self._store, order, seen.left_minor) if credited else 0
        question = question_of(actor, seen, way, fee_minor)
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(
                tx, actor, question, merchant_id=seen.merchant_id, message_id=message_id
            )
            await self._put(tx, actor, asked, message_id)

    async def asked_why(self, actor_id: int, chat_id: int, message_id: int) -> UUID | None:
        """The question that a person's reply to a message answers; None where it asks nothing."""
        return await self._approvals.find_replied(ResolveQuestion, actor_id, chat_id, message_id)

    async def give_reason(
        self, actor: Actor, approval_id: UUID, reason: str, *, message_id: int
    ) -> None:
        """The reply of the person who was asked: the question becomes whether to do it. Another
        reply takes its place. message_id: of the question.

        Refusals: anonymous_admin, not_permitted, reason_missing, confirmation_expired,
        confirmation_foreign.
        """
        actor.need("resolve")
        reason = need_reason(reason)
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id)
        question = replace(asked.question, reason=reason)
        async with self._store.transaction() as tx:
            await self._put(tx, actor, await self._approvals.amend(tx, asked, question), message_id)

    async def _put(
        self, tx: Tx, actor: Actor, asked: Asked[ResolveQuestion], message_id: int
    ) -> None:
        notice = ResolveQuestionNotice(asked.id, asked.question)
        await self._replace(tx, actor, asked.question.merchant_id, notice, message_id)

    async def _replace(
        self, tx: Tx, actor: Actor, merchant_id: UUID, notice: Notice, message_id: int
    ) -> None:
        said = Say(notice, edit_message_id=message_id)
        await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)

    async def confirm(
        self, actor: Actor, approval_id: UUID, *, message_id: int, request_id: str
    ) -> None:
        """The person who pressed the button says yes; the message tells what became of it.

        Refusals: those of `resolve`, confirmation_expired, confirmation_foreign.
        """
        actor.need("resolve")
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id)
        question = asked.question
        if asked.state == "used":
            raise Refusal("already_resolved", number=question.order_no)

        async def close(tx: Tx) -> None:
            if question.how == "credit_merchant":
                # What they saw: the order may have been charged anew since.
                found, _ = await find_one(tx, actor.merchant_ids, question.discrepancy_id)
                order = await get_order(tx, found.merchant_id, found.order_id)
                fee_minor = await _fee_of(tx, order, question.left_minor)
                if fee_minor != question.fee_minor:
                    raise Refusal("discrepancy_changed", number=order.order_no)
            await self._approvals.answer(tx, actor, asked, yes=True)
            done = Resolved(question)
            await self._replace(tx, actor, question.merchant_id, done, message_id)

        await self.resolve(
            actor,
            question.merchant_id,
            question.discrepancy_id,
            question.how,
            question.reason,
            left_minor=question.left_minor,
            request_id=request_id,
            also=close,
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """They think better of it: the message is the discrepancy's card again.

        Refusals: anonymous_admin, not_permitted, record_not_found, confirmation_expired,
        confirmation_foreign.
        """
        actor.need("resolve")
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id, yes=False)
        if asked.state == "dropped":
            return  # pressed twice
        found = await self.get(actor.merchant_ids, asked.question.discrepancy_id)
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            await self._show(tx, actor, *found, edit_message_id=message_id)

    async def show(self, actor: Actor, discrepancy_id: UUID, *, reply_to: int) -> None:
        """Post a discrepancy's card. Refusals: anonymous_admin, not_permitted,
        record_not_found."""
        actor.need("resolve")
        found = await self.get(actor.merchant_ids, discrepancy_id)
        await self._show(self._store, actor, *found, reply_to=reply_to)

    async def _show(
        self,
        queries: Queries,
        actor: Actor,
        seen: Discrepancy,
        resolved: Sequence[Resolution],
        *,
        reply_to: int | None = None,
        edit_message_id: int | None = None,
    ) -> None:
        notice = DiscrepancyNotice(seen_by(actor, seen), tuple(resolved))
        await self._outbox.say(
            queries,
            actor.chat_id,
            Say(notice, reply_to, edit_message_id=edit_message_id),
            merchant_id=seen.merchant_id,
        )


async def _fee_of(queries: Queries, order: Order, left_minor: int) -> int:
    """What the merchant is charged where what is left of an order's money is its own."""
    return fee_of((await charge_of(queries, order)).rate, left_minor)
