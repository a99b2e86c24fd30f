"""What is posted and shows a state: cards, live bills and alarms are drawn anew when that changes.

Whoever changes an alarm says so in its transaction. Nobody says so of orders and of money, which
move too often: `core.reports.changes` looks for them. An edit of a message that was edited a moment
ago rests first, and meanwhile gathers whatever else happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from core.delivery.board.posts import Posts, Subject
from core.delivery.outbox import (
    NOBODY,
    AlarmCard,
    ApprovalCard,
    Bill,
    Card,
    DeskBill,
    Outbox,
    Pin,
    Saying,
    TakeAway,
    Unpin,
)
from core.kernel.clock import Clock
from core.kernel.holder import HOUSE
from core.system.store import Queries, Store, Tx

# One edit of a live bill per group and this long: a busy day must not be a flood of edits.
BILL_REST: Final = timedelta(seconds=3)
# The platform's is added up over all merchants' books, and moves whenever any of them does.
PLATFORM_BILL_REST: Final = timedelta(seconds=10)
# A flood is one edit per group and this long: the figures of a moment ago do nobody harm.
ALARM_REST: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class CardPost:
    """A message that is an order's card."""

    chat_id: int
    message_id: int
    merchant_id: UUID
    order_id: UUID


@dataclass(frozen=True, slots=True)
class LiveBill:
    """A chat's one bill of the open day of a merchant, a supplier or (HOUSE) the platform."""

    whose: Literal["merchant", "supplier", "platform"]
    holder_id: UUID
    chat_id: int

    @staticmethod
    def of_desk(holder_id: UUID, chat_id: int) -> LiveBill:
        """Of a supplier or (HOUSE) the platform."""
        return LiveBill("platform" if holder_id == HOUSE else "supplier", holder_id, chat_id)

    @property
    def rest(self) -> timedelta:
        """So long it stands between edits, at the least."""
        return PLATFORM_BILL_REST if self.whose == "platform" else BILL_REST

    def fact(self, day: date | None = None, edit_message_id: int | None = None) -> Bill | DeskBill:
        """What is put into the outbox. day: one that closed; None: the open one."""
        of_day = None if day is None else day.isoformat()
        if self.whose == "merchant":
            holder = str(self.holder_id)
            return Bill(holder, of_day, of_day, edit_message_id=edit_message_id)
        supplier = str(self.holder_id) if self.whose == "supplier" else None
        return DeskBill(of_day, of_day, supplier, edit_message_id=edit_message_id)


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
        self, tx: Tx, bills: Sequence[LiveBill], rest: timedelta = BILL_REST
    ) -> None:
        """Live bills are edited, or posted; none is named twice. rest: so long stands one that was
        edited a moment ago; meanwhile it gathers whatever else happens."""
        if not bills:
            return
        now = self._clock.now()
        shown = await tx.fetch(
            _BILLS_SHOWN, [bill.holder_id for bill in bills], [bill.chat_id for bill in bills]
        )
        shown_at = {(row["holder_id"], row["chat_id"]): row["shown_at"] for row in shown}

        def due_at(bill: LiveBill) -> datetime:
            last = shown_at.get((bill.holder_id, bill.chat_id))
            return now if last is None else max(now, last + max(rest, bill.rest))

        sayings = [
            Saying(bill.chat_id, bill.fact(), bill.holder_id, f"bill:{bill.chat_id}", due_at(bill))
            for bill in bills
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

    async def replace_bill(self, bill: LiveBill, day: date) -> None:
        """The live bill of a day was posted: the one before it is edited once more, to the figures
        that its day closed with, and is pinned no longer."""
        former = await self._store.fetchrow(
            _FORMER_BILL, bill.chat_id, bill.holder_id, day.isoformat()
        )
        if former is not None:
            its_day = date.fromisoformat(former["ref"])
            await self._close_bill(self._store, bill, its_day, former["message_id"])
        await self.set_pins(self._store, bill.chat_id)

    async def close_bill(self, tx: Tx, bill: LiveBill, day: date) -> bool:
        """Nothing is booked in a day any more: its live bill is edited to what the day closed
        with. False where the chat has none of it."""
        message_id = await tx.fetchval(_BILL_OF_DAY, bill.chat_id, bill.holder_id, day.isoformat())
        if message_id is None:
            return False
        await self._close_bill(tx, bill, day, message_id)
        return True

    async def _close_bill(
        self, queries: Queries, bill: LiveBill, day: date, message_id: int
    ) -> None:
        await self._outbox.say(
            queries,
            bill.chat_id,
            bill.fact(day, message_id),
            merchant_id=bill.holder_id,
            dedupe_key=f"closed:{bill.chat_id}:{message_id}",
        )

    async def set_pins(self, queries: Queries, chat_id: int) -> None:
        """Of each holder the newest live bill is to be pinned, and no other: what differs in the
        chat is put right."""
        await self._set_pins(queries, chat_id, ended=None)

    async def end(self, tx: Tx, chat_id: int, holder_id: UUID) -> tuple[int, str] | None:
        """Nothing of a merchant, a supplier or (HOUSE) the platform is shown here any more: what
        waits to be shown is dropped, and what is posted is left as it is. Returns its last live
        bill, and that one's day as ISO date; None where there was none."""
        last = await tx.fetchrow(_LAST_BILL, chat_id, holder_id)
        await tx.execute(_DROP_WAITING, chat_id, holder_id)
        await self._set_pins(tx, chat_id, ended=holder_id)
        await tx.execute(_FORGET, chat_id, holder_id, NOBODY)
        return None if last is None else (last["message_id"], last["ref"])

    async def move(self, tx: Tx, old_chat_id: int, new_chat_id: int) -> None:
        """A group has another id and its messages are numbered anew: what is posted is let go of,
        what names a message is dropped, and what else waits is said in the new one."""
        await tx.execute("DELETE FROM post WHERE chat_id = $1", old_chat_id)
        await tx.execute(_DROP_EDITS, old_chat_id)
        await tx.execute(_MOVE_WAITING, old_chat_id, new_chat_id)

    async def _set_pins(self, queries: Queries, chat_id: int, *, ended: UUID | None) -> None:
        """ended: the holder whose bills are to be pinned there no longer, the newest neither."""
        for row in await queries.fetch(_BILLS, chat_id):
            message_id, holder_id = row["message_id"], row["holder_id"]
            is_newest, is_pinned = row["newest"], row["pinned"]
            stays = is_newest and holder_id != ended
            fact: Pin | Unpin
            if stays and not is_pinned:
                fact = Pin(message_id)
            elif not stays and (is_pinned or is_newest):  # the pin of the newest may be on its way
                fact = Unpin(message_id)
            else:
                continue
            await self._outbox.say(
                queries, chat_id, fact, merchant_id=holder_id,
                dedupe_key=f"{fact.topic}:{chat_id}:{message_id}",
            )  # fmt: skip


_BILLS_SHOWN: Final = """
SELECT holder_id, chat_id, max(p.shown_at) AS shown_at
FROM unnest($1::uuid[], $2::bigint[]) AS b (holder_id, chat_id)
JOIN post p USING (holder_id, chat_id)
WHERE p.kind = 'bill' GROUP BY holder_id, chat_id
"""
_CARDS_SHOWN: Final = """
SELECT chat_id, max(shown_at) AS shown_at FROM post
WHERE holder_id = $1 AND kind = $2 AND ref = $3 GROUP BY chat_id
"""
_LET_GO: Final = """
DELETE FROM post
WHERE chat_id = ANY($1::bigint[]) AND holder_id = $2 AND kind = $3 AND ref = $4
RETURNING chat_id, message_id
"""
_FORMER_BILL: Final = """
SELECT message_id, ref FROM post
WHERE chat_id = $1 AND holder_id = $2 AND kind = 'bill' AND ref < $3
ORDER BY message_id DESC LIMIT 1
"""
_BILL_OF_DAY: Final = """
SELECT message_id FROM post
WHERE chat_id = $1 AND holder_id = $2 AND kind = 'bill' AND ref = $3
ORDER BY message_id DESC LIMIT 1
"""
_LAST_BILL: Final = """
SELECT message_id, ref FROM post WHERE chat_id = $1 AND holder_id = $2 AND kind = 'bill'
ORDER BY message_id DESC LIMIT 1
"""
# Alarms and questions are nobody's, as the platform's bill is: they stay.
_FORGET: Final = (
    "DELETE FROM post WHERE chat_id = $1 AND holder_id = $2 AND (holder_id <> $3 OR kind = 'bill')"
)
# The pin comes before the unpinning of former bills: between them, a chat has two and never none.
_BILLS: Final = """
SELECT holder_id, message_id, pinned,
       message_id = max(message_id) OVER (PARTITION BY holder_id) AS newest
FROM post WHERE chat_id = $1 AND kind = 'bill'
ORDER BY newest DESC, message_id
"""
_DROP_WAITING: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox
    WHERE chat_id = $1 AND merchant_id = $2 AND state = 'waiting' AND held_by IS NULL
      AND topic IN ('card', 'bill', 'desk_bill')
    ORDER BY topic <> 'card', facts->>'order_id', (facts->>'edit_message_id')::bigint FOR UPDATE
)
"""
# What names a message of the old chat would hit a stranger in the new one. A merchant's bills go as
# well: one that replies to nothing is the live one, and that is shown anew; so do other live ones,
# which come with what moves next. The order is as above.
_DROP_EDITS: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox
    WHERE chat_id = $1 AND state = 'waiting' AND held_by IS NULL
      AND (facts ?| ARRAY['edit_message_id', 'message_id', 'before'] OR topic = 'bill'
           OR (topic = 'desk_bill' AND NOT facts ? 'first'))
    ORDER BY topic LIKE '%bill', facts->>'order_id', (facts->>'edit_message_id')::bigint FOR UPDATE
)
"""
# What names messages and has a keeper stays where these were: tried there, it is lost, and its
# keeper hears of that.
_MOVE_WAITING: Final = """
UPDATE outbox SET chat_id = $2, facts = facts - 'reply_to'
WHERE chat_id = $1 AND state = 'waiting' AND held_by IS NULL AND NOT facts ? 'message_ids'
"""
