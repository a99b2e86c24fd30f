"""Completion (补单): an order is marked paid by hand, after the supplier was asked once more.

A wrong one is reversed by two people: one asks, another confirms.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Say
from core.kernel.errors import REASON_EXAMPLES, Refusal
from core.parties.merchants import Merchants
from core.people.actors import Actor
from core.people.approvals import Confirmation
from core.people.district import People
from core.people.ops import Deed, tell_ops
from core.system.district import System
from core.system.store import Tx
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
    """Asks for a confirmation, and completes (or reverses) when it is given."""

    def __init__(
        self,
        system: System,
        delivery: Delivery,
        merchants: Merchants,
        people: People,
        follow_up: FollowUp,
        by_hand: OrdersByHand,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._audit = delivery.audit
        self._outbox = delivery.outbox
        self._groups = people.groups
        self._merchants = merchants
        self._confirmations = people.approvals
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
            raise Refusal("reason_missing", example=REASON_EXAMPLES["complete"])
        order = await find_for(self._store, actor, number)
        if not order.open_to_money:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        standing = await self._follow_up.ask(order.merchant_id, order.id, request_id=request_id)
        order = await get_order(self._store, order.merchant_id, order.id)
        facts = {
            **self._facts(actor, order, reason),
            "supplier_says": standing.state,
            "supplier_why": standing.why[:200],
            "completed_today": await self._completed_today(order.merchant_id),
            "proof_file_id": proof_file_id or "",
            "held_minor": await held_minor_of(self._store, order),
        }
        if not order.open_to_money:
            await self._outbox.say(
                self._store,
                actor.chat_id,
                Say("complete_settled_itself", facts, reply_to=message_id),
                merchant_id=order.merchant_id,
            )
            return
        await self._question(actor, "complete", "complete_question", facts, message_id)

    async def confirm(
        self, actor: Actor, confirmation_id: UUID, *, message_id: int, request_id: str
    ) -> Order:
        """The person who asked confirms: the supplier is asked again, then the order is paid.

        message_id: of the question, which is edited to say what became of it.
        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign,
        order_state, discrepancy_changed.
        """
        actor.need("complete")
        question = await self._confirmations.find_own("complete", actor, confirmation_id)
        facts = question.facts
        merchant_id, order_id = UUID(facts["merchant_id"]), UUID(facts["order_id"])
        if question.state == "used":
            return await get_order(self._store, merchant_id, order_id)  # pressed twice
        await self._follow_up.ask(merchant_id, order_id, request_id=request_id)
        current = await get_order(self._store, merchant_id, order_id)

        async def close(tx: Tx) -> None:
            screen = "completed" if current.open_to_money else "complete_settled_itself"
            await self._close(tx, actor, question, "complete_used", screen, message_id)
            if current.open_to_money and current.mode == "live":
                await self._tell_ops(tx, actor, current, facts["reason"])

        if not current.open_to_money:
            async with self._store.transaction() as tx:
                await close(tx)
            return current
        return await self._by_hand.complete(
            merchant_id,
            order_id,
            facts["version"],
            ByHand(
                facts["reason"],
                actor.user_id,
                actor.name,
                actor.chat_id,
                proof_file_id=facts["proof_file_id"] or None,
            ),
            request_id=request_id,
            also=close,
            held_minor=facts["held_minor"],
        )

    async def drop(self, actor: Actor, confirmation_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        question = await self._confirmations.find_own("complete", actor, confirmation_id)
        await self._drop(actor, question, "complete_dropped", message_id)

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
            raise Refusal("reason_missing", example=REASON_EXAMPLES["uncomplete"])
        order = await find_for(self._store, actor, number)
        await need_reversible(self._store, order)
        await self._follow_up.ask(order.merchant_id, order.id, request_id=request_id)
        order = await get_order(self._store, order.merchant_id, order.id)
        await need_reversible(self._store, order)
        facts = self._facts(actor, order, reason)
        await self._question(actor, "uncomplete", "uncomplete_question", facts, message_id)

    async def confirm_reversal(
        self, actor: Actor, confirmation_id: UUID, *, message_id: int, request_id: str
    ) -> Order:
        """Another person than who asked confirms: the completion is reversed, the order is
        disputed.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, second_person_needed,
        order_state, completion_confirmed, refund_under_way.
        """
        actor.need("uncomplete")
        question = await self._confirmations.find("uncomplete", actor, confirmation_id)
        if question.asked_by == actor.user_id:
            raise Refusal("second_person_needed")
        facts = question.facts
        merchant_id, order_id = UUID(facts["merchant_id"]), UUID(facts["order_id"])
        if question.state == "used":
            return await get_order(self._store, merchant_id, order_id)  # pressed twice
        await self._follow_up.ask(merchant_id, order_id, request_id=request_id)

        async def close(tx: Tx) -> None:
            await self._close(tx, actor, question, "uncomplete_used", "uncompleted", message_id)
            told = Say("uncompleted", {**facts, "answered_by": actor.name})
            await self._groups.tell_ops(tx, told, but=actor.chat_id)

        return await self._by_hand.reverse(
            merchant_id,
            order_id,
            facts["version"],
            ByHand(facts["reason"], actor.user_id, actor.name, actor.chat_id),
            asked_by=question.asked_by,
            request_id=request_id,
            also=close,
        )

    async def drop_reversal(self, actor: Actor, confirmation_id: UUID, *, message_id: int) -> None:
        """Who asked, or anybody else with the right, says no. Refusals: anonymous_admin,
        not_permitted, confirmation_expired."""
        actor.need("uncomplete")
        question = await self._confirmations.find("uncomplete", actor, confirmation_id)
        await self._drop(actor, question, "uncomplete_dropped", message_id)

    def _facts(self, actor: Actor, order: Order, reason: str) -> dict[str, Any]:
        """What a question shows, and what its answer goes by."""
        return {
            "order_no": order.order_no,
            "merchant_order_no": order.merchant_order_no,
            "merchant_id": str(order.merchant_id),
            "order_id": str(order.id),
            "version": order.version,
            "minor": order.amount.minor,
            "currency": order.amount.currency,
            "status": order.state,
            "disputed": order.disputed,
            "reason": reason.strip()[:MAX_REASON_CHARS],
            "created_at": order.created_at.isoformat(),
            "age_min": int((self._clock.now() - order.created_at).total_seconds() // 60),
            "actor_name": actor.name,
        }

    async def _question(
        self, actor: Actor, kind: str, screen: str, facts: dict[str, Any], message_id: int
    ) -> None:
        async with self._store.transaction() as tx:
            asked = await self._confirmations.ask(tx, kind, actor, facts)
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(screen, {**facts, "confirmation_id": str(asked)}, reply_to=message_id),
                merchant_id=UUID(facts["merchant_id"]),
            )

    async def _drop(
        self, actor: Actor, question: Confirmation, screen: str, message_id: int
    ) -> None:
        if question.state == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._close(tx, actor, question, screen, screen, message_id)

    async def _close(
        self,
        tx: Tx,
        actor: Actor,
        question: Confirmation,
        action: str,
        screen: str,
        message_id: int,
    ) -> None:
        """Answer the question, once, in the transaction of what the answer does.

        action: for the trail; it ends in _used or _dropped.
        """
        await self._confirmations.close(tx, question.id, action.rpartition("_")[2])
        facts = question.facts
        merchant_id = UUID(facts["merchant_id"])
        await self._audit.record(
            tx,
            action,
            actor=actor.trail_name,
            facts={**facts, "screen": screen},
            merchant_id=merchant_id,
            chat_id=actor.chat_id,
            message_id=message_id,
        )
        await self._outbox.say(
            tx,
            actor.chat_id,
            Say(screen, {**facts, "answered_by": actor.name}, edit_message_id=message_id),
            merchant_id=merchant_id,
        )

    async def _tell_ops(self, tx: Tx, actor: Actor, order: Order, reason: str) -> None:
        merchant = await self._merchants.by_id(order.merchant_id)
        deed = Deed(
            "completed", merchant.merchant_no, merchant.name, order.amount, order.order_no, reason
        )
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
