"""Looking an order up from a chat: found within what the asker may see, shown as a card."""

from __future__ import annotations

from core.access import Actor
from core.ids import read_number
from core.orders import find_for, find_numbers
from core.outbox import Card, Outbox
from core.store import Store


class Lookups:
    """Answers "how does this order stand?"."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def show(self, actor: Actor, number: str, *, reply_to: int, bare: bool) -> bool:
        """Post the order's card in reply; it is edited by itself when the order changes.

        bare: the message was a number and nothing else. One that is neither ours nor known is
        then chatter: False, and nothing is said. Refusals: not_permitted, order_not_found.
        """
        if bare and read_number(number) is None:
            if not actor.may("look_up"):
                return False
            if not await find_numbers(self._store, actor.merchant_ids, number):
                return False
        order = await find_for(self._store, actor, number)
        await self._outbox.say(
            self._store,
            actor.chat_id,
            Card(str(order.merchant_id), str(order.id), reply_to=reply_to),
            merchant_id=order.merchant_id,
        )
        return True
