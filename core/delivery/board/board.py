"""What is posted and shows a state: cards, live bills and alarms are drawn anew when that changes.

Whoever changes an alarm says so in its transaction. Nobody says so of orders and of money, which
move too often: `core.reports.changes` looks for them. An edit of a message that was edited a moment
ago rests first, and meanwhile gathers whatever else happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from core.delivery.board.posts import Posts, Subject
from core.delivery.outbox import (
    NOBODY,
    AlarmCard,
    ApprovalCard,
    Bill,
    Card,
    Outbox,
    Pin,
    Saying,
    TakeAway,
    Unpin,
)
from core.kernel.clock import Clock
from core.system.store import Queries, Store, Tx

# One edit of a live bill per group and this long: a busy day must not be a flood of edits.
BILL_REST: Final = timedelta(seconds=3)
# A flood is one edit per group and this long: the figures of a moment ago do nobody harm.
ALARM_REST: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class CardPost:
    """A message that is an order's card."""

    chat_id: int
    message_id: int
    merchant_id: UUID
    order_id: UUID


class Board:
    """Has what is posted edited, replaced and let go of. posts: what there is.

    More than seven verbs: each kind of message that shows something has a verb of its own.
    """

    def __init__(self, store: Store, clock: Clock, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._outbox = outbox
        self.posts = Posts(store, clock)

    async def show_bills(
        self, tx: Tx, bills: Sequence[tuple[UUID, int]], rest: timedelta = BILL_REST
    ) -> None:
        """Live bills, each of a merchant and in a chat, are edited, or posted; none is named twice.
        rest: so long stands one that was edited a moment ago; meanwhile it gathers whatever else
        happens."""
        if not bills:
            return
        now = self._clock.now()
        shown = await tx.fetch(_BILLS_SHOWN, [m for m, _ in bills], [chat for _, chat in bills])
        rested = {(row["merchant_id"], row["chat_id"]): row["shown_at"] + rest for row in shown}
        sayings = [
            Saying(
                chat_id,
                Bill(merchant_id=str(merchant_id)),
                merchant_id,
                f"bill:{chat_id}",
                max(now, rested.get((merchant_id, chat_id), now)),
            )
            for merchant_id, chat_id in bills
        ]
        await self._outbox.say_all(tx, sayings)

    async def show_cards(self, queries: Queries, cards: Sequence[CardPost]) -> None:
        """These messages are to show orders as they are when they are edited."""
        sayings = [
            Saying(
                card.chat_id,
                Card(str(card.merchant_id), str(card.order_id), edit_message_id=card.message_id),
                card.merchant_id,
                f"card:{card.chat_id}:{card.message_id}",
            )
            for card in cards
        ]
        await self._outbox.say_all(queries, sayings)

    async def show_alarm(self, tx: Tx, alarm_id: UUID, chat_ids: Sequence[int]) -> None:
        """An alarm changed: its one message in each of these chats is edited, or posted."""
        await self._show_one(tx, Subject.alarm(alarm_id), AlarmCard, chat_ids, ALARM_REST)

    async def show_approval(
        self, queries: Queries, approval_id: UUID, chat_ids: Sequence[int]
    ) -> None:
        """What waits for a second person, or was answered: likewise, and at once."""
        subject = Subject.approval(approval_id)
        await self._show_one(queries, subject, ApprovalCard, chat_ids, timedelta(0))

    async def post_approval(self, tx: Tx, approval_id: UUID, chat_ids: Sequence[int]) -> None:
        """The card goes below all else in these chats: where it stands it is taken away."""
        subject = Subject.approval(approval_id)
        for row in await tx.fetch(_LET_GO, list(chat_ids), NOBODY, subject.kind, subject.ref):
            await self._outbox.say(tx, row["chat_id"], TakeAway(row["message_id"]))
        await self.show_approval(tx, approval_id, chat_ids)

    async def _show_one(
        self,
        queries: Queries,
        subject: Subject,
        card: type[AlarmCard | ApprovalCard],
        chat_ids: Sequence[int],
        rest: timedelta,
    ) -> None:
        now = self._clock.now()
        shown = await queries.fetch(_CARDS_SHOWN, NOBODY, subject.kind, subject.ref)
        rested = {row["chat_id"]: row["shown_at"] + rest for row in shown}
        sayings = [
            Saying(
                chat_id,
                card(subject.ref, posted=chat_id in rested),
                dedupe_key=f"{subject.kind}:{chat_id}:{subject.ref}",
                due_at=max(now, rested.get(chat_id, now)),
            )
            for chat_id in chat_ids
        ]
        await self._outbox.say_all(queries, sayings)

    async def replace_bill(self, chat_id: int, merchant_id: UUID, day: date) -> None:
        """The live bill of a day was posted: the one before it is edited once more, to the figures
        that its day closed with, and is pinned no longer."""
        former = await self._store.fetchrow(_FORMER_BILL, chat_id, merchant_id, day.isoformat())
        if former is not None:
            message_id, its_day = former["message_id"], former["ref"]
            await self._outbox.say(
                self._store,
                chat_id,
                Bill(str(merchant_id), its_day, its_day, edit_message_id=message_id),
                merchant_id=merchant_id,
                dedupe_key=f"closed:{chat_id}:{message_id}",
            )
        await self.set_pins(self._store, chat_id)

    async def set_pins(self, queries: Queries, chat_id: int) -> None:
        """Of each merchant the newest live bill is to be pinned, and no other: what differs in the
        chat is put right."""
        await self._set_pins(queries, chat_id, ended=None)

    async def end(self, tx: Tx, chat_id: int, merchant_id: UUID) -> tuple[int, str] | None:
        """Nothing of a merchant is shown here any more: what waits to be shown is dropped, and
        what is posted is left as it is. Returns its last live bill, and that one's day as ISO
        date; None where there was none."""
        last = await tx.fetchrow(_LAST_BILL, chat_id, merchant_id)
        await tx.execute(_DROP_WAITING, chat_id, merchant_id)
        await self._set_pins(tx, chat_id, ended=merchant_id)
        await tx.execute(
            "DELETE FROM post WHERE chat_id = $1 AND merchant_id = $2", chat_id, merchant_id
        )
        return None if last is None else (last["message_id"], last["ref"])

    async def move(self, tx: Tx, old_chat_id: int, new_chat_id: int) -> None:
        """A group has another id and its messages are numbered anew: what is posted is let go of,
        what names a message is dropped, and what else waits is said in the new one."""
        await tx.execute("DELETE FROM post WHERE chat_id = $1", old_chat_id)
        await tx.execute(_DROP_EDITS, old_chat_id)
        await tx.execute(_MOVE_WAITING, old_chat_id, new_chat_id)

    async def _set_pins(self, queries: Queries, chat_id: int, *, ended: UUID | None) -> None:
        """ended: the merchant whose bills are to be pinned there no longer, the newest neither."""
        for row in await queries.fetch(_BILLS, chat_id):
            message_id, merchant_id = row["message_id"], row["merchant_id"]
            is_newest, is_pinned = row["newest"], row["pinned"]
            stays = is_newest and merchant_id != ended
            fact: Pin | Unpin
            if stays and not is_pinned:
                fact = Pin(message_id)
            elif not stays and (is_pinned or is_newest):  # the pin of the newest may be on its way
                fact = Unpin(message_id)
            else:
                continue
            await self._outbox.say(
                queries, chat_id, fact, merchant_id=merchant_id,
                dedupe_key=f"{fact.topic}:{chat_id}:{message_id}",
            )  # fmt: skip


_BILLS_SHOWN: Final = """
SELECT merchant_id, chat_id, max(p.shown_at) AS shown_at
FROM unnest($1::uuid[], $2::bigint[]) AS b (merchant_id, chat_id)
JOIN post p USING (merchant_id, chat_id)
WHERE p.kind = 'bill' GROUP BY merchant_id, chat_id
"""
_CARDS_SHOWN: Final = """
SELECT chat_id, max(shown_at) AS shown_at FROM post
WHERE merchant_id = $1 AND kind = $2 AND ref = $3 GROUP BY chat_id
"""
_LET_GO: Final = """
DELETE FROM post
WHERE chat_id = ANY($1::bigint[]) AND merchant_id = $2 AND kind = $3 AND ref = $4
RETURNING chat_id, message_id
"""
_FORMER_BILL: Final = """
SELECT message_id, ref FROM post
WHERE chat_id = $1 AND merchant_id = $2 AND kind = 'bill' AND ref < $3
ORDER BY message_id DESC LIMIT 1
"""
_LAST_BILL: Final = """
SELECT message_id, ref FROM post WHERE chat_id = $1 AND merchant_id = $2 AND kind = 'bill'
ORDER BY message_id DESC LIMIT 1
"""
# The pin comes before the unpinning of former bills: between them, a chat has two and never none.
_BILLS: Final = """
SELECT merchant_id, message_id, pinned,
       message_id = max(message_id) OVER (PARTITION BY merchant_id) AS newest
FROM post WHERE chat_id = $1 AND kind = 'bill'
ORDER BY newest DESC, message_id
"""
_DROP_WAITING: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox
    WHERE chat_id = $1 AND merchant_id = $2 AND state = 'waiting' AND held_by IS NULL
      AND topic IN ('card', 'bill')
    ORDER BY topic = 'bill', facts->>'order_id', (facts->>'edit_message_id')::bigint FOR UPDATE
)
"""
# What names a message of the old chat would hit a stranger in the new one. Bills go as well: one
# that replies to nothing is the live one, and that is shown anew. The order is as above.
_DROP_EDITS: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox
    WHERE chat_id = $1 AND state = 'waiting' AND held_by IS NULL
      AND (facts ?| ARRAY['edit_message_id', 'message_id', 'before'] OR topic = 'bill')
    ORDER BY topic = 'bill', facts->>'order_id', (facts->>'edit_message_id')::bigint FOR UPDATE
)
"""
_MOVE_WAITING: Final = """
UPDATE outbox SET chat_id = $2, facts = facts - 'reply_to'
WHERE chat_id = $1 AND state = 'waiting' AND held_by IS NULL
"""
