"""A lost phone or a forgotten password: two owners take a person's factors away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, SecondQuestion
from core.people.factors import Factors, Proof
from core.people.people import Persons
from core.system.store import Store

RIGHT: Final = "people"


@dataclass(frozen=True, slots=True)
class FactorResetQuestion(SecondQuestion):
    """Whether to take a person's code and password away, so that new ones can be enrolled."""

    kind: ClassVar[str] = "factor_reset"
    open_for: ClassVar[timedelta] = timedelta(hours=1)
    right: ClassVar[str] = RIGHT
    user_id: int
    name: str


class Recovery:
    """Asks for it, and does it once another owner has said yes."""

    def __init__(
        self, store: Store, people: Persons, factors: Factors, approvals: Approvals
    ) -> None:
        self._store = store
        self._people = people
        self._factors = factors
        self._approvals = approvals
        approvals.carries_out(FactorResetQuestion, self._decide)

    async def ask(self, actor: Actor, user_id: int, *, message_id: int) -> None:
        """Ask the other owners. Where there is none, whoever asks can say yes after ten minutes,
        with a factor; an owner's own lost factor needs another owner.

        Refusals: those of `Actor.need_among_staff`, person_not_found, factor_missing_of.
        """
        actor.need_among_staff(RIGHT)
        person = await self._people.find(user_id)
        if person is None or person.role is None:
            raise Refusal("person_not_found", text=str(user_id))
        if not await self._factors.of(user_id):
            raise Refusal("factor_missing_of", name=person.name)
        question = FactorResetQuestion(user_id, person.name)
        async with self._store.transaction() as tx:
            await self._approvals.ask(tx, actor, question, message_id=message_id)

    async def _decide(
        self, actor: Actor, asked: Asked[FactorResetQuestion], yes: bool, proof: Proof | None
    ) -> None:
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if yes:
                await self._factors.take_away(tx, actor, asked.question.user_id)
