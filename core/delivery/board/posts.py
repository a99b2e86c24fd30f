"""Messages of ours that are edited later, and what they show now. Whoever posts writes it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

from core.delivery.outbox import NOBODY
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.system.store import Store, Tx

Kind = Literal[
    "alarm", "approval", "card", "bill", "receipt", "question", "enquiry", "copy", "broadcast"
]  # fmt: skip
_LOOKED_AT: Final = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about. ref: the id of a card's order, of an alarm, of an approval or of a
    receipt's first voucher; the ISO date of a live bill's day; a question's own name. holder_id:
    whose it is."""

    kind: Kind
    ref: str
    holder_id: UUID = NOBODY

    @staticmethod
    def card(merchant_id: UUID, order_id: UUID) -> Subject:
        return Subject("card", str(order_id), merchant_id)

    @staticmethod
    def live_bill(holder_id: UUID, day: date) -> Subject:
        """Of a merchant, a supplier or (HOUSE) the platform."""
        return Subject("bill", day.isoformat(), holder_id)

    @staticmethod
    def alarm(alarm_id: UUID) -> Subject:
        return Subject("alarm", str(alarm_id))

    @staticmethod
    def approval(approval_id: UUID) -> Subject:
        return Subject("approval", str(approval_id))

    @staticmethod
    def enquiry(enquiry_id: UUID) -> Subject:
        return Subject("enquiry", str(enquiry_id))

    @staticmethod
    def broadcast(broadcast_id: UUID) -> Subject:
        return Subject("broadcast", str(broadcast_id))

    @staticmethod
    def copy(ref: str) -> Subject:
        return Subject("copy", ref)


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours in a chat. digest: of what it shows, since shown_at. newest: no later one
    there is of this kind and holder."""

    message_id: int
    subject: Subject
    digest: str
    shown_at: datetime
    pinned: bool
    newest: bool


class Posts:
    """Finds a message of ours again, and keeps what became of it.

    More than seven verbs: a message is looked for by what it is about, by number, by neither.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, chat_id: int, subject: Subject) -> Post | None:
        """A chat's message about this; the newest, where there are several."""
        row = await self._store.fetchrow(
            _FIND, chat_id, subject.holder_id, subject.kind, subject.ref
        )
        return None if row is None else _post(row)

    async def all_after(self, chat_id: int, subject: Subject, message_id: int) -> tuple[int, ...]:
        """A chat's messages about this that came after a message, the oldest first."""
        rows = await self._store.fetch(
            _ALL_AFTER, chat_id, subject.holder_id, subject.kind, subject.ref, message_id
        )
        return tuple(row["message_id"] for row in rows)

    async def get(self, chat_id: int, message_id: int) -> Post | None:
        """A message, where it is known."""
        row = await self._store.fetchrow(_GET, chat_id, message_id)
        return None if row is None else _post(row)

    async def posted(self, chat_id: int, message_id: int, subject: Subject, digest: str) -> None:
        """It is there now."""
        await self._store.execute(
            "INSERT INTO post (chat_id, message_id, kind, ref, holder_id, digest, shown_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            chat_id,
            message_id,
            subject.kind,
            subject.ref,
            subject.holder_id,
            digest,
            self._clock.now(),
        )

    async def shown(self, chat_id: int, message_id: int, digest: str) -> None:
        """It was edited."""
        touched = await self._store.execute(
            "UPDATE post SET digest = $3, shown_at = $4 WHERE chat_id = $1 AND message_id = $2",
            chat_id,
            message_id,
            digest,
            self._clock.now(),
        )
        if touched > 1:
            raise Bug("one message was remembered twice")

    async def pinned(self, chat_id: int, message_id: int, *, is_pinned: bool) -> None:
        """It was pinned, or is so no longer."""
        await self._store.execute(
            "UPDATE post SET pinned = $3 WHERE chat_id = $1 AND message_id = $2",
            chat_id,
            message_id,
            is_pinned,
        )

    async def forget(self, chat_id: int, message_id: int) -> None:
        """It is gone, or no longer ours to edit."""
        await self._store.execute(
            "DELETE FROM post WHERE chat_id = $1 AND message_id = $2", chat_id, message_id
        )

    async def forget_all(self, tx: Tx, kind: Kind, refs: Sequence[str]) -> None:
        """What is about these was nobody's, and needs to be found no more, in any chat."""
        await tx.execute(
            "DELETE FROM post WHERE holder_id = $1 AND kind = $2 AND ref = ANY($3::text[])",
            NOBODY,
            kind,
            refs,
        )

    async def strangers(self, chat_id: int, after: int, before: int) -> list[int]:
        """Ids between two messages, not known to be ours: at most _LOOKED_AT, from both ends, for
        somebody's message is near one of them."""
        rows = await self._store.fetch(_STRANGERS, chat_id, after, before, _LOOKED_AT // 2)
        return [row["number"] for row in rows]


def _post(row: asyncpg.Record) -> Post:
    subject = Subject(row["kind"], row["ref"], row["holder_id"])
    return Post(
        row["message_id"], subject, row["digest"], row["shown_at"], row["pinned"], row["newest"]
    )


_POST: Final = """
SELECT p.message_id, p.kind, p.ref, p.holder_id, p.digest, p.shown_at, p.pinned,
    NOT EXISTS (
        SELECT FROM post later
        WHERE later.chat_id = p.chat_id AND later.holder_id = p.holder_id
          AND later.kind = p.kind AND later.message_id > p.message_id
    ) AS newest
FROM post p
"""
_FIND: Final = f"""{_POST}
WHERE p.chat_id = $1 AND p.holder_id = $2 AND p.kind = $3 AND p.ref = $4
ORDER BY p.message_id DESC LIMIT 1
"""
_ALL_AFTER: Final = """
SELECT message_id FROM post
WHERE chat_id = $1 AND holder_id = $2 AND kind = $3 AND ref = $4 AND message_id > $5
ORDER BY message_id
"""
_GET: Final = f"{_POST} WHERE p.chat_id = $1 AND p.message_id = $2"
# $4: how many from each end, no further than 50 messages from it.
_STRANGERS: Final = """
WITH spot AS (
    SELECT number FROM generate_series($2::bigint + 1, least($2 + 50, $3 - 1)) number
  UNION
    SELECT number FROM generate_series(greatest($2 + 1, $3::bigint - 50), $3 - 1) number
), stranger AS (
    SELECT number, row_number() OVER (ORDER BY number) AS up,
        row_number() OVER (ORDER BY number DESC) AS down
    FROM spot
    WHERE NOT EXISTS (SELECT FROM outbox WHERE chat_id = $1 AND message_id = number)
      AND NOT EXISTS (SELECT FROM post WHERE chat_id = $1 AND message_id = number)
      AND NOT EXISTS (SELECT FROM export WHERE chat_id = $1 AND message_id = number)
)
SELECT number FROM stranger WHERE least(up, down) <= $4 ORDER BY number
"""
