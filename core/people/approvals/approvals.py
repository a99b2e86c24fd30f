"""Approvals: a question is asked once, found by its button or by a reply, and answered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.codec import pack, unpack
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.people.actors import Actor
from core.people.approvals.questions import Asked, Q, Question
from core.system.store import Queries, Store, Tx


class Approvals:
    """Questions that wait for a person's word. Each is a merchant's, a supplier's or nobody's, and
    is answered where it was asked, in time, by whom its kind allows."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

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
        """Keep a question; its id goes under the buttons.

        merchant_id, supplier_id: whose it is; neither: nobody's. message_id: of the message that
        is the question, where a reply answers it, or that it is about.
        """
        asked = Asked(self._ids.uuid7(), actor.chat_id, actor.user_id, question, "open")
        now = self._clock.now()
        await tx.execute(
            _ASK,
            asked.id,
            question.kind,
            merchant_id,
            supplier_id,
            actor.user_id,
            actor.chat_id,
            message_id,
            pack(question),
            now + question.open_for,
            now,
        )
        return asked

    async def find(
        self, kind: type[Q], actor: Actor, approval_id: UUID, *, yes: bool = True
    ) -> Asked[Q]:
        """The question that an actor answers with yes or no, in the chat where it was asked, while
        that chat still sees its merchant or supplier: a group may have been bound to another since.

        An answered one is found as well. Refusals: confirmation_expired, confirmation_foreign,
        second_person_needed.
        """
        row = await self._store.fetchrow(_FIND, approval_id, kind.kind)
        if row is None or row["home"] != actor.home:
            raise Refusal("confirmation_expired")
        merchant_id, supplier_id = row["merchant_id"], row["supplier_id"]
        if merchant_id is not None and not actor.sees(merchant_id):
            raise Refusal("confirmation_expired")
        if supplier_id is not None and not actor.sees_supplier(supplier_id):
            raise Refusal("confirmation_expired")
        if row["state"] == "open" and row["expires_at"] <= self._clock.now():
            raise Refusal("confirmation_expired")
        question = unpack(kind, row["facts"])
        asked = Asked(approval_id, row["chat_id"], row["asked_by"], question, row["state"])
        asked.need_answerer(actor.user_id, yes=yes)
        return asked

    async def find_replied(
        self,
        kind: type[Question],
        user_id: int,
        chat_id: int,
        message_id: int,
        about: Mapping[str, str] | None = None,
    ) -> UUID | None:
        """The question that a person was asked last in a message, open or not. about: facts that
        it must have, where a message has several questions."""
        found: UUID | None = await self._store.fetchval(
            _FIND_REPLIED, chat_id, message_id, user_id, kind.kind, dict(about or {})
        )
        return found

    async def answered(self, approval_id: UUID) -> bool:
        """Whether somebody answered it before: a press then does nothing more."""
        return bool(
            await self._store.fetchval(
                "SELECT state <> 'open' FROM approval WHERE id = $1", approval_id
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

    async def answer(self, queries: Queries, actor: Actor, asked: Asked[Q], *, yes: bool) -> None:
        """Say yes or no, once, in the transaction of what the answer does. A twin waits here until
        we commit. There is no other way to say it: what else a yes may need of the actor, such as
        a second factor, is checked here.

        Refusals: confirmation_expired, confirmation_foreign, second_person_needed.
        """
        asked.need_answerer(actor.user_id, yes=yes)
        state = "used" if yes else "dropped"
        now = self._clock.now()
        if not await queries.execute(_ANSWER, asked.id, state, actor.user_id, now):
            raise Refusal("confirmation_expired")

    async def drop_of(self, tx: Tx, actor: Actor, holder_ids: Sequence[UUID]) -> None:
        """A group is no longer these merchants' or suppliers': nobody is asked about them there,
        nor about the group as it was."""
        await tx.execute(_DROP_OF, actor.home, list(holder_ids))


_ASK: Final = """
INSERT INTO approval (id, kind, merchant_id, supplier_id, asked_by, chat_id, message_id, facts,
    expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_FIND: Final = """
SELECT a.merchant_id, a.supplier_id, a.asked_by, a.chat_id, coalesce(g.moved_to, a.chat_id) AS home,
    a.facts, a.state, a.expires_at
FROM approval a LEFT JOIN chat_group g ON g.chat_id = a.chat_id
WHERE a.id = $1 AND a.kind = $2
"""
_FIND_REPLIED: Final = """
SELECT id FROM approval
WHERE chat_id = $1 AND message_id = $2 AND asked_by = $3 AND kind = $4 AND facts @> $5
ORDER BY created_at DESC LIMIT 1
"""
_ANSWER: Final = """
UPDATE approval SET state = $2, answered_by = $3, answered_at = $4
WHERE id = $1 AND state = 'open'
"""
_DROP_OF: Final = """
UPDATE approval a SET state = 'dropped'
WHERE a.state = 'open'
  AND (a.merchant_id = ANY($2) OR a.supplier_id = ANY($2)
       OR num_nonnulls(a.merchant_id, a.supplier_id) = 0)
  AND (a.chat_id = $1 OR a.chat_id IN (SELECT g.chat_id FROM chat_group g WHERE g.moved_to = $1))
"""
