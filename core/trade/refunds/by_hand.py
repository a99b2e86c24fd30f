"""Refunds that only a person gets on: whether the payer has the money, said once and confirmed."""

from __future__ import annotations

from typing import Final, get_args
from uuid import UUID

from core.books import BusinessDay
from core.delivery.audit import Audit
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.approvals import Approvals
from core.system.store import Store, Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import get_attempts, named
from core.trade.refunds.decisions import COST_RETURNED, RIGHT, need_endable
from core.trade.refunds.notices import (
    How,
    RefundDropped,
    RefundEnded,
    RefundQuestion,
    RefundQuestionNotice,
)
from core.trade.refunds.refunds import Refunds
from core.trade.refunds.rows import Refund, get_refund, lock_refund

# What the trail keeps of the question.
_IN_TRAIL: Final = ("refund_id", "refund_no", "order_no", "how", "minor", "currency")


class RefundsByHand:
    """The end of a refund, as a person who looked at the supplier's says."""

    def __init__(
        self, store: Store, books: TradeBooks, audit: Audit, approvals: Approvals, refunds: Refunds
    ) -> None:
        self._store = store
        self._ledger = books.ledger
        self._market = books.market
        self._outbox = books.outbox
        self._audit = audit
        self._approvals = approvals
        self._refunds = refunds

    async def ask(
        self, actor: Actor, merchant_id: UUID, refund_id: UUID, how: How, *, message_id: int
    ) -> None:
        """A button of an alarm: the question whether that is sure, in reply to it.

        how: given, the payer has the money; not_given, and will not get it by this refund.
        Refusals: anonymous_admin, not_permitted, merchant_not_found, field_invalid,
        record_not_found, refund_state (it ended, or is being sent right now).
        """
        merchant = await self._seen_by(actor, merchant_id)
        if how not in get_args(How):
            raise Refusal("field_invalid", param="how", expected=", ".join(get_args(How)))
        refund = await get_refund(self._store, merchant_id, refund_id)
        need_endable(refund)
        attempts = await get_attempts(self._store, merchant_id, refund.order_id)
        question = RefundQuestion(
            merchant_id=merchant_id,
            merchant_no=merchant.merchant_no,
            refund_id=refund_id,
            how=how,
            order_no=refund.order_no,
            refund_no=refund.refund_no,
            sent_no=refund.sent_no,
            supplier_no=named(attempts, refund.attempt_no).supplier_no,
            minor=refund.amount.minor,
            currency=refund.amount.currency,
            actor_name=actor.name,
        )
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question, merchant_id=merchant_id)
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(RefundQuestionNotice(asked.id, question), reply_to=message_id),
                merchant_id=merchant_id,
            )

    async def confirm(self, actor: Actor, approval_id: UUID, *, message_id: int) -> Refund:
        """Who pressed the alarm's button says yes: the refund ends, and the question's message
        tells so. message_id: of the question.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, refund_state (it ended
        meanwhile, or by this very answer), confirmation_expired, confirmation_foreign.
        """
        actor.need(RIGHT)
        asked = await self._approvals.find(RefundQuestion, actor, approval_id)
        question = asked.question
        merchant_id, refund_id = question.merchant_id, question.refund_id
        await self._seen_by(actor, merchant_id)

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            locked = await lock_refund(tx, merchant_id, refund_id)
            need_endable(locked.refund)
            await self._approvals.answer(tx, actor, asked, yes=True)
            if question.how == "given":
                ended = await self._refunds.settle_locked(
                    tx, day, locked, cost_returned=COST_RETURNED
                )
            else:
                why = f"not given back, says {actor.name}"
                ended = await self._refunds.release_locked(tx, day, locked, why)
            kept = pack(question)
            await self._audit.record(
                tx,
                "end_refund",
                actor=actor.trail_name,
                facts={name: kept[name] for name in _IN_TRAIL} | {"before": locked.refund.state},
                merchant_id=merchant_id,
                chat_id=actor.chat_id,
                message_id=message_id,
            )
            await self._show(tx, actor, merchant_id, RefundEnded(question), message_id)
            return ended

        return await self._ledger.in_open_day(merchant_id, work)

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """They think better of it: the question's message says that nothing was changed.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign.
        """
        actor.need(RIGHT)
        asked = await self._approvals.find(RefundQuestion, actor, approval_id, yes=False)
        if asked.state == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            dropped = RefundDropped(asked.question)
            await self._show(tx, actor, asked.question.merchant_id, dropped, message_id)

    async def _seen_by(self, actor: Actor, merchant_id: UUID) -> Merchant:
        """Refusals: anonymous_admin, not_permitted, merchant_not_found."""
        actor.need(RIGHT)
        merchant = (await self._market.now()).merchant(merchant_id)
        actor.need_for(RIGHT, merchant=merchant)
        return merchant

    async def _show(
        self, tx: Tx, actor: Actor, merchant_id: UUID, notice: Notice, message_id: int
    ) -> None:
        """In the place of the question."""
        said = Say(notice, edit_message_id=message_id)
        await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)
