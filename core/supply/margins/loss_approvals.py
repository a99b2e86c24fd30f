"""A change by which orders may lose money is made once a second person has seen where they would:
set rates and costs, and who sells what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from core.kernel.errors import Bug, Refusal
from core.people.actors import Actor
from core.people.approvals import Asked, SecondQuestion
from core.people.district import People
from core.people.factors import Proof
from core.people.receipts import Cause
from core.supply.margins.margins import Below, Changed, Margins
from core.system.store import Store, Tx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LossQuestion(SecondQuestion):
    """Whether to make a change by which some orders would cost more than they bring in. What is
    approved is approved beside these rates and costs and no others."""

    right: ClassVar[str] = "price"

    @property
    def outdated(self) -> Refusal:
        """What is said where it is not any more what was seen."""
        return Refusal("margins_changed")


Q = TypeVar("Q", bound=LossQuestion)
# What a second person would be asked about this.
QuestionOf = Callable[[tuple[Below, ...]], LossQuestion]


@dataclass(frozen=True, slots=True)
class Check:
    """Looks at a change in the transaction that made it, once it is written, and lets it pass or
    raises. approver: who said yes; None where nobody was asked."""

    need: Callable[[Tx, Changed, QuestionOf], Awaitable[None]]
    approver: Actor | None = None


class _Asks(Exception):
    """A second person is to be asked this. Let out of the transaction, which rolls it back."""

    def __init__(self, question: LossQuestion) -> None:
        super().__init__()
        self.question = question


class LossApprovals:
    """Makes such changes, or asks first."""

    def __init__(self, store: Store, people: People, margins: Margins) -> None:
        self._store = store
        self._access = people.access
        self._approvals = people.approvals
        self._margins = margins

    def carries_out(
        self, kind: type[Q], do: Callable[[Actor, Q, Cause, Check], Awaitable[object]]
    ) -> None:
        """How a change of this kind that was approved is made: by whoever asked, because of what
        was said then."""
        self._approvals.carries_out(kind, partial(self._decide, do))

    async def make(
        self,
        actor: Actor,
        kind: type[LossQuestion],
        cause: Cause,
        do: Callable[[Check], Awaitable[T]],
        *,
        merchant_id: UUID | None = None,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> T | None:
        """Make a change; None where a second person is asked instead, or was for this cause.

        do: makes it, with the check as its last step but the commit. merchant_id: whose rate it
        is. also: done with the question, first.
        """
        user_id, chat_id = actor.user_id, cause.chat_id
        if await self._approvals.find_replied(kind, user_id, chat_id, cause.message_id):
            return None

        async def ask_first(tx: Tx, changed: Changed, question_of: QuestionOf) -> None:
            below = await self._margins.below_cost(tx, changed)
            if await self._margins.needs_second(below, tx):
                raise _Asks(question_of(below))

        try:
            return await do(Check(ask_first))
        except _Asks as asks:
            async with self._store.transaction() as tx:
                if also is not None:
                    await also(tx)
                await self._approvals.ask(
                    tx, actor, asks.question, merchant_id=merchant_id, message_id=cause.message_id
                )
        return None

    async def _decide(
        self,
        do: Callable[[Actor, Any, Cause, Check], Awaitable[object]],
        actor: Actor,
        asked: Asked[LossQuestion],
        yes: bool,
        proof: Proof | None,
    ) -> None:
        """Refusals: those of `Approvals.answer` and of what is done, asker_not_permitted,
        margins_changed."""
        question = asked.question
        if not yes:
            async with self._store.transaction() as tx:
                await self._approvals.answer(tx, actor, asked, yes=False)
            return
        if asked.message_id is None:
            raise Bug(f"no message says what {asked.id} asks about")
        author = await asked.asker(self._access)
        seen = False

        async def approve(tx: Tx, changed: Changed, question_of: QuestionOf) -> None:
            nonlocal seen
            seen = True
            await self._approvals.answer(tx, actor, asked, yes=True, proof=proof)
            if question_of(await self._margins.below_cost(tx, changed)) != question:
                raise question.outdated

        cause = Cause(asked.chat_id, asked.message_id, 1)
        await do(author, question, cause, Check(approve, actor))
        if not seen:  # it is so already
            raise question.outdated
