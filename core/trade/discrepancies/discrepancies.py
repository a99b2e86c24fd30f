"""Money in suspense as people see and resolve it: asked, answered, booked once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.books import BusinessDay, Event
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.people.hand_limits import Limited
from core.people.ops import Deed, tell_ops
from core.system.district import System
from core.system.store import Queries, Tx
from core.trade.booking_tools import TradeBooks
from core.trade.completions import Completions
from core.trade.discrepancies.decisions import (
    RIGHT,
    ResolveApproval,
    ResolveQuestion,
    fee_of,
    need_left,
    need_reason,
    postings_of,
    question_of,
    seen_by,
)
from core.trade.discrepancies.notices import (
    DiscrepancyNotice,
    Resolved,
    ResolveQuestionNotice,
    ResolveWaits,
)
from core.trade.discrepancies.rows import (
    WAYS,
    Discrepancy,
    Page,
    Resolution,
    Way,
    find_one,
    find_open,
    find_resolved,
)
from core.trade.hand_questions import HandQuestions, Place
from core.trade.orders import (
    Approver,
    ByHand,
    Order,
    charge_of,
    ease_suspense,
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
        system: System,
        books: TradeBooks,
        delivery: Delivery,
        people: People,
        questions: HandQuestions,
        completions: Completions,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = books.ids
        self._ledger = books.ledger
        self._market = books.market
        self._groups = books.groups
        self._alarms = books.alarms
        self._outbox = books.outbox
        self._audit = delivery.audit
        self._approvals = people.approvals
        self._limits = people.limits
        self._questions = questions
        self._completions = completions
        people.approvals.carries_out(ResolveQuestion, self._decide)
        people.approvals.carries_out(ResolveApproval, self._decide)

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
        approved_by: Approver | None = None,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> Order:
        """Decide what becomes of all that is left of a discrepancy. Returns its order.

        how: refund_payer, or credit_merchant (less the percentage that the order is charged now).
        left_minor: what the person saw. approved_by: the second person. also: written in the same
        transaction, after the locks are held. Refusals: anonymous_admin, not_permitted,
        field_invalid, reason_missing, record_not_found, already_resolved, discrepancy_changed,
        second_person_needed, daily_cap, charges_changing.
        """
        actor.need(RIGHT)
        way = next((way for way in WAYS if way == how), None)
        if way is None:
            raise Refusal("field_invalid", param="how", expected=", ".join(WAYS))
        reason = need_reason(reason)
        seen, _ = await self.get(actor.merchant_ids, discrepancy_id)
        if seen.merchant_id != merchant_id:
            raise Refusal("record_not_found")
        need_left(seen.left_minor, left_minor, seen)
        merchant = (await self._market.now()).merchant(merchant_id)
        by = ByHand(reason, actor.user_id, actor.name, actor.chat_id, approved_by=approved_by)

        async def work(tx: Tx, day: BusinessDay) -> Order:
            # Nobody else resolves anything of the order from here on.
            order, attempts = await lock_order(tx, merchant_id, seen.order_id)
            left = await tx.fetchval(
                "SELECT left_minor FROM discrepancy WHERE merchant_id = $1 AND id = $2 FOR UPDATE",
                merchant_id,
                discrepancy_id,
            )
            need_left(left, left_minor, seen)
            if approved_by is None and await self._needs_second(tx, seen):
                raise Refusal("second_person_needed")
            await self._limits.hold_room(tx, RESOLUTIONS, actor, seen.left, seen.mode)
            if also is not None:
                await also(tx)
            await self._tell_of(tx, actor, merchant, seen, way, by)
            channel_no = named(attempts, seen.attempt_no).channel_no
            day = await in_turn(tx, day, order)
            await self._book(tx, day, order, seen, way, by, channel_no)
            await ease_suspense(tx, self._alarms, merchant_id)
            return order

        async def before(tx: Tx) -> None:
            if way == "credit_merchant":
                await hold_charges(tx, merchant_id)

        return await self._ledger.in_open_day(merchant.id, work, before=before)

    async def _needs_second(self, queries: Queries, seen: Discrepancy) -> bool:
        """Whether what is left is too much for one person, with what was decided of its order."""
        so_far = await queries.fetchval(_OF_ORDER, seen.merchant_id, seen.order_id)
        whole = Money(so_far + seen.left_minor, seen.currency)
        return await self._limits.needs_second(RESOLUTIONS, whole, seen.mode, queries)

    async def _tell_of(
        self, tx: Tx, actor: Actor, merchant: Merchant, seen: Discrepancy, how: Way, by: ByHand
    ) -> None:
        """The trail keeps a decision, and ops hears of what one person did alone."""
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
                **by.facts,
            },
            merchant_id=merchant.id,
            chat_id=actor.chat_id,
        )
        if seen.mode == "live" and by.approved_by is None:
            deed = Deed(
                how, merchant.merchant_no, merchant.name, seen.left, seen.order_no, by.reason
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
            " actor_user_id, actor_name, event_id, day, at, approved_by, approved_by_name)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
            by.approved_by.user_id if by.approved_by else None,
            by.approved_by.name if by.approved_by else None,
        )

    async def ask(self, actor: Actor, discrepancy_id: UUID, how: str, *, message_id: int) -> None:
        """A button of a discrepancy's card: its message becomes the question why, which the same
        person answers by a reply.

        Refusals: anonymous_admin, not_permitted, record_not_found, already_resolved, order_state.
        """
        actor.need("complete" if how == "complete" else RIGHT)
        seen, _ = await self.get(actor.merchant_ids, discrepancy_id)
        if seen.left_minor == 0:
            raise Refusal("already_resolved", number=seen.order_no)
        order = await get_order(self._store, seen.merchant_id, seen.order_id)
        way = next((way for way in seen.ways if way == how), None)
        if way is None:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        credited = way == "credit_merchant"
        fee_minor = await _fee_of(self._store, order, seen.left_minor) if credited else 0
        facts = await self._questions.facts_of(actor, order, "")
        question = question_of(actor, facts, seen, way, fee_minor)
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(
                tx, actor, question, merchant_id=seen.merchant_id, message_id=message_id
            )
            await self._put(tx, actor, asked, message_id)

    async def asked_why(self, actor_id: int, chat_id: int, message_id: int) -> UUID | None:
        """The question that a person's reply to a message answers; None where it asks nothing."""
        return await self._approvals.find_replied(ResolveQuestion, actor_id, chat_id, message_id)

    async def give_reason(
        self,
        actor: Actor,
        approval_id: UUID,
        reason: str,
        *,
        message_id: int,
        reply_id: int,
        request_id: str,
    ) -> None:
        """The reply of the person who was asked: the question becomes whether to do it. Another
        reply takes its place. A completion is asked as every other is, and the question becomes the
        card again. message_id: of the question; reply_id: of the reply.

        Refusals: anonymous_admin, not_permitted, reason_missing, confirmation_expired,
        confirmation_foreign; those of `Completions.ask`.
        """
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id)
        if asked.state != "open":
            raise Refusal("confirmation_expired")
        question = replace(asked.question, reason=need_reason(reason))
        if question.how == "complete":
            await self._completions.ask(
                actor, question.order_no, question.reason, message_id=reply_id,
                request_id=request_id, discrepancy_id=question.discrepancy_id,
            )  # fmt: skip
            await self.drop(actor, approval_id, message_id=message_id)
            return
        actor.need(RIGHT)
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

    async def accept(self, actor: Actor, approval_id: UUID, *, message_id: int) -> bool:
        """The person who was asked presses yes, which is to be proven: `Approvals.decide` does the
        rest. False: it was answered before. message_id: of the question.

        Refusals: anonymous_admin, not_permitted, reason_missing, confirmation_expired,
        confirmation_foreign.
        """
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id)
        need_reason(asked.question.reason)
        return await self._questions.accept(
            ResolveQuestion, actor, approval_id, message_id=message_id
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """They think better of it: the message is the discrepancy's card again.

        Refusals: anonymous_admin, record_not_found, confirmation_expired, confirmation_foreign.
        """
        asked = await self._approvals.find(ResolveQuestion, actor, approval_id, yes=False)
        if asked.state == "dropped":
            return  # pressed twice
        found = await self.get(actor.merchant_ids, asked.question.discrepancy_id)
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            await self._show(tx, actor, *found, edit_message_id=message_id)

    async def _decide(
        self, actor: Actor, asked: Asked[ResolveQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Whoever asked has proven it, or a second person answers: it is booked; or, above the
        threshold, a second person is asked.

        Refusals: those of `HandQuestions.asker`, `Approvals.answer` and `resolve`.
        """
        question = asked.question
        place = Place(asked.chat_id, question.message_id)
        seen, resolved = await self.get([question.merchant_id], question.discrepancy_id)
        if not yes:
            actor.need(RIGHT)
            hidden = replace(
                seen, supplier_no=question.supplier_no, upstream_no=question.upstream_no
            )
            card = DiscrepancyNotice(hidden, tuple(resolved))
            await self._questions.drop(actor, asked, card, place)
            return
        asker = await self._questions.asker(asked)
        alone = not isinstance(question, ResolveApproval)
        if alone and await self._needs_second(self._store, seen):
            need_left(seen.left_minor, question.left_minor, seen)
            to_second = question.as_kind(ResolveApproval)
            await self._questions.pass_on(asker, asked, to_second, ResolveWaits(question), proof)
            return

        async def close(tx: Tx) -> None:
            if question.how == "credit_merchant":
                # What they saw: the order may have been charged anew since.
                order = await get_order(tx, seen.merchant_id, seen.order_id)
                if await _fee_of(tx, order, question.left_minor) != question.fee_minor:
                    raise Refusal("discrepancy_changed", number=order.order_no)
            done = Resolved(question, "" if alone else actor.name)
            await self._questions.answer(tx, actor, asked, done, place, yes=True, proof=proof)

        await self.resolve(
            asker,
            question.merchant_id,
            question.discrepancy_id,
            question.how,
            question.reason,
            left_minor=question.left_minor,
            approved_by=None if alone else Approver(actor.user_id, actor.name),
            also=close,
        )

    async def show(self, actor: Actor, discrepancy_id: UUID, *, reply_to: int) -> None:
        """Post a discrepancy's card. Refusals: anonymous_admin, not_permitted,
        record_not_found."""
        actor.need(RIGHT)
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


# What was decided of the money of an order, by whomever.
_OF_ORDER: Final = """
SELECT coalesce(sum(r.minor), 0)::bigint FROM resolution r
JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
WHERE d.merchant_id = $1 AND d.order_id = $2 AND r.how <> 'complete'
"""
RESOLUTIONS: Final = Limited(
    "resolve",
    """
SELECT coalesce(sum(r.minor), 0)::bigint FROM resolution r
JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
WHERE r.merchant_id = ANY(ARRAY(SELECT id FROM merchant)) AND r.actor_user_id = $1
  AND d.currency = $2 AND r.at >= $3 AND r.how <> 'complete' AND d.mode = 'live'
""",
)
