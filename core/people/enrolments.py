"""A second factor is enrolled. Whoever has one proves with it that the other one may count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal
from uuid import UUID

from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, Question
from core.people.factors import Enrolment, FactorKind, Factors, Proof
from core.system.store import Store

# Every colleague has it.
RIGHT: Final = "see_channel"


@dataclass(frozen=True, slots=True)
class EnrolQuestion(Question):
    """Whether a factor counts beside the one that the person has, who proves it with that one: else
    whoever holds a chat account could replace it. begun_at: when it was begun; one that is begun
    anew is another."""

    kind: ClassVar[str] = "enrol"
    answered_in: ClassVar[Literal["here", "ops", "private"]] = "private"
    right: ClassVar[str] = RIGHT
    factor: ClassVar[bool] = True
    what: FactorKind
    begun_at: datetime


class Enrolments:
    """Enrols factors of staff, in private."""

    def __init__(self, store: Store, factors: Factors, approvals: Approvals) -> None:
        self._store = store
        self._factors = factors
        self._approvals = approvals
        approvals.carries_out(EnrolQuestion, self._decide)

    async def begin_totp(self, actor: Actor, issuer: str) -> Enrolment:
        """A new secret for an authenticator app; `finish_totp` is next. issuer: as the app lists
        it. Refusals: not_permitted, factor_enrolled."""
        actor.need(RIGHT)
        return await self._factors.begin_totp(actor, issuer)

    async def finish_totp(self, actor: Actor, code: str) -> UUID | None:
        """The app shows this code. None: it counts from now on. Else the question to prove with the
        factor that the person has. Refusals: not_permitted, those of `Factors.finish_totp`."""
        actor.need(RIGHT)
        return await self._ask(actor, "totp", await self._factors.finish_totp(actor, code))

    async def set_password(self, actor: Actor, password: str) -> UUID | None:
        """As `finish_totp`, of a password. Refusals: not_permitted, those of
        `Factors.set_password`."""
        actor.need(RIGHT)
        return await self._ask(actor, "password", await self._factors.set_password(actor, password))

    async def _ask(self, actor: Actor, what: FactorKind, begun_at: datetime | None) -> UUID | None:
        if begun_at is None:
            return None
        async with self._store.transaction() as tx:
            return (await self._approvals.ask(tx, actor, EnrolQuestion(what, begun_at))).id

    async def _decide(
        self, actor: Actor, asked: Asked[EnrolQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer` and of `Factors.count`."""
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if yes:
                question = asked.question
                await self._factors.count(tx, actor, question.what, question.begun_at)
