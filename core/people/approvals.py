"""Questions that wait for a person's button, for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.people.actors import Actor
from core.system.store import Queries, Store, Tx

OPEN_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question as it stands. state: open | used | dropped; an open one is in time. chat_id: where
    it was asked, and what it asks about was said; the group may have moved since."""

    id: UUID
    chat_id: int
    asked_by: int
    facts: dict[str, Any]
    state: str


class Confirmations:
    """Asked with facts, found again by the button, answered once."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def ask(
        self,
        tx: Tx,
        kind: str,
        actor: Actor,
        facts: dict[str, Any],
        *,
        message_id: int | None = None,
    ) -> UUID:
        """Write a question down; its id goes under the buttons. kind: of the table's CHECK.

        facts: merchant_id or supplier_id among them, whose question it is. message_id: of a
        question that is answered by a reply to it, or of the message that is asked about.
        """
        confirmation_id = self._ids.uuid7()
        now = self._clock.now()
        await tx.execute(
            "INSERT INTO confirmation (id, kind, actor_user_id, chat_id, message_id, facts,"
            " expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            confirmation_id,
            kind,
            actor.user_id,
            actor.chat_id,
            message_id,
            facts,
            now + OPEN_FOR,
            now,
        )
        return confirmation_id

    async def find(self, kind: str, actor: Actor, confirmation_id: UUID) -> Confirmation:
        """The question of a button, in the chat where it was asked, while that chat still sees
        its merchant or supplier: a group may have been bound to another one since.

        An answered one is found as well. Refusals: confirmation_expired.
        """
        row = await self._store.fetchrow(
            "SELECT c.actor_user_id, c.chat_id, coalesce(g.moved_to, c.chat_id) AS home, c.facts,"
            " c.state, c.expires_at FROM confirmation c"
            " LEFT JOIN chat_group g ON g.chat_id = c.chat_id WHERE c.id = $1 AND c.kind = $2",
            confirmation_id,
            kind,
        )
        if row is None or row["home"] != actor.home:
            raise Refusal("confirmation_expired")
        supplier_id = row["facts"].get("supplier_id")
        seen = (
            actor.sees_supplier(UUID(supplier_id))
            if supplier_id
            else actor.sees(UUID(row["facts"]["merchant_id"]))
        )
        if not seen:
            raise Refusal("confirmation_expired")
        if row["state"] == "open" and row["expires_at"] <= self._clock.now():
            raise Refusal("confirmation_expired")
        return Confirmation(
            confirmation_id, row["chat_id"], row["actor_user_id"], row["facts"], row["state"]
        )

    async def find_own(self, kind: str, actor: Actor, confirmation_id: UUID) -> Confirmation:
        """As `find`, for the person who asked. Refusals: confirmation_expired,
        confirmation_foreign."""
        found = await self.find(kind, actor, confirmation_id)
        if found.asked_by != actor.user_id:
            raise Refusal("confirmation_foreign")
        return found

    async def answered(self, confirmation_id: UUID) -> bool:
        """Whether somebody answered it before: a press then does nothing more."""
        return bool(
            await self._store.fetchval(
                "SELECT state <> 'open' FROM confirmation WHERE id = $1", confirmation_id
            )
        )

    async def find_replied(
        self,
        kind: str,
        user_id: int,
        chat_id: int,
        message_id: int,
        about: Mapping[str, str] | None = None,
    ) -> UUID | None:
        """The question that a person was asked last in a message, open or not. about: facts that
        it must have, where a message has several questions."""
        found: UUID | None = await self._store.fetchval(
            "SELECT id FROM confirmation WHERE chat_id = $1 AND message_id = $2"
            " AND actor_user_id = $3 AND kind = $4 AND facts @> $5"
            " ORDER BY created_at DESC LIMIT 1",
            chat_id,
            message_id,
            user_id,
            kind,
            dict(about or {}),
        )
        return found

    async def amend(self, tx: Tx, confirmation_id: UUID, facts: dict[str, Any]) -> None:
        """Put other facts to an open question. Refusals: confirmation_expired."""
        amended = await tx.execute(
            "UPDATE confirmation SET facts = $2 WHERE id = $1 AND state = 'open'",
            confirmation_id,
            facts,
        )
        if not amended:
            raise Refusal("confirmation_expired")

    async def drop_of(self, tx: Tx, actor: Actor, holder_id: UUID) -> None:
        """A group is no longer this merchant's or supplier's: nobody is asked about it there."""
        await tx.execute(
            "UPDATE confirmation c SET state = 'dropped' WHERE c.state = 'open'"
            " AND $2 IN (c.facts->>'merchant_id', c.facts->>'supplier_id')"
            " AND (c.chat_id = $1 OR c.chat_id IN"
            "      (SELECT g.chat_id FROM chat_group g WHERE g.moved_to = $1))",
            actor.home,
            str(holder_id),
        )

    async def close(self, queries: Queries, confirmation_id: UUID, state: str) -> None:
        """Answer a question (used | dropped), once, in the transaction of what the answer does.

        A twin waits here until we commit. Refusals: confirmation_expired.
        """
        closed = await queries.execute(
            "UPDATE confirmation SET state = $2 WHERE id = $1 AND state = 'open'",
            confirmation_id,
            state,
        )
        if not closed:
            raise Refusal("confirmation_expired")
