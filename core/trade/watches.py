"""Messages that asked how orders stand, watched until those orders are paid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from core.kernel.clock import Clock
from core.system.store import Store, Tx
from core.trade.orders import OrderKey

# What was asked so long ago is looked up anew by whoever still wonders.
KEPT: Final = timedelta(days=7)

# Told of a message: its chat, and its id.
Seen = Callable[[int, int], None]


class Watches:
    """Knows which messages asked about orders that are not paid yet, and tells when they are."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._on_begun: list[Seen] = []
        self._on_paid: list[Seen] = []

    def look_on(self, begun: Seen, paid: Seen) -> None:
        """Have `begun` called with each message whose orders are not all paid, and `paid` with each
        whose orders all are: its chat and its id."""
        self._on_begun.append(begun)
        self._on_paid.append(paid)

    async def begin(self, chat_id: int, message_id: int, orders: Sequence[OrderKey]) -> None:
        """A message asked about these orders. Those that are not paid yet are watched; one that is
        delivered again is watched once."""
        if not orders:
            return
        merchant_ids, order_ids = zip(*orders, strict=True)
        unpaid = await self._store.fetchval(
            _BEGIN, chat_id, message_id, merchant_ids, order_ids, self._clock.now()
        )
        for seen in self._on_begun if unpaid else self._on_paid:
            seen(chat_id, message_id)

    async def settle(self, tx: Tx, orders: Sequence[OrderKey]) -> None:
        """These orders moved: those that are paid are watched no more."""
        if not orders:
            return
        merchant_ids, order_ids = zip(*orders, strict=True)
        ended = await tx.fetch(_END, merchant_ids, order_ids)
        asked = sorted({(row["chat_id"], row["message_id"]) for row in ended})
        if not asked:
            return
        chat_ids, message_ids = zip(*asked, strict=True)
        for row in await tx.fetch(_ALL_PAID, chat_ids, message_ids):
            for seen in self._on_paid:
                seen(row["chat_id"], row["message_id"])

    async def forget_old(self) -> int:
        """Watch no more what was asked long ago; how many orders of messages those are."""
        return await self._store.execute(
            "DELETE FROM order_watch WHERE asked_at < $1", self._clock.now() - KEPT
        )


_BEGIN: Final = """
WITH unpaid AS (
    SELECT o.merchant_id, o.id
    FROM unnest($3::uuid[], $4::uuid[]) AS k (merchant_id, order_id)
    JOIN orders o ON o.merchant_id = k.merchant_id AND o.id = k.order_id
        AND o.created_at = id_time(k.order_id)
    WHERE o.state NOT IN ('paid', 'partially_refunded', 'refunded')
), watched AS (
    INSERT INTO order_watch (merchant_id, order_id, chat_id, message_id, asked_at)
    SELECT merchant_id, id, $1, $2, $5 FROM unpaid ON CONFLICT DO NOTHING
)
SELECT count(*) FROM unpaid
"""
_END: Final = """
DELETE FROM order_watch w
USING unnest($1::uuid[], $2::uuid[]) AS k (merchant_id, order_id)
JOIN orders o ON o.merchant_id = k.merchant_id AND o.id = k.order_id
    AND o.created_at = id_time(k.order_id)
WHERE w.merchant_id = k.merchant_id AND w.order_id = k.order_id
  AND o.state IN ('paid', 'partially_refunded', 'refunded')
RETURNING w.chat_id, w.message_id
"""
_ALL_PAID: Final = """
SELECT a.chat_id, a.message_id
FROM unnest($1::bigint[], $2::bigint[]) AS a (chat_id, message_id)
WHERE NOT EXISTS (
    SELECT FROM order_watch w WHERE w.chat_id = a.chat_id AND w.message_id = a.message_id)
"""
