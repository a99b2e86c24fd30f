"""Refunds that only a person gets on: whether the payer has the money, said once, proven, and above
a threshold approved by a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args
from uuid import UUID

from core.books import BusinessDay
from core.delivery.audit import Audit
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.people.ops import What
from core.system.district import System
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.hand_questions import HandQuestions, Place
from core.trade.orders import get_attempts, get_order, named
from core.trade.refunds.decisions import COST_RETURNED, RIGHT, need_endable
from core.trade.refunds.notices import (
    How,
    RefundDropped,
    RefundEndApproval,
    RefundEnded,
    RefundEndWaits,
    RefundQuestion,
    RefundQuestionNotice,
)
from core.trade.refunds.refunds import Refunds
from core.trade.refunds.requests import REFUNDS
from core.trade.refunds.rows import LockedRefund, get_refund, lock_refund, refunds_of, sum_minor

# How the ops groups are told of an end that one person said alone.
_TOLD_AS: Final[Mapping[How, What]] = {"given": "refund_given", "not_given": "refund_not_given"}
# What the trail keeps of the question.
_IN_TRAIL: Final = ("refund_id", "refund_no", "order_no", "how", "refund_minor", "currency")


class RefundsByHand:
    """The end of a refund, as a person who looked at the supplier's says."""

    def __init__(
        self,
        system: System,
        books: TradeBooks,
        audit: Audit,
        people: People,
        questions: HandQuestions,
        refunds: Refunds,
    ) -> None:
        self._store = system.store
        self._ledger = books.ledger
        self._market = books.market
        self._audit = audit
        self._approvals = people.approvals
        self._limits = people.limits
        self._questions = questions
        self._refunds = refunds
        people.approvals.carries_out(RefundQuestion, self._decide)
        people.approvals.carries_out(RefundEndApproval, self._decide)

    async def ask(
        self, actor: Actor, merchant_id: UUID, refund_id: UUID, how: How, *, message_id: int
    ) -> None:
        """A button of an alarm: the question whether that is sure, in reply to it.

        how: given, the payer has the money; not_given, and will not get it by this refund.
        Refusals: anonymous_admin, not_permitted, merchant_not_found, field_invalid,
        record_not_found, refund_state (it ended, or is being sent right now).
        """
        await self._seen_by(actor, merchant_id)
        if how not in get_args(How):
            raise Refusal("field_invalid", param="how", expected=", ".join(get_args(How)))
        refund = await get_refund(self._store, merchant_id, refund_id)
        need_endable(refund)
        order = await get_order(self._store, merchant_id, refund.order_id)
        attempts = await get_attempts(self._store, merchant_id, refund.order_id)
        question = RefundQuestion(
            **await self._questions.facts_of(actor, order, ""),
            refund_id=refund_id,
            how=how,
            refund_no=refund.refund_no,
            sent_no=refund.sent_no,
            supplier_no=named(attempts, refund.attempt_no).supplier_no,
            refund_minor=refund.amount.minor,
        )
        await self._questions.ask(actor, question, RefundQuestionNotice, message_id)

    async def accept(self, actor: Actor, approval_id: UUID, *, message_id: int) -> bool:
        """Who pressed the alarm's button says yes, which is to be proven: `Approvals.decide` does
        the rest. False: it was answered before. message_id: of the question.

        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign,
        refund_state (it ended meanwhile).
        """
        asked = await self._approvals.find(RefundQuestion, actor, approval_id)
        refund = await get_refund(self._store, asked.question.merchant_id, asked.question.refund_id)
        need_endable(refund)
        return await self._questions.accept(
            RefundQuestion, actor, approval_id, message_id=message_id
        )

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """They think better of it: the question's message says that nothing was changed.

        Refusals: confirmation_expired, confirmation_foreign.
        """
        asked = await self._approvals.find(RefundQuestion, actor, approval_id, yes=False)
        place = Place(actor.chat_id, message_id)
        await self._questions.drop(actor, asked, RefundDropped(asked.question), place)

    async def _decide(
        self, actor: Actor, asked: Asked[RefundQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Whoever asked has proven it, or a second person answers: the refund ends; or, above the
        threshold, a second person is asked.

        Refusals: those of `HandQuestions.asker` and `Approvals.answer`, merchant_not_found,
        refund_state (it ended meanwhile).
        """
        question = asked.question
        place = Place(asked.chat_id, question.message_id)
        if not yes:
            actor.need(RIGHT)
            await self._questions.drop(actor, asked, RefundDropped(question), place)
            return
        asker = await self._questions.asker(asked)
        await self._seen_by(asker, question.merchant_id)
        alone = not isinstance(question, RefundEndApproval)

        async def work(tx: Tx, day: BusinessDay) -> bool:
            """False: a second person is needed, and nothing was written."""
            locked = await lock_refund(tx, question.merchant_id, question.refund_id)
            need_endable(locked.refund)
            if alone and await self._needs_second(tx, locked):
                return False
            ended_so = RefundEnded(question, "" if alone else actor.name)
            await self._questions.answer(tx, actor, asked, ended_so, place, yes=True, proof=proof)
            if question.how == "given":
                await self._refunds.settle_locked(tx, day, locked, cost_returned=COST_RETURNED)
            else:
                why = f"not given back, says {asker.name}"
                await self._refunds.release_locked(tx, day, locked, why)
            await self._record(tx, asker, None if alone else actor, question, locked.refund.state)
            if alone and locked.order.mode == "live":
                await self._questions.tell_ops(tx, asker, _TOLD_AS[question.how], question)
            return True

        if not await self._ledger.in_open_day(question.merchant_id, work):
            to_second = question.as_kind(RefundEndApproval)
            await self._questions.pass_on(asker, asked, to_second, RefundEndWaits(question), proof)

    async def _needs_second(self, tx: Tx, locked: LockedRefund) -> bool:
        """All refunds of the order count, also those that failed: parts are no way around it."""
        order = locked.order
        whole = Money(sum_minor(await refunds_of(tx, order)), order.amount.currency)
        return await self._limits.needs_second(REFUNDS, whole, order.mode, tx)

    async def _record(
        self, tx: Tx, asker: Actor, second: Actor | None, question: RefundQuestion, before: str
    ) -> None:
        kept = pack(question)
        approved = {} if second is None else {"approved_by": second.trail_name}
        await self._audit.record(
            tx,
            "end_refund",
            actor=asker.trail_name,
            facts={name: kept[name] for name in _IN_TRAIL} | {"before": before} | approved,
            merchant_id=question.merchant_id,
            chat_id=asker.chat_id,
            message_id=question.message_id,
        )

    async def _seen_by(self, actor: Actor, merchant_id: UUID) -> Merchant:
        """Refusals: anonymous_admin, not_permitted, merchant_not_found."""
        actor.need(RIGHT)
        merchant = (await self._market.now()).merchant(merchant_id)
        actor.need_for(RIGHT, merchant=merchant)
        return merchant
