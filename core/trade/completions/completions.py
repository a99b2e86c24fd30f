"""Completion (补单): an order is marked paid by hand, after the supplier was asked once more.

Whoever asks for it proves that in private, and above a threshold a second person approves it. A
wrong one is reversed by two people: one asks, another confirms.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.people.hand_limits import Limited
from core.system.district import System
from core.system.store import Queries, Tx
from core.trade.completions.notices import (
    CompleteApproval,
    Completed,
    CompleteDropped,
    CompleteQuestion,
    CompleteQuestionNotice,
    CompleteSettledItself,
    CompleteWaits,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestion,
    UncompleteQuestionNotice,
)
from core.trade.hand_questions import HandQuestions, Place
from core.trade.orders import (
    Approver,
    ByHand,
    FollowUp,
    Order,
    OrdersByHand,
    find_for,
    get_order,
    held_minor_of,
    need_reversible,
)


class Completions:
    """Asks whether to complete (or to reverse), and does it on a yes."""

    def __init__(
        self,
        system: System,
        people: People,
        questions: HandQuestions,
        follow_up: FollowUp,
        by_hand: OrdersByHand,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._groups = people.groups
        self._approvals = people.approvals
        self._questions = questions
        self._limits = people.limits
        self._follow_up = follow_up
        self._by_hand = by_hand
        people.approvals.carries_out(CompleteQuestion, self._decide)
        people.approvals.carries_out(CompleteApproval, self._decide)

    async def ask(
        self,
        actor: Actor,
        number: str,
        reason: str,
        *,
        message_id: int,
        request_id: str,
        proof_file_id: str | None = None,
        discrepancy_id: UUID | None = None,
    ) -> None:
        """Ask the supplier, then post the question whether to complete, with two buttons.

        Money the supplier reports is booked instead, and the answer says so. proof_file_id: a
        picture, at Telegram, that is kept as evidence. discrepancy_id: whose money alone is used.
        Refusals: anonymous_admin, not_permitted, reason_missing, order_not_found, order_state,
        daily_cap.
        """
        actor.need("complete")
        if not reason.strip():
            raise Refusal("reason_missing", reason_for="complete")
        order = await find_for(self._store, actor, number)
        if not order.open_to_money:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        standing = await self._follow_up.ask(order.merchant_id, order.id, request_id=request_id)
        order = await get_order(self._store, order.merchant_id, order.id)
        question = CompleteQuestion(
            **await self._questions.facts_of(actor, order, reason),
            supplier_says=standing.state,
            supplier_why=standing.why[:200],
            completed_today=await self._completed_today(order.merchant_id),
            proof_file_id=proof_file_id or "",
            held_minor=await held_minor_of(self._store, order, discrepancy_id),
            discrepancy_id=discrepancy_id,
        )
        if not order.open_to_money:
            settled = CompleteSettledItself(question)
            await self._questions.reply(actor, question, settled, message_id)
            return
        await self._limits.need_room(self._store, COMPLETIONS, actor, order.amount, order.mode)
        await self._questions.ask(actor, question, CompleteQuestionNotice, message_id)

    async def accept(self, actor: Actor, approval_id: UUID, *, message_id: int) -> bool:
        """The person who asked presses yes, which is to be proven: `Approvals.decide` does the
        rest. False: it was answered before. message_id: of the question, which is edited to say
        what became of it.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign.
        """
        return await self._questions.accept(
            CompleteQuestion, actor, approval_id, message_id=message_id
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        asked = await self._approvals.find(CompleteQuestion, actor, approval_id, yes=False)
        place = Place(actor.chat_id, message_id)
        await self._questions.drop(actor, asked, CompleteDropped(asked.question), place)

    async def ask_reversal(
        self, actor: Actor, number: str, reason: str, *, message_id: int, request_id: str
    ) -> None:
        """Post the question whether to reverse a completion; a second person answers it.

        The supplier is asked first: money it reports confirms the completion.
        Refusals: anonymous_admin, not_permitted, group_needed, reason_missing, order_not_found,
        order_state, completion_confirmed, refund_under_way.
        """
        actor.need("uncomplete")
        if actor.group is None:
            raise Refusal("group_needed")
        if not reason.strip():
            raise Refusal("reason_missing", reason_for="uncomplete")
        order = await find_for(self._store, actor, number)
        await need_reversible(self._store, order)
        await self._follow_up.ask(order.merchant_id, order.id, request_id=request_id)
        order = await get_order(self._store, order.merchant_id, order.id)
        await need_reversible(self._store, order)
        question = UncompleteQuestion(**await self._questions.facts_of(actor, order, reason))
        await self._questions.ask(actor, question, UncompleteQuestionNotice, message_id)

    async def confirm_reversal(
        self, actor: Actor, approval_id: UUID, *, message_id: int, request_id: str
    ) -> Order:
        """Another person than who asked confirms: the completion is reversed, the order is
        disputed.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, second_person_needed,
        order_state, completion_confirmed, refund_under_way.
        """
        actor.need("uncomplete")
        asked = await self._approvals.find(UncompleteQuestion, actor, approval_id)
        question = asked.question
        merchant_id, order_id = question.merchant_id, question.order_id
        if asked.state == "used":
            return await get_order(self._store, merchant_id, order_id)  # pressed twice
        await self._follow_up.ask(merchant_id, order_id, request_id=request_id)

        async def close(tx: Tx) -> None:
            told = Uncompleted(question, answered_by=actor.name)
            place = Place(actor.chat_id, message_id)
            await self._questions.answer(tx, actor, asked, told, place, yes=True)
            await self._groups.tell_ops(tx, Say(told), but=actor.chat_id)

        return await self._by_hand.reverse(
            merchant_id,
            order_id,
            question.version,
            ByHand(question.reason, actor.user_id, actor.name, actor.chat_id),
            asked_by=asked.asked_by,
            request_id=request_id,
            also=close,
        )

    async def drop_reversal(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """Who asked, or anybody else with the right, says no. Refusals: anonymous_admin,
        not_permitted, confirmation_expired."""
        actor.need("uncomplete")
        asked = await self._approvals.find(UncompleteQuestion, actor, approval_id, yes=False)
        dropped = UncompleteDropped(asked.question, answered_by=actor.name)
        place = Place(actor.chat_id, message_id)
        await self._questions.drop(actor, asked, dropped, place)

    async def _decide(
        self, actor: Actor, asked: Asked[CompleteQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Whoever asked has proven it, or a second person answers: the supplier is asked again,
        then the order is paid; or, above the threshold, a second person is asked.

        Refusals: those of `HandQuestions.asker` and `Approvals.answer`, order_state,
        discrepancy_changed, daily_cap, second_person_needed (others were completed meanwhile).
        """
        question = asked.question
        place = Place(asked.chat_id, question.message_id)
        if not yes:
            actor.need("complete")
            dropped = CompleteDropped(question, answered_by=actor.name)
            await self._questions.drop(actor, asked, dropped, place)
            return
        asker = await self._questions.asker(asked)
        current = await self._ask_again(asked)
        if not current.open_to_money:
            async with self._store.transaction() as tx:
                settled = CompleteSettledItself(question)
                await self._questions.answer(
                    tx, actor, asked, settled, place, yes=True, proof=proof
                )
            return
        await self._limits.need_room(self._store, COMPLETIONS, asker, question.amount, current.mode)
        alone = not isinstance(question, CompleteApproval)
        if alone and await self._needs_second(self._store, asker, current):
            if current.version != question.version:
                raise Refusal("order_state", number=current.order_no, status=current.state)
            to_second = question.as_kind(CompleteApproval)
            waits = CompleteWaits(question)
            await self._questions.pass_on(asker, asked, to_second, waits, proof)
            return

        async def close(tx: Tx) -> None:
            if alone:
                # Nothing else of the merchant is completed by the same person until we commit.
                await tx.hold(f"completed_alone:{question.merchant_id}:{asker.user_id}")
                if await self._needs_second(tx, asker, current):
                    raise Refusal("second_person_needed")
            await self._limits.hold_room(tx, COMPLETIONS, asker, question.amount, current.mode)
            done = Completed(question, approved_by="" if alone else actor.name)
            await self._questions.answer(tx, actor, asked, done, place, yes=True, proof=proof)
            if alone and current.mode == "live":
                await self._questions.tell_ops(tx, asker, "completed", question)

        await self._by_hand.complete(
            question.merchant_id,
            question.order_id,
            question.version,
            ByHand(
                question.reason,
                asker.user_id,
                asker.name,
                asker.chat_id,
                proof_file_id=question.proof_file_id or None,
                discrepancy_id=question.discrepancy_id,
                approved_by=None if alone else Approver(actor.user_id, actor.name),
            ),
            request_id=f"approval-{asked.id}",
            also=close,
            held_minor=question.held_minor,
        )

    async def _needs_second(self, queries: Queries, asker: Actor, order: Order) -> bool:
        """Whether an order is too much for one person, with what they completed of its merchant in
        the platform's day and nobody else approved: many orders are no way around it."""
        since = await self._limits.day_began(queries)
        of = (asker.user_id, order.amount.currency, since, order.merchant_id)
        whole = Money(
            order.amount.minor + await queries.fetchval(_COMPLETED_ALONE, *of),
            order.amount.currency,
        )
        return await self._limits.needs_second(COMPLETIONS, whole, order.mode, queries)

    async def _ask_again(self, asked: Asked[CompleteQuestion]) -> Order:
        """The order once its supplier was asked again."""
        merchant_id, order_id = asked.question.merchant_id, asked.question.order_id
        await self._follow_up.ask(merchant_id, order_id, request_id=f"approval-{asked.id}")
        return await get_order(self._store, merchant_id, order_id)

    async def _completed_today(self, merchant_id: UUID) -> int:
        return int(
            await self._store.fetchval(
                "SELECT count(*) FROM completion WHERE merchant_id = $1 AND at > $2"
                " AND reverses IS NULL",
                merchant_id,
                self._clock.now() - timedelta(hours=24),
            )
        )


# $1: the person, $2: a currency, $3: when the platform's day began.
_COMPLETED: Final = """
SELECT coalesce(sum(o.amount_minor), 0)::bigint FROM completion c
JOIN orders o ON o.merchant_id = c.merchant_id AND o.id = c.order_id
     AND o.created_at = id_time(c.order_id)
WHERE c.merchant_id = {of}
  AND c.day >= ($3::timestamptz - interval '3 days')::date AND c.at >= $3
  AND c.actor_user_id = $1 AND c.reverses IS NULL AND o.currency = $2 AND o.mode = 'live'
  AND NOT EXISTS (
    SELECT FROM completion w WHERE w.merchant_id = c.merchant_id AND w.reverses = c.id)
"""
# $4: a merchant.
_COMPLETED_ALONE: Final = _COMPLETED.format(of="$4") + " AND c.approved_by IS NULL"
COMPLETIONS: Final = Limited(
    "complete", _COMPLETED.format(of="ANY(ARRAY(SELECT id FROM merchant))")
)
