"""Approvals: a question is asked once, found by its button or by a reply, and answered once.

What a second person decides in the ops groups has a card there, which shows how it stands. Whoever
asks for such a thing says once, when the desk is built, how a kind of question is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from core.delivery.board import Board
from core.delivery.outbox import Say
from core.kernel.clock import Clock
from core.kernel.codec import pack
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import Ids
from core.people.actors import Actor
from core.people.approvals import rows
from core.people.approvals.cards import ApprovalCards
from core.people.approvals.notices import ApprovedAlone
from core.people.approvals.questions import ALONE_MINUTES, Asked, Decide, Q, Question
from core.people.approvals.rows import read
from core.people.approvals.second_person import need_second
from core.people.factors import Proof
from core.people.groups import Groups
from core.people.people import Persons
from core.system.store import Queries, Store, Tx


class Approvals:
    """Questions that wait for a person's word. Each is a merchant's, a supplier's or nobody's, and
    is answered where its kind says, in time, by whom its kind allows.

    More than seven verbs: one table of questions, asked and answered in two ways, under a message
    or on a card.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, people: Persons, groups: Groups, board: Board
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._people = people
        self._groups = groups
        self._kinds: dict[str, tuple[type[Question], Decide]] = {}
        self.cards = ApprovalCards(store, clock, people, groups, board, self._kinds)

    def carries_out(self, kind: type[Question], decide: Decide) -> None:
        """How an answer on the cards of a kind is carried out. Raises Bug where that was said."""
        if kind.kind in self._kinds:
            raise Bug(f"carried out twice: {kind.kind}")
        self._kinds[kind.kind] = (kind, decide)

    async def ask(
        self,
        tx: Tx,
        actor: Actor,
        question: Q,
        *,
        merchant_id: UUID | None = None,
        supplier_id: UUID | None = None,
        message_id: int | None = None,
    ) -> Asked[Q]:
        """Keep a question; its id goes under the buttons. One that is answered in the ops groups
        gets its card there, and where it was asked.

        merchant_id, supplier_id: whose it is; neither: nobody's. message_id: of the message that
        is the question, where a reply answers it, or that it is about. Refusals: ops_missing
        (nobody could decide).
        """
        if question.answered_in == "ops" and not await self._groups.ops(tx):
            raise Refusal("ops_missing")
        now = self._clock.now()
        asked = Asked(
            id=self._ids.uuid7(),
            chat_id=actor.chat_id,
            message_id=message_id,
            asked_by=actor.user_id,
            asked_by_name=actor.name,
            asked_at=now,
            question=question,
            state="open",
        )
        await tx.execute(
            rows.ASK,
            asked.id,
            question.kind,
            merchant_id,
            supplier_id,
            actor.user_id,
            actor.name,
            actor.chat_id,
            message_id,
            pack(question),
            question.answered_in == "ops",
            now + question.open_for,
            now,
        )
        await self.cards.show(tx, asked)
        return asked

    async def find(
        self,
        kind: type[Q],
        actor: Actor,
        approval_id: UUID,
        *,
        yes: bool = True,
        proof: Proof | None = None,
    ) -> Asked[Q]:
        """The question that an actor answers with yes or no, in a chat where it is answered, while
        that chat still sees its merchant or supplier: a group may have been bound to another since.

        proof: who proved it in private may say yes there. An answered one is found as well.
        Refusals: confirmation_expired, confirmation_foreign,
        second_person_needed.
        """
        row = await self._store.fetchrow(rows.FIND, approval_id)
        if row is None or row["kind"] != kind.kind:
            raise Refusal("confirmation_expired")
        proven = proof is not None and proof.approval_id == approval_id
        if not _answered_here(kind, row, actor, yes=yes, proven=proven):
            raise Refusal("confirmation_expired")
        merchant_id, supplier_id = row["merchant_id"], row["supplier_id"]
        if merchant_id is not None and not actor.sees(merchant_id):
            raise Refusal("confirmation_expired")
        if supplier_id is not None and not actor.sees_supplier(supplier_id):
            raise Refusal("confirmation_expired")
        if row["state"] == "open" and row["expires_at"] <= self._clock.now():
            raise Refusal("confirmation_expired")
        asked = read(kind, row)
        asked.need_answerer(actor.user_id, yes=yes)
        return asked

    async def decide(
        self, actor: Actor, approval_id: UUID, *, yes: bool, proof: Proof | None = None
    ) -> None:
        """Answer a question of a card, and have that carried out. A second press changes nothing.
        proof: that the actor is who speaks, for this very question.

        Refusals: those of `find`, of `answer`, and of what is carried out.
        """
        kind, decide = self._kind_of(
            await self._store.fetchval("SELECT kind FROM approval WHERE id = $1", approval_id)
        )
        asked = await self.find(kind, actor, approval_id, yes=yes, proof=proof)
        if asked.state != "open":
            return
        # Looked at before anything is done, so that nobody waits for a supplier in vain.
        await self._need(self._store, actor, asked, proof, yes=yes)
        await decide(actor, asked, yes, proof)

    async def find_replied(
        self,
        kind: type[Question],
        user_id: int,
        chat_id: int,
        message_id: int,
        about: Mapping[str, str | None] | None = None,
    ) -> UUID | None:
        """The question that a person was asked last in a message, open or not. about: facts that
        it must have, where a message has several questions."""
        found: UUID | None = await self._store.fetchval(
            rows.FIND_REPLIED, chat_id, message_id, user_id, kind.kind, dict(about or {})
        )
        return found

    async def find_open(
        self, kind: type[Q], user_id: int, about: Mapping[str, Any]
    ) -> Asked[Q] | None:
        """What a person asked and nobody answered yet, while it is in time. about: facts that it
        must have, as JSON values."""
        row = await self._store.fetchrow(
            rows.FIND_OPEN, user_id, kind.kind, dict(about), self._clock.now()
        )
        return None if row is None else read(kind, row)

    async def answered(self, approval_id: UUID) -> bool:
        """Whether somebody answered it before: a press then does nothing more."""
        return bool(
            await self._store.fetchval(
                "SELECT state <> 'open' FROM approval WHERE id = $1", approval_id
            )
        )

    async def waits(self, approval_id: UUID) -> bool:
        """Whether it is open and in time: else nobody need prove anything for it."""
        return bool(
            await self._store.fetchval(
                "SELECT state = 'open' AND expires_at > $2 FROM approval WHERE id = $1",
                approval_id,
                self._clock.now(),
            )
        )

    async def amend(self, tx: Tx, asked: Asked[Q], question: Q) -> Asked[Q]:
        """Put other facts to an open question. Refusals: confirmation_expired."""
        amended = await tx.execute(
            "UPDATE approval SET facts = $2 WHERE id = $1 AND state = 'open'",
            asked.id,
            pack(question),
        )
        if not amended:
            raise Refusal("confirmation_expired")
        return replace(asked, question=question)

    async def answer(
        self,
        queries: Queries,
        actor: Actor,
        asked: Asked[Q],
        *,
        yes: bool,
        proof: Proof | None = None,
    ) -> None:
        """Say yes or no, once, in the transaction of what the answer does. A twin waits here until
        we commit. There is no other way to say it: what a yes needs of the actor is checked here.

        Refusals: confirmation_expired, confirmation_foreign, second_person_needed, approval_waits,
        not_permitted, asker_not_permitted (not any more), factor_needed.
        """
        alone = await self._need(queries, actor, asked, proof, yes=yes)
        answered = replace(
            asked,
            state="used" if yes else "dropped",
            answered_by_name=actor.name,
            answered_at=self._clock.now(),
            alone=alone,
        )
        done = await queries.execute(
            rows.ANSWER,
            asked.id,
            answered.state,
            actor.user_id,
            actor.name,
            answered.answered_at,
            alone,
        )
        if not done:
            raise Refusal("confirmation_expired")
        await self.cards.show(queries, answered)
        if alone:
            told = ApprovedAlone(asked.question.kind, actor.name, ALONE_MINUTES)
            await self._groups.tell_ops(queries, Say(told))

    async def drop_of(self, tx: Tx, actor: Actor, chat_id: int, holder_ids: Sequence[UUID]) -> None:
        """A group is no longer these merchants' or suppliers': nobody is asked about them there,
        nor about the group as it was. Their cards in the ops groups say so."""
        by = (actor.user_id, actor.name, self._clock.now())
        found = await tx.fetch(rows.DROP_OF, chat_id, list(holder_ids), *by)
        await self.cards.show_all(tx, found, here=False)

    async def drop_by(self, tx: Tx, actor: Actor, user_id: int) -> None:
        """Somebody is not of the staff any more: what that person asked is turned down."""
        by = (actor.user_id, actor.name, self._clock.now())
        await self.cards.show_all(tx, await tx.fetch(rows.DROP_BY, user_id, *by))

    async def drop_in(self, tx: Tx, kind: type[Question], user_id: int, chat_id: int) -> None:
        """Somebody left a group: what they asked of a kind there is taken back."""
        found = await tx.fetch(rows.DROP_IN, user_id, chat_id, kind.kind, self._clock.now())
        await self.cards.show_all(tx, found)

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    def _kind_of(self, kind: str | None) -> tuple[type[Question], Decide]:
        if kind not in self._kinds:
            raise Refusal("confirmation_expired")
        return self._kinds[kind]

    async def _need(
        self, queries: Queries, actor: Actor, asked: Asked[Q], proof: Proof | None, *, yes: bool
    ) -> bool:
        """Whether this is a yes of the only one who could say it. Refusals: as in `answer`."""
        asked.need_answerer(actor.user_id, yes=yes)
        question, own = asked.question, actor.user_id == asked.asked_by
        if question.right and (yes or not own):
            actor.need(question.right)
        if not yes:
            return False
        if question.yes_by == "second" and not own:
            await self._need_asker(queries, asked)
        alone = question.yes_by == "second" and await need_second(
            queries,
            self._people,
            question.right,
            actor,
            by=asked.asked_by,
            at=asked.asked_at,
            now=self._clock.now(),
        )
        if (alone or question.factor) and (
            proof is None or (proof.user_id, proof.approval_id) != (actor.user_id, asked.id)
        ):
            raise Refusal("factor_needed")
        return alone

    async def _need_asker(self, queries: Queries, asked: Asked[Q]) -> None:
        """Whoever asked may still do so. Refusals: asker_not_permitted."""
        question = asked.question
        right = question.right if question.asked_with is None else question.asked_with
        if not right:
            return
        person = await self._people.find(asked.asked_by, queries)
        if person is None or right not in person.rights:
            raise Refusal("asker_not_permitted", name=asked.asked_by_name)


def _answered_here(
    kind: type[Question], row: asyncpg.Record, actor: Actor, *, yes: bool, proven: bool
) -> bool:
    """Whether it is answered in the actor's chat. A yes may be proven in private; what is answered
    in the ops groups can be taken back where it was asked."""
    private = actor.chat_id == actor.user_id
    match kind.answered_in:
        case "private":
            return private
        case "ops":
            in_ops = actor.group is not None and actor.group.kind == "ops"
            return in_ops or (private and proven) or (not yes and row["home"] == actor.home)
        case "here":
            return bool(row["home"] == actor.home) or (private and proven)
