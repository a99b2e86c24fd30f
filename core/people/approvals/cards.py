"""Cards of what a second person decides: in the ops groups, and where it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.delivery.board import Board
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import rows
from core.people.approvals.questions import Asked, Decide, Q, Question
from core.people.approvals.rows import read
from core.people.approvals.second_person import alone_from
from core.people.groups import Groups
from core.people.people import Persons
from core.system.store import Queries, Store, Tx

# What is asked on cards, by its kind, and how an answer is carried out.
Kinds = Mapping[str, tuple[type[Question], Decide]]
OVER_AT_ONCE: Final = 50
# $1: now. Whether a card is to say that nobody answered in time.
APPROVALS_DUE: Final = """
EXISTS (SELECT FROM approval WHERE on_card AND state = 'open' AND expires_at <= $1)
"""


class ApprovalCards:
    """Says what waits on cards, and has them posted and edited. kinds: what is asked there, as it
    is known by then."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        people: Persons,
        groups: Groups,
        board: Board,
        kinds: Kinds,
    ) -> None:
        self._store = store
        self._clock = clock
        self._people = people
        self._groups = groups
        self._board = board
        self._kinds = kinds

    async def of(self, approval_id: UUID, queries: Queries | None = None) -> Asked[Any]:
        """A question as its card shows it; one that is over in time has the state `expired`.
        queries: the transaction that is open, if one is. Refusals: record_not_found."""
        queries = queries or self._store
        row = await queries.fetchrow(rows.FIND, approval_id)
        if row is None or row["kind"] not in self._kinds:
            raise Refusal("record_not_found")
        asked = read(self._kinds[row["kind"]][0], row)
        if asked.state != "open":
            return asked
        if row["expires_at"] <= self._clock.now():
            return replace(asked, state="expired")
        right, by = asked.question.right, asked.asked_by
        since = await alone_from(queries, self._people, right, by=by, at=asked.asked_at)
        return replace(asked, alone_from=since)

    async def waiting(self) -> list[Asked[Question]]:
        """What waits on cards now, the oldest first."""
        found = await self._store.fetch(rows.WAITING, self._clock.now())
        return [read(kind[0], row) for row in found if (kind := self._kinds.get(row["kind"]))]

    async def post_again(self, actor: Actor, approval_id: UUID) -> None:
        """The card of a question goes to the end of the ops group where somebody looks for it; of
        all of them, where that is asked for in private. Refusals: record_not_found,
        confirmation_expired (it was answered)."""
        async with self._store.transaction() as tx:
            if (await self.of(approval_id, tx)).state != "open":
                raise Refusal("confirmation_expired")
            ops = await self._groups.ops(tx)
            here = [actor.home] if actor.home in ops else ops
            await self._board.post_approval(tx, approval_id, here)

    async def open_about(
        self,
        queries: Queries,
        kind: type[Q],
        *,
        merchant_id: UUID | None = None,
        supplier_id: UUID | None = None,
    ) -> list[Asked[Q]]:
        """What waits on cards of a kind about a merchant or supplier, the oldest first."""
        found = await queries.fetch(
            rows.OPEN_ABOUT, self._clock.now(), kind.kind, merchant_id, supplier_id
        )
        return [read(kind, row) for row in found]

    async def end_due(self, most: int = OVER_AT_ONCE) -> int:
        """Cards of questions that nobody answered in time say so. How many there were."""
        async with self._store.transaction() as tx:
            found = await tx.fetch(rows.END_DUE, self._clock.now(), most)
            await self.show_all(tx, found)
        return len(found)

    async def show_all(self, tx: Tx, found: Sequence[asyncpg.Record], *, here: bool = True) -> None:
        """As `show`, of rows of any kinds; one of an older or newer desk is none of ours."""
        for row in found:
            if row["kind"] in self._kinds:
                await self.show(tx, read(self._kinds[row["kind"]][0], row), here=here)

    async def show(self, queries: Queries, asked: Asked[Q], *, here: bool = True) -> None:
        """Its cards, where it has some, are posted or edited. here: also where it was asked."""
        if asked.question.answered_in != "ops":
            return
        chats = (*await self._groups.ops(queries), *((asked.chat_id,) if here else ()))
        chat_ids = dict.fromkeys(chats)
        await self._board.show_approval(queries, asked.id, list(chat_ids))
