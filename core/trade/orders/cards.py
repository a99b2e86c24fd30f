"""All that an order's card shows, of many orders in one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.errors import Bug
from core.kernel.ids import uuid7_time
from core.system.store import Queries
from core.trade.orders.charges import CHARGED
from core.trade.orders.rows import OF_ATTEMPT, OF_ORDER, Attempt, Order, read_attempt, read_order
from core.trade.orders.search import OrderKey


@dataclass(frozen=True, slots=True)
class OrderCard:
    """An order as it stands. attempts: the oldest first. fee_minor: what it is charged now; None
    while no product is chosen. news: how the newest news of it to its merchant's server stands:
    none | pending | delivered | exhausted | dropped."""

    order: Order
    attempts: tuple[Attempt, ...]
    fee_minor: int | None
    news: str


async def read_cards(queries: Queries, keys: Sequence[OrderKey]) -> list[OrderCard]:
    """The cards of orders, in the order of their keys; each once for each time it is named.
    Raises Bug where there is no such order: keys come from our own rows."""
    created_at = [uuid7_time(key.order_id) for key in keys]
    rows: dict[int, list[asyncpg.Record]] = {}
    for row in await queries.fetch(
        _CARDS,
        [key.merchant_id for key in keys],
        [key.order_id for key in keys],
        created_at,
        min(created_at),
        max(created_at),
    ):
        rows.setdefault(row["place"] - 1, []).append(row)
    return [_card(key.order_id, rows.get(place, [])) for place, key in enumerate(keys)]


def _card(order_id: UUID, rows: Sequence[asyncpg.Record]) -> OrderCard:
    """rows: one for each attempt; one without, where there is none."""
    if not rows:
        raise Bug(f"there is no order {order_id}")
    order = read_order(rows[0], "o_")
    return OrderCard(
        order,
        tuple(read_attempt(row, "a_") for row in rows if row["a_attempt_no"] is not None),
        rows[0]["charged_minor"] if order.terms else None,
        rows[0]["news"],
    )


# $1, $2, $3: merchants, orders and when these were created; $4, $5: the first and the last of those
# instants, so that no other month is looked at. LIMIT: each is looked for by itself, by an index.
_CARDS: Final = f"""
SELECT w.place, {", ".join(f"o.{name} AS o_{name}" for name in OF_ORDER)},
    {", ".join(f"a.{name} AS a_{name}" for name in OF_ATTEMPT)},
    {CHARGED} AS charged_minor,
    coalesce((SELECT n.state FROM notification n
              WHERE n.merchant_id = o.merchant_id AND n.order_id = o.id
                AND n.order_created_at = o.created_at AND n.order_created_at BETWEEN $4 AND $5
              ORDER BY n.created_at DESC LIMIT 1), 'none') AS news
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) WITH ORDINALITY
    AS w (merchant_id, order_id, created_at, place)
CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE merchant_id = w.merchant_id AND id = w.order_id AND created_at = w.created_at
      AND created_at BETWEEN $4 AND $5 LIMIT 1
) o
LEFT JOIN LATERAL (
    SELECT * FROM attempt
    WHERE merchant_id = o.merchant_id AND order_id = o.id AND order_created_at = o.created_at
      AND order_created_at BETWEEN $4 AND $5
    ORDER BY seq
) a ON true
ORDER BY w.place, a.seq
"""  # noqa: S608 (our own column names)
