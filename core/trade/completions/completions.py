"""Completion (补单): an order is marked paid by hand, after the supplier was asked once more.

A wrong one is reversed by two people: one asks, another confirms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.ops import Deed, tell_ops
from core.system.district import System
from core.system.store import Tx
from core.trade.completions.notices import (
    Completed,
    CompleteDropped,
    CompleteQuestion,
    CompleteQuestionNotice,
    CompleteSettledItself,
    OrderQ,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestion,
    UncompleteQuestionNotice,
)
from core.trade.orders import (
    ByHand,
    FollowUp,
    Order,
    OrdersByHand,
    find_for,
    get_order,
    held_minor_of,
    need_reversible,
)

MAX_REASON_CHARS: Final = 200


class Completions:
    """Asks whether to complete (or to reverse), and does it on a yes."""

    def __init__(
        self,
        system: System,
        delivery: Delivery,
        people: People,
        follow_up: FollowUp,
        by_hand: OrdersByHand,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._audit = delivery.audit
        self._outbox = delivery.outbox
        self._groups = people.groups
        self._approvals = people.approvals
        self._follow_up = follow_up
        self._by_hand = by_hand

    async def ask(
        self,
        actor: Actor,
        number: str,
        reason: str,
        *,
        message_id: int,
        request_id: str,
        proof_file_id: str | None = None,
    ) -> None:
        """Ask the supplier, then post the question whether to complete, with two buttons.

        Money the supplier reports is booked instead, and the answer says so. proof_file_id: a
        picture, at Telegram, that is kept as evidence.
        Refusals: anonymous_admin, not_permitted, reason_missing, order_not_found, order_state.
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
            **self._of_order(actor, order, reason),
            supplier_says=standing.state,
            supplier_why=standing.why[:200],
            completed_today=await self._completed_today(order.merchant_id),
            proof_file_id=proof_file_id or "",
            held_minor=await held_minor_of(self._store, order),
        )
        if not order.open_to_money:
            await self._outbox.say(
                self._store,
                actor.chat_id,
                Say(CompleteSettledItself(question), reply_to=message_id),
                merchant_id=order.merchant_id,
            )
            return
        await self._ask(actor, question, CompleteQuestionNotice, message_id)

    async def confirm(
        self, actor: Actor, approval_id: UUID, *, message_id: int, request_id: str
    ) -> Order:
        """The person who asked confirms: the supplier is asked again, then the order is paid.

        message_id: of the question, which is edited to say what became of it.
        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign,
        order_state, discrepancy_changed.
        """
        actor.need("complete")
        asked = await self._approvals.find(CompleteQuestion, actor, approval_id)
        question = asked.question
        merchant_id, order_id = question.merchant_id, question.order_id
        if asked.state == "used":
            return await get_order(self._store, merchant_id, order_id)  # pressed twice
        await self._follow_up.ask(merchant_id, order_id, request_id=request_id)
        current = await get_order(self._store, merchant_id, order_id)

        async def close(tx: Tx) -> None:
            told = Completed if current.open_to_money else CompleteSettledItself
            await self._answer(tx, actor, asked, told(question), message_id, yes=True)
            if current.open_to_money and current.mode == "live":
                await self._tell_ops(tx, actor, current, question.reason)

        if not current.open_to_money:
            async with self._store.transaction() as tx:
                await close(tx)
            return current
        return await self._by_hand.complete(
            merchant_id,
            order_id,
            question.version,
            ByHand(
                question.reason,
                actor.user_id,
                actor.name,
                actor.chat_id,
                proof_file_id=question.proof_file_id or None,
            ),
            request_id=request_id,
            also=close,
            held_minor=question.held_minor,
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        asked = await self._approvals.find(CompleteQuestion, actor, approval_id, yes=False)
        await self._drop(actor, asked, CompleteDropped(asked.question), message_id)

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
        question = UncompleteQuestion(**self._of_order(actor, order, reason))
        await self._ask(actor, question, UncompleteQuestionNotice, message_id)

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
            await self._answer(tx, actor, asked, told, message_id, yes=True)
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
        await self._drop(actor, asked, dropped, message_id)

    def _of_order(self, actor: Actor, order: Order, reason: str) -> dict[str, Any]:
        """The fields of an `OrderQuestion`."""
        return {
            "order_no": order.order_no,
            "merchant_order_no": order.merchant_order_no,
            "merchant_id": order.merchant_id,
            "order_id": order.id,
            "version": order.version,
            "minor": order.amount.minor,
            "currency": order.amount.currency,
            "status": order.state,
            "disputed": order.disputed,
            "reason": reason.strip()[:MAX_REASON_CHARS],
            "created_at": order.created_at,
            "age_min": int((self._clock.now() - order.created_at).total_seconds() // 60),
            "actor_name": actor.name,
        }

    async def _ask(
        self,
        actor: Actor,
        question: OrderQ,
        notice: Callable[[UUID, OrderQ], Notice],
        message_id: int,
    ) -> None:
        """notice: what asks it, from the id under its buttons."""
        merchant_id = question.merchant_id
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question, merchant_id=merchant_id)
            said = Say(notice(asked.id, question), reply_to=message_id)
            await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)

    async def _drop(
        self, actor: Actor, asked: Asked[OrderQ], notice: Notice, message_id: int
    ) -> None:
        if asked.state == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._answer(tx, actor, asked, notice, message_id, yes=False)

    async def _answer(
        self,
        tx: Tx,
        actor: Actor,
        asked: Asked[OrderQ],
        notice: Notice,
        message_id: int,
        *,
        yes: bool,
    ) -> None:
        """Answer the question, once, in the transaction of what the answer does. notice: takes the
        question's place."""
        await self._approvals.answer(tx, actor, asked, yes=yes)
        merchant_id = asked.question.merchant_id
        await self._audit.record(
            tx,
            f"{asked.question.kind}_{'used' if yes else 'dropped'}",
            actor=actor.trail_name,
            facts={**pack(asked.question), "screen": notice.screen},
            merchant_id=merchant_id,
            chat_id=actor.chat_id,
            message_id=message_id,
        )
        said = Say(notice, edit_message_id=message_id)
        await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)

    async def _tell_ops(self, tx: Tx, actor: Actor, order: Order, reason: str) -> None:
        ((merchant_no, name),) = await tx.fetch(
            "SELECT merchant_no, name FROM merchant WHERE id = $1", order.merchant_id
        )
        deed = Deed("completed", merchant_no, name, order.amount, order.order_no, reason)
        await tell_ops(tx, self._groups, actor, deed)

    async def _completed_today(self, merchant_id: UUID) -> int:
        return int(
            await self._store.fetchval(
                "SELECT count(*) FROM completion WHERE merchant_id = $1 AND at > $2"
                " AND reverses IS NULL",
                merchant_id,
                self._clock.now() - timedelta(hours=24),
            )
        )
