"""Changes of the staff: who gives what to whom, and where a second person decides."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.delivery.audit import Action
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Asked, alone_from
from core.people.factors import Proof
from core.people.groups import Groups
from core.people.people import Change, Person, Persons, Standing
from core.people.safeguards import Safeguards
from core.people.staff.notices import Hired, StaffChanged, TurnedAway
from core.people.staff.questions import HireQuestion
from core.people.staff.rules import RIGHT, need_may_change, takes_two
from core.system.store import Queries, Store, Tx

# Changes come one by one: two owners who end each other's role at once would leave none.
_ONE_BY_ONE: Final = "staff"
_SEEN_CHARS: Final = 8
# What the trail calls a change of a colleague.
_ACTIONS: Final[dict[str, Action]] = {
    "role": "set_role", "allow": "allow_right", "deny": "deny_right", "leave": "end_role",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waits:
    """A change that a second person decides, until over_at. alone_from: from when on the asker may
    do so, where nobody else can (it may be over by then); None where somebody can. factor: whether
    the asker has a second factor, which that takes."""

    approval_id: UUID
    over_at: datetime
    alone_from: datetime | None
    factor: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change. person: as that person stands now. waits: None where it was made."""

    person: Person
    waits: Waits | None = None


class Staff:
    """Makes changes of the staff, by the rules of `need_may_change`: written into the trail, and
    told to the ops groups."""

    def __init__(
        self, store: Store, delivery: Delivery, people: Persons, groups: Groups, guards: Safeguards
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._people = people
        self._groups = groups
        self._guards = guards
        guards.approvals.carries_out(HireQuestion, self._decide)

    async def change(
        self,
        actor: Actor,
        user_id: int,
        change: Change,
        *,
        name: str = "",
        offered_to: str | None = None,
        message_id: int,
    ) -> Outcome:
        """Say one thing of a person. A role makes somebody a colleague who was none.

        name: by which a new one is known; else it is the number. offered_to: what `seen` said of
        the person when the change was offered. message_id: of the message that says it. What the
        actor asked already, and nobody answered yet, is not asked again.

        Refusals: those of `Actor.need_among_staff` and of `make`; person_not_found, person_changed.
        """
        actor.need_among_staff(RIGHT)
        found = await self._people.find(user_id)
        person = found or Person(user_id, name or str(user_id), Standing())
        if change.what != "role" and person.role is None:
            raise Refusal("person_not_found", text=str(user_id))
        if offered_to is not None and offered_to != seen(person.standing):
            raise Refusal("person_changed", name=person.name)
        about = {"user_id": user_id, "change": pack(change)}
        asked = await self._guards.approvals.find_open(HireQuestion, actor.user_id, about)
        if asked is None or asked.question.before != person.standing:
            async with self._store.transaction() as tx:
                made = await self.make(tx, actor, person, change, message_id=message_id)
            if isinstance(made, Person):
                return Outcome(made)
            asked = made
        return Outcome(person, await self._waits(asked))

    async def make(
        self,
        tx: Tx,
        actor: Actor,
        person: Person,
        change: Change,
        *,
        invited: bool = False,
        message_id: int | None = None,
    ) -> Person | Asked[HireQuestion]:
        """Make a change in a transaction, or put it to the ops groups where a second person
        decides. person: as it was before; invited: who opened a link.

        Refusals: those of `need_may_change` and `Standing.after`; person_changed (meanwhile),
        ops_missing (nobody could decide).
        """
        await tx.hold(_ONE_BY_ONE)
        there = await self._people.find(person.user_id, tx)
        if there is not None and there.standing != person.standing:
            raise Refusal("person_changed", name=person.name)
        after = person.standing.after(change)
        if after == person.standing:
            return person
        if not await self.need_may(tx, actor.user_id, person, after):
            return await self._write(tx, actor, person, change)
        question = HireQuestion(person.user_id, person.name, change, person.standing, invited)
        return await self._guards.approvals.ask(tx, actor, question, message_id=message_id)

    async def need_may(
        self, queries: Queries, giver_id: int, person: Person, after: Standing
    ) -> bool:
        """Whether a second person decides a change that this giver may make, as everybody stands
        now. Refusals: those of `need_may_change`, ops_missing."""
        staff = await self._people.staff(queries)
        giver = next((one for one in staff if one.user_id == giver_id), None)
        owners = sum(one.standing.owns for one in staff if one.user_id != person.user_id)
        need_may_change(giver, person.user_id, person.standing, after, other_owners=owners)
        if not takes_two(person.standing, after):
            return False
        if not await self._guards.settings.switched_on("hire_second", queries):
            return False
        if not await self._groups.ops(queries):
            raise Refusal("ops_missing")
        return True

    async def _write(
        self,
        tx: Tx,
        actor: Actor,
        person: Person,
        change: Change,
        asked: Asked[HireQuestion] | None = None,
    ) -> Person:
        """The person stands so from now on. Who leaves loses everything at once. asked: what the
        actor approved."""
        after, guards = person.standing.after(change), self._guards
        await self._people.put(tx, person.user_id, person.name, after)
        if after.role is None:
            await guards.factors.take_away(tx, actor, person.user_id)
            await guards.approvals.drop_by(tx, actor, person.user_id)
        told = StaffChanged(
            user_id=person.user_id,
            name=person.name,
            change=change,
            before=person.role or "",
            actor_name=asked.asked_by_name if asked is not None else actor.name,
            approved_by=actor.name if asked is not None else "",
        )
        action: Action = "hire" if person.role is None else _ACTIONS[change.what]
        before = {"before": told.before} if told.before and change.what == "role" else {}
        facts = {
            "user_id": told.user_id, "name": told.name, "word": change.word, **before,
            "asked_by": asked.asked_by_name if asked is not None else "", "actor_name": actor.name,
        }  # fmt: skip
        await self._delivery.audit.record(
            tx, action, actor=actor.trail_name, facts=facts, chat_id=actor.chat_id
        )
        await self._groups.tell_ops(tx, Say(told), but=actor.chat_id)
        return await self._people.find(person.user_id, tx) or person

    async def _decide(
        self, actor: Actor, asked: Asked[HireQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals of a yes: own_standing (the colleague is the second person), person_changed
        (since it was asked), and those of `need_may_change`, for both who say yes."""
        question = asked.question
        async with self._store.transaction() as tx:
            await tx.hold(_ONE_BY_ONE)
            await self._guards.approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            found = await self._people.find(question.user_id, tx)
            person = found or Person(question.user_id, question.name, Standing())
            if yes:
                if person.standing != question.before:
                    raise Refusal("person_changed", name=person.name)
                for giver_id in (asked.asked_by, actor.user_id):
                    await self.need_may(tx, giver_id, person, question.after)
                await self._write(tx, actor, person, question.change, asked)
            if question.invited:
                word: Notice = Hired(question.change.word) if yes else TurnedAway()
                await self._delivery.outbox.say(tx, question.user_id, Say(word))

    async def _waits(self, asked: Asked[HireQuestion]) -> Waits:
        by = asked.asked_by
        since = await alone_from(self._store, self._people, RIGHT, by=by, at=asked.asked_at)
        factor = await self._guards.factors.enrolled(by)
        return Waits(asked.id, asked.over_at, since, factor)


def seen(standing: Standing) -> str:
    """Enough of a standing to notice that it is another one."""
    return hashlib.sha256(repr(standing).encode()).hexdigest()[:_SEEN_CHARS]
