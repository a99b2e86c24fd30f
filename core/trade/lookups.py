"""Looking orders up from a chat: found within what the asker may see, shown as cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from core.delivery.outbox import Card, Outbox
from core.kernel.errors import Refusal
from core.kernel.ids import uuid7_time
from core.people.actors import Actor
from core.system.store import Store
from core.trade.orders import Attempt, Found, Order, OrderKey, find_meant, get_attempts, get_order


class Lookups:
    """Answers "how do these orders stand?"."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def find(self, actor: Actor, numbers: Sequence[str]) -> Found:
        """The orders that numbers mean to this actor, where they ask; see `find_meant`.

        Refusals: anonymous_admin, not_permitted.
        """
        actor.need("look_up")
        return await find_meant(self._store, actor, numbers)

    async def show(self, actor: Actor, orders: Sequence[OrderKey], *, reply_to: int) -> None:
        """Post the cards of orders that were found, in reply; each is edited by itself when its
        order changes. Refusals: anonymous_admin, not_permitted."""
        actor.need("look_up")
        async with self._store.transaction() as tx:
            for merchant_id, order_id in orders:
                card = Card(str(merchant_id), str(order_id), reply_to=reply_to)
                await self._outbox.say(tx, actor.chat_id, card, merchant_id=merchant_id)

    async def seen(self, actor: Actor, order_id: UUID) -> Order:
        """The order of a card, among those this actor sees. Refusals: order_not_found."""
        unknown = Refusal("order_not_found", number=order_id.hex[:8])
        try:
            created_at = uuid7_time(order_id)
        except OverflowError:  # no id of ours: its time lies beyond all calendars
            raise unknown from None
        scope = None if actor.merchant_ids is None else list(actor.merchant_ids)
        found = await self._store.fetchval(_SEEN, scope, order_id, created_at)
        if found is None:
            raise unknown
        return await get_order(self._store, found, order_id)

    async def attempts(self, order: Order) -> list[Attempt]:
        """The attempts of an order, the oldest first."""
        return await get_attempts(self._store, order.merchant_id, order.id)


_SEEN: Final = """
SELECT merchant_id FROM orders
WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
  AND id = $2 AND created_at = $3
"""
