"""Looking orders up from a chat: found within what the asker may see, shown as cards."""

from __future__ import annotations

from collections.abc import Sequence

from core.delivery.outbox import Card, Outbox
from core.people.actors import Actor
from core.system.store import Store
from core.trade.orders import Found, OrderKey, find_meant


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
