"""Messages of ours that are edited later, and what they show now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.system.store import Store

_LOOKED_AT: Final = 10


@dataclass(frozen=True, slots=True)
class Post:
    """digest: of what it shows. shown_at: since when."""

    message_id: int
    digest: str
    shown_at: datetime


class Posts:
    """Who finds a message of ours again. kind, ref: as in the table `post`.

    More than seven verbs: each asks one thing of the same few rows.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def newest(self, chat_id: int, merchant_id: UUID, kind: str, ref: str) -> Post | None:
        """A chat's message of this kind and ref."""
        row = await self._store.fetchrow(
            "SELECT message_id, digest, shown_at FROM post WHERE chat_id = $1"
            " AND merchant_id = $2 AND kind = $3 AND ref = $4 ORDER BY message_id DESC LIMIT 1",
            chat_id,
            merchant_id,
            kind,
            ref,
        )
        return None if row is None else Post(**dict(row))

    async def former_bill(
        self, chat_id: int, merchant_id: UUID, day: date
    ) -> tuple[int, str] | None:
        """The live bill of the last day before `day`, and that day as ISO date."""
        row = await self._store.fetchrow(
            "SELECT message_id, right(ref, 10) AS day FROM post WHERE chat_id = $1"
            " AND merchant_id = $2 AND kind = 'bill' AND right(ref, 10) < $3"
            " ORDER BY message_id DESC LIMIT 1",
            chat_id,
            merchant_id,
            day.isoformat(),
        )
        return None if row is None else (row["message_id"], row["day"])

    async def to_pin(self, chat_id: int, merchant_id: UUID, message_id: int) -> bool:
        """Whether it is the merchant's newest live bill there, and not pinned yet."""
        return bool(
            await self._store.fetchval(
                "SELECT NOT pinned AND message_id = (SELECT max(message_id) FROM post"
                " WHERE chat_id = $1 AND merchant_id = $2 AND kind = 'bill')"
                " FROM post WHERE chat_id = $1 AND message_id = $3 AND kind = 'bill'",
                chat_id,
                merchant_id,
                message_id,
            )
        )

    async def pinned(self, chat_id: int, message_id: int, *, is_pinned: bool) -> None:
        """It was pinned, or is so no longer."""
        await self._store.execute(
            "UPDATE post SET pinned = $3 WHERE chat_id = $1 AND message_id = $2",
            chat_id,
            message_id,
            is_pinned,
        )

    async def is_live_bill(self, chat_id: int, message_id: int) -> bool:
        """Whether it is, or was, the live bill of a day."""
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM post WHERE chat_id = $1 AND message_id = $2"
                " AND kind = 'bill')",
                chat_id,
                message_id,
            )
        )

    async def strangers(self, chat_id: int, after: int, before: int) -> list[int]:
        """Ids between two messages, not known to be ours: at most _LOOKED_AT, from both ends, for
        somebody's message is near one of them."""
        rows = await self._store.fetch(_STRANGERS, chat_id, after, before, _LOOKED_AT // 2)
        return [row["number"] for row in rows]

    async def shows(self, chat_id: int, message_id: int, digest: str) -> bool:
        """Whether it shows this already."""
        shown = await self._store.fetchval(
            "SELECT digest FROM post WHERE chat_id = $1 AND message_id = $2", chat_id, message_id
        )
        return bool(shown == digest)

    async def remember(
        self, chat_id: int, message_id: int, kind: str, ref: str, merchant_id: UUID, digest: str
    ) -> None:
        """It was posted."""
        await self._store.execute(
            "INSERT INTO post (chat_id, message_id, kind, ref, merchant_id, digest, shown_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            chat_id,
            message_id,
            kind,
            ref,
            merchant_id,
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

    async def forget(self, chat_id: int, message_id: int) -> None:
        """It is gone, or no longer ours to edit."""
        await self._store.execute(
            "DELETE FROM post WHERE chat_id = $1 AND message_id = $2", chat_id, message_id
        )


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
