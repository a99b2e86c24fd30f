"""Refunds that people ask for: shown, proven in private, above a threshold approved by a second
person, then reserved in the books and sent to the supplier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from core.kernel.errors import Refusal
from core.kernel.money import MAX_MINOR, Money
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.people.hand_limits import Limited
from core.system.district import System
from core.system.store import Tx
from core.trade.hand_questions import HandQuestions, Place
from core.trade.orders import Order, find_for, get_attempts, get_order, takings_of
from core.trade.refunds.decisions import RIGHT, need_refundable, room_for
from core.trade.refunds.dispatch import RefundDispatch
from core.trade.refunds.notices import (
    RefundApproval,
    RefundOrderDropped,
    RefundOrderNotice,
    RefundOrderQuestion,
    RefundRequested,
    RefundWaits,
)
from core.trade.refunds.refunds import Refunds
from core.trade.refunds.rows import Refund, counted, refunds_of, sum_minor

# By hand, the fee goes back by its share: the payer has nothing, so the merchant pays for nothing.
FEE_RETURNED: Final = True


class RefundRequests:
    """Asks whether to refund an order, or a part of it, and does it once that is proven."""

    def __init__(
        self,
        system: System,
        people: People,
        questions: HandQuestions,
        refunds: Refunds,
        dispatch: RefundDispatch,
    ) -> None:
        self._store = system.store
        self._questions = questions
        self._limits = people.limits
        self._approvals = people.approvals
        self._refunds = refunds
        self._dispatch = dispatch
        people.approvals.carries_out(RefundOrderQuestion, self._decide)
        people.approvals.carries_out(RefundApproval, self._decide)

    async def ask(
        self,
        actor: Actor,
        number: str,
        amount_in: Callable[[str], Money] | None,
        reason: str,
        *,
        message_id: int,
    ) -> None:
        """Show what would be refunded, with two buttons. amount_in: the amount, from the order's
        currency; None for all that can go back at once.

        Refusals: anonymous_admin, not_permitted, reason_missing, order_not_found, order_state,
        field_invalid, refund_over_amount, daily_cap, those of `amount_in`.
        """
        actor.need(RIGHT)
        if not reason.strip():
            raise Refusal("reason_missing", reason_for="refund")
        order = await find_for(self._store, actor, number)
        async with self._store.snapshot() as tx:
            order = await get_order(tx, order.merchant_id, order.id)
            need_refundable(order, order.amount)
            attempts = await get_attempts(tx, order.merchant_id, order.id)
            begun = await refunds_of(tx, order)
            earlier = counted(begun)
            takings = await takings_of(tx, order, attempts)
        left = Money(room_for(takings, earlier, MAX_MINOR)[1], order.amount.currency)
        amount = left if amount_in is None else amount_in(left.currency)
        taking, _ = room_for(takings, earlier, amount.minor)
        if taking is None or left.minor == 0:
            raise Refusal("refund_over_amount", number=order.order_no, left=left)
        need_refundable(order, amount)
        await self._limits.need_room(self._store, REFUNDS, actor, amount, order.mode)
        question = RefundOrderQuestion(
            **await self._questions.facts_of(actor, order, reason),
            refund_minor=amount.minor,
            refunded_minor=sum_minor(earlier),
            begun_minor=sum_minor(begun),
            left_minor=left.minor,
            supplier_no=taking.attempt.supplier_no,
            by_supplier=await self._dispatch.takes_refunds(taking.attempt),
        )
        await self._questions.ask(actor, question, RefundOrderNotice, message_id)

    async def accept(self, actor: Actor, approval_id: UUID, *, message_id: int) -> bool:
        """The person who asked presses yes, which is to be proven: `Approvals.decide` does the
        rest. False: it was answered before. message_id: of the question.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign.
        """
        return await self._questions.accept(
            RefundOrderQuestion, actor, approval_id, message_id=message_id
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        asked = await self._approvals.find(RefundOrderQuestion, actor, approval_id, yes=False)
        dropped = RefundOrderDropped(asked.question, actor.name)
        await self._questions.drop(actor, asked, dropped, Place(actor.chat_id, message_id))

    async def _decide(
        self, actor: Actor, asked: Asked[RefundOrderQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Whoever asked has proven it, or a second person answers: it is reserved and sent; or,
        above the threshold, a second person is asked.

        Refusals: those of `HandQuestions.asker`, `Approvals.answer` and `Refunds.reserve`,
        order_changed, daily_cap.
        """
        question = asked.question
        place = Place(asked.chat_id, question.message_id)
        if not yes:
            actor.need(RIGHT)
            dropped = RefundOrderDropped(question, actor.name)
            await self._questions.drop(actor, asked, dropped, place)
            return
        asker = await self._questions.asker(asked)
        order = await get_order(self._store, question.merchant_id, question.order_id)
        amount = question.amount
        await self._limits.need_room(self._store, REFUNDS, asker, amount, order.mode)
        alone = not isinstance(question, RefundApproval)
        so_far = Money(question.begun_minor + amount.minor, amount.currency)
        if alone and await self._limits.needs_second(REFUNDS, so_far, order.mode):
            if order.version != question.version:
                raise Refusal("order_changed", number=order.order_no)
            to_second = question.as_kind(RefundApproval)
            await self._questions.pass_on(asker, asked, to_second, RefundWaits(question), proof)
            return

        async def close(tx: Tx, order: Order, begun: Sequence[Refund]) -> None:
            seen = (question.version, question.refunded_minor, question.begun_minor)
            if (order.version, sum_minor(counted(begun)), sum_minor(begun)) != seen:
                raise Refusal("order_changed", number=order.order_no)
            await self._limits.hold_room(tx, REFUNDS, asker, amount, order.mode)
            reserved = RefundRequested(question, "created", "" if alone else actor.name)
            await self._questions.answer(tx, actor, asked, reserved, place, yes=True, proof=proof)
            if alone and order.mode == "live":
                await self._questions.tell_ops(tx, asker, "refunded", question)

        refund = await self._refunds.reserve(
            asker,
            question.merchant_id,
            question.order_id,
            f"desk-{asked.id.hex}",
            amount,
            fee_returned=FEE_RETURNED,
            also=close,
        )
        refund = await self._dispatch.begin(refund.merchant_id, refund.id)
        became = RefundRequested(question, refund.state, "" if alone else actor.name)
        await self._questions.replace(question, became, place)


# What people refund by hand, in a day. One that failed counts too: one person alone may say that it
# did, and its supplier may have given the money back all the same.
REFUNDS: Final = Limited(
    "refund",
    """
SELECT coalesce(sum(r.amount_minor), 0)::bigint FROM refund r
JOIN orders o ON o.merchant_id = r.merchant_id AND o.id = r.order_id
     AND o.created_at = id_time(r.order_id)
WHERE r.actor = 'telegram:' || $1::bigint AND r.at >= $3 AND r.currency = $2
  AND o.mode = 'live'
""",
)
