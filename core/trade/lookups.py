"""Looking orders up from a chat: found within what the asker may see, shown as cards; and which of
them were completed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from core.delivery.outbox import Card, Outbox
from core.kernel.errors import Refusal
from core.kernel.ids import uuid7_time
from core.people.actors import Actor
from core.system.batch import Batch
from core.system.store import Store
from core.trade.orders import (
    Attempt,
    Found,
    NearMiss,
    Order,
    OrderCard,
    OrderKey,
    find_meant,
    find_near,
    get_attempts,
    get_order,
    read_cards,
)
from core.trade.watches import Watches

COMPLETIONS_PER_PAGE: Final = 10


@dataclass(frozen=True, slots=True)
class CompletionLine:
    """An order that was completed by hand. proof: whether a picture is kept. reversed_by: empty
    while the completion stands. approved_by: empty where no second person was needed."""

    at: datetime
    order_no: str
    merchant_no: str
    amount_minor: int
    currency: str
    reason: str
    actor_name: str
    proof: bool
    reversed_by: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class CompletionPage:
    """A page of completions, the newest first. number: from 1. count: of all pages."""

    lines: tuple[CompletionLine, ...]
    number: int
    pages: int
    count: int


class Lookups:
    """Answers "how do these orders stand?", and "which ones did we complete?"."""

    def __init__(self, store: Store, outbox: Outbox, watches: Watches) -> None:
        self._store = store
        self._outbox = outbox
        self._watches = watches
        self._cards = Batch(self._read_cards, self._read_card)

    async def find(self, actor: Actor, numbers: Sequence[str]) -> Found:
        """The orders that numbers mean to this actor, where they ask; see `find_meant`.

        Refusals: anonymous_admin, not_permitted.
        """
        actor.need("look_up")
        return await find_meant(self._store, actor, numbers)

    async def near(self, actor: Actor, number: str) -> tuple[NearMiss, ...]:
        """What a number that means no order probably was to be; see `find_near`."""
        return await find_near(self._store, actor, number)

    async def show(self, actor: Actor, orders: Sequence[OrderKey], *, reply_to: int) -> None:
        """Post the cards of orders that were found, in reply; each is edited by itself when its
        order changes. The message is watched until they are paid. Refusals: anonymous_admin,
        not_permitted."""
        actor.need("look_up")
        await self._watches.begin(actor.chat_id, reply_to, orders)
        cards = [(key, Card(str(key), str(one), reply_to=reply_to)) for key, one in orders]
        await self._outbox.say_together(actor.chat_id, cards)

    async def card(self, merchant_id: UUID, order_id: UUID) -> OrderCard:
        """All that an order's card shows, as it stands. Raises Bug: ids come from our own rows."""
        return await self._cards.write(OrderKey(merchant_id, order_id))

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

    async def completions(
        self, actor: Actor, merchant_id: UUID | None, days: tuple[date, date], page: int
    ) -> CompletionPage:
        """Live orders that were completed by hand on business days (their merchant's, first and
        last included), for staff among themselves: a reason may name a supplier. merchant_id: None
        for all merchants. A page beyond the last is the last.

        Refusals: anonymous_admin, not_permitted, staff_only.
        """
        actor.need_among_staff("see_channel")
        scope = None if merchant_id is None else [merchant_id]
        count = await self._store.fetchval(f"SELECT count(*) {_COMPLETED}", scope, *days)
        pages = max(1, -(-count // COMPLETIONS_PER_PAGE))
        number = min(max(1, page), pages)
        rows = await self._store.fetch(
            f"{_COMPLETIONS} {_COMPLETED} ORDER BY c.at DESC, c.id DESC LIMIT $4 OFFSET $5",
            scope,
            *days,
            COMPLETIONS_PER_PAGE,
            (number - 1) * COMPLETIONS_PER_PAGE,
        )
        return CompletionPage(
            tuple(CompletionLine(**dict(row)) for row in rows), number, pages, count
        )

    async def _read_cards(self, keys: Sequence[OrderKey]) -> list[OrderCard]:
        return await read_cards(self._store, keys)

    async def _read_card(self, key: OrderKey) -> OrderCard:
        (card,) = await self._read_cards([key])
        return card


_SEEN: Final = """
SELECT merchant_id FROM orders
WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
  AND id = $2 AND created_at = $3
"""

_COMPLETIONS: Final = """
SELECT c.at, c.order_no, m.merchant_no, o.amount_minor, o.currency, c.reason, c.actor_name,
       c.proof_file_id IS NOT NULL AS proof, coalesce(w.actor_name, '') AS reversed_by,
       coalesce(c.approved_by_name, '') AS approved_by
"""
_COMPLETED: Final = """
FROM completion c
JOIN merchant m ON m.id = c.merchant_id
JOIN orders o ON o.merchant_id = c.merchant_id AND o.id = c.order_id
     AND o.created_at = id_time(c.order_id)
LEFT JOIN completion w ON w.merchant_id = c.merchant_id AND w.reverses = c.id
WHERE c.merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
  AND c.day BETWEEN $2 AND $3 AND c.reverses IS NULL AND o.mode = 'live'
"""
