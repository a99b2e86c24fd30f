"""Why something is to be done to an order: asked in a chat by a button, answered there by a reply.

A reply with a reason is what somebody would have typed behind the command: what follows is
the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.system.district import System
from core.trade.discrepancies import Discrepancies
from core.trade.hand_questions import HandQuestions, OrderQuestion
from core.trade.orders import Order

# What a card's button begins, each with the right that it takes.
Deed = Literal["complete", "refund"]
_RIGHTS: Final[dict[Deed, str]] = {"complete": "complete", "refund": "refund"}
_REF: Final = "reason"


@dataclass(frozen=True, slots=True)
class ReasonQuestion(OrderQuestion):
    """Why to complete or refund an order. Its reason is empty: with one it becomes the question
    whether to do it."""

    kind: ClassVar[str] = "reason"
    deed: Deed


@dataclass(frozen=True, slots=True)
class ReasonAsked(Notice):
    """Asks why; whoever pressed the button replies."""

    question: ReasonQuestion


@dataclass(frozen=True, slots=True)
class ReasonGiven(Notice):
    """In the place of the question, once it is answered."""

    question: ReasonQuestion


@dataclass(frozen=True, slots=True)
class AskedWhy:
    """What a reply answers: the question, and of which kind it is."""

    approval_id: UUID
    deed: Deed | Literal["resolve"]


class Reasons:
    """Asks why, and knows which replies say so: here, and where money in suspense is decided."""

    def __init__(
        self,
        system: System,
        delivery: Delivery,
        people: People,
        questions: HandQuestions,
        discrepancies: Discrepancies,
    ) -> None:
        self._store = system.store
        self._outbox = delivery.outbox
        self._posts = delivery.board.posts
        self._approvals = people.approvals
        self._questions = questions
        self._discrepancies = discrepancies

    async def ask(self, actor: Actor, order: Order, deed: Deed, *, message_id: int) -> None:
        """Ask why to do it, in reply to the message whose button was pressed. Refusals:
        anonymous_admin, not_permitted."""
        actor.need(_RIGHTS[deed])
        merchant_id = order.merchant_id
        question = ReasonQuestion(**await self._questions.facts_of(actor, order, ""), deed=deed)
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question, merchant_id=merchant_id)
            said = Say(
                ReasonAsked(question), reply_to=message_id, remember="question",
                ref=f"{_REF}:{deed}:{actor.user_id}:{asked.id}",
            )  # fmt: skip
            await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)

    async def find(self, user_id: int, chat_id: int, message_id: int) -> AskedWhy | None:
        """What a person's reply to a message of ours answers; None where that asks nothing, or
        somebody else."""
        post = await self._posts.get(chat_id, message_id)
        match post.subject.ref.split(":") if post and post.subject.kind == "question" else []:
            case [ref, "complete" | "refund" as deed, asked_by, approval_id] if ref == _REF:
                return AskedWhy(UUID(approval_id), deed) if int(asked_by) == user_id else None
        found = await self._discrepancies.asked_why(user_id, chat_id, message_id)
        return None if found is None else AskedWhy(found, "resolve")

    async def open(self, actor: Actor, asked: AskedWhy) -> Asked[ReasonQuestion]:
        """The question, while it waits for its answer. Refusals: those of `Approvals.find`."""
        found = await self._approvals.find(ReasonQuestion, actor, asked.approval_id)
        if found.state != "open":
            raise Refusal("confirmation_expired")
        return found

    async def close(self, actor: Actor, asked: Asked[ReasonQuestion], *, message_id: int) -> None:
        """It is answered: whether to do it is asked by now. message_id: of the question. Refusals:
        those of `Approvals.answer`."""
        question = asked.question
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=True)
            said = Say(ReasonGiven(question), edit_message_id=message_id)
            await self._outbox.say(tx, actor.chat_id, said, merchant_id=question.merchant_id)
