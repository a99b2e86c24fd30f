"""What is done to an order by hand: somebody is asked in a chat, and proves the yes in private."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from core.delivery.audit import Action
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.approvals import Asked, Question
from core.people.district import People
from core.people.factors import Proof
from core.people.ops import Deed, What, tell_ops
from core.system.district import System
from core.system.store import Tx
from core.trade.orders import Order

MAX_REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class OrderQuestion(Question):
    """The order as it was when somebody asked, and why they asked. minor: of its amount. status:
    its state."""

    order_no: str
    merchant_order_no: str
    merchant_no: str
    merchant_id: UUID
    order_id: UUID
    version: int
    minor: int
    currency: str
    status: str
    disputed: bool
    reason: str
    created_at: datetime
    age_min: int
    actor_name: str

    @property
    def amount(self) -> Money:
        """How much money it is about."""
        return Money(self.minor, self.currency)

    @property
    def subject(self) -> str:
        return f"{self.order_no} · {self.amount}"


@dataclass(frozen=True, slots=True)
class ProvenQuestion(OrderQuestion):
    """Whoever asked proves the yes in private. message_id: of the message that asks, once its yes
    was pressed; it then tells what came of it."""

    factor: ClassVar[bool] = True
    message_id: int = field(default=0, kw_only=True)


# How the trail names that a question was said yes to (True), or given up or turned down.
_ACTIONS: Final[dict[tuple[str, bool], Action]] = {
    ("complete", True): "complete_used",
    ("complete", False): "complete_dropped",
    ("complete_second", True): "complete_second_used",
    ("complete_second", False): "complete_second_dropped",
    ("refund_end", True): "refund_end_used",
    ("refund_end", False): "refund_end_dropped",
    ("refund_end_second", True): "refund_end_approved",
    ("refund_end_second", False): "refund_end_rejected",
    ("refund_order", True): "refund_order_used",
    ("refund_order", False): "refund_order_dropped",
    ("refund_second", True): "refund_second_used",
    ("refund_second", False): "refund_second_dropped",
    ("resolve", True): "resolve_used",
    ("resolve", False): "resolve_dropped",
    ("resolve_second", True): "resolve_second_used",
    ("resolve_second", False): "resolve_second_dropped",
    ("uncomplete", True): "uncomplete_used",
    ("uncomplete", False): "uncomplete_dropped",
}
OrderQ = TypeVar("OrderQ", bound=OrderQuestion)
ProvenQ = TypeVar("ProvenQ", bound=ProvenQuestion)


@dataclass(frozen=True, slots=True)
class Place:
    """A message in a chat."""

    chat_id: int
    message_id: int


class HandQuestions:
    """Asks them, and tells in the same message what came of them.

    More than seven verbs: the steps of one question, from what it shows to what ops is told.
    """

    def __init__(self, system: System, delivery: Delivery, people: People) -> None:
        self._store = system.store
        self._clock = system.clock
        self._audit = delivery.audit
        self._outbox = delivery.outbox
        self._groups = people.groups
        self._access = people.access
        self._approvals = people.approvals

    async def facts_of(self, actor: Actor, order: Order, reason: str) -> dict[str, Any]:
        """The fields of an `OrderQuestion`."""
        merchant_no = await self._store.fetchval(
            "SELECT merchant_no FROM merchant WHERE id = $1", order.merchant_id
        )
        return {
            "order_no": order.order_no,
            "merchant_order_no": order.merchant_order_no,
            "merchant_no": merchant_no,
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

    async def ask(
        self,
        actor: Actor,
        question: OrderQ,
        notice: Callable[[UUID, OrderQ], Notice],
        message_id: int,
    ) -> None:
        """Ask it in reply to a message. notice: what asks, from the id under its buttons."""
        merchant_id = question.merchant_id
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question, merchant_id=merchant_id)
            said = Say(notice(asked.id, question), reply_to=message_id)
            await self._outbox.say(tx, actor.chat_id, said, merchant_id=merchant_id)

    async def reply(
        self, actor: Actor, question: OrderQuestion, notice: Notice, message_id: int
    ) -> None:
        """Say what makes the question needless."""
        said = Say(notice, reply_to=message_id)
        await self._outbox.say(self._store, actor.chat_id, said, merchant_id=question.merchant_id)

    async def accept(
        self, kind: type[ProvenQ], actor: Actor, approval_id: UUID, *, message_id: int
    ) -> bool:
        """Whoever asked presses yes under the message that asks: what is left is the proof. False:
        it was answered before. Refusals: those of `Approvals.find`."""
        actor.need(kind.right)
        asked = await self._approvals.find(kind, actor, approval_id)
        if asked.state == "used":
            return False
        async with self._store.transaction() as tx:
            question = replace(asked.question, message_id=message_id)
            await self._approvals.amend(tx, asked, question)
        return True

    async def asker(self, asked: Asked[ProvenQ]) -> Actor:
        """Whoever asked, as they would speak now in the chat where they did. Refusals:
        anonymous_admin, not_permitted, confirmation_expired (that chat is another's now, or its
        yes was not pressed there)."""
        actor = await asked.asker(self._access)
        actor.need(asked.question.right)
        if not asked.question.message_id or not actor.sees(asked.question.merchant_id):
            raise Refusal("confirmation_expired")
        return actor

    async def answer(
        self,
        tx: Tx,
        actor: Actor,
        asked: Asked[OrderQ],
        notice: Notice,
        place: Place,
        *,
        yes: bool,
        proof: Proof | None = None,
    ) -> None:
        """Answer the question, once, in the transaction of what the answer does. notice: takes the
        place of the message that asked. Refusals: those of `Approvals.answer`."""
        await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
        merchant_id = asked.question.merchant_id
        await self._audit.record(
            tx,
            _ACTIONS[asked.question.kind, yes],
            actor=actor.trail_name,
            facts={**pack(asked.question), "screen": notice.screen},
            merchant_id=merchant_id,
            chat_id=actor.chat_id,
            message_id=place.message_id,
        )
        said = Say(notice, edit_message_id=place.message_id)
        await self._outbox.say(tx, place.chat_id, said, merchant_id=merchant_id)

    async def drop(self, actor: Actor, asked: Asked[OrderQ], notice: Notice, place: Place) -> None:
        """They think better of it, or somebody else says no. A second press changes nothing.
        Refusals: those of `Approvals.answer`; confirmation_expired, where no message asked."""
        if asked.state == "dropped":
            return
        if not place.message_id:
            raise Refusal("confirmation_expired")
        async with self._store.transaction() as tx:
            await self.answer(tx, actor, asked, notice, place, yes=False)

    async def pass_on(
        self,
        asker: Actor,
        asked: Asked[ProvenQ],
        to_second: ProvenQuestion,
        notice: Notice,
        proof: Proof | None,
    ) -> None:
        """The asker has proven it, and a second person decides: on cards in the ops groups, and
        where it was asked."""
        question = asked.question
        place = Place(asker.chat_id, question.message_id)
        async with self._store.transaction() as tx:
            await self.answer(tx, asker, asked, notice, place, yes=True, proof=proof)
            await self._approvals.ask(
                tx,
                asker,
                to_second,
                merchant_id=question.merchant_id,
                message_id=question.message_id,
            )

    async def replace(self, question: OrderQuestion, notice: Notice, place: Place) -> None:
        """Tell in the same message what came of it since."""
        said = Say(notice, edit_message_id=place.message_id)
        await self._outbox.say(self._store, place.chat_id, said, merchant_id=question.merchant_id)

    async def tell_ops(self, tx: Tx, actor: Actor, what: What, question: OrderQuestion) -> None:
        """What one person did alone is told to the ops groups. actor: where it was asked."""
        name = await tx.fetchval("SELECT name FROM merchant WHERE id = $1", question.merchant_id)
        deed = Deed(
            what, question.merchant_no, name, question.amount, question.order_no, question.reason
        )
        await tell_ops(tx, self._groups, actor, deed)
