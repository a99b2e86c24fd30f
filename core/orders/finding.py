"""Which order a person means by a number, among those they may see where they ask."""

from __future__ import annotations

from core.access import Actor
from core.errors import Refusal
from core.orders.reading import Order, find_numbers
from core.store import Queries


async def find_for(queries: Queries, actor: Actor, number: str) -> Order:
    """The order a number means: ours, the merchant's own, or one at a supplier; the newest of
    several. Refusals: not_permitted, order_not_found."""
    actor.need("look_up")
    found = await find_numbers(queries, actor.merchant_ids, number)
    if not found:
        raise Refusal("order_not_found", number=number[:64])
    return found[0]
