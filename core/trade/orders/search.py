"""Which orders a person means by numbers, among those they may see where they ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from core.kernel.errors import Refusal
from core.kernel.ids import NumberFacts, read_number
from core.people.actors import Actor
from core.system.store import Queries
from core.trade.orders.rows import Order, get_order

_MAX_SAID_CHARS: Final = 64
# More of one number are never shown; a supplier may give the same one to all it takes.
MAX_OF_ONE: Final = 20


class OrderKey(NamedTuple):
    """What leads to an order."""

    merchant_id: UUID
    order_id: UUID


Found = Mapping[str, tuple[OrderKey, ...]]


async def find_for(queries: Queries, actor: Actor, number: str) -> Order:
    """The order a number means: ours, the merchant's own, or one at a supplier; the newest of
    several. Refusals: not_permitted, order_not_found."""
    actor.need("look_up")
    found = await _of_merchants(queries, actor.merchant_ids, [number])
    for merchant_id, order_id in found.get(number, ()):
        return await get_order(queries, merchant_id, order_id)
    raise Refusal("order_not_found", number=number[:_MAX_SAID_CHARS])


async def find_meant(queries: Queries, actor: Actor, numbers: Sequence[str]) -> Found:
    """number -> the orders it means, the newest first, at most MAX_OF_ONE that a merchant called
    so and as many that a supplier did; what means none is left out.

    In a supplier's group these are the numbers that its supplier knows: of attempts and refunds,
    and its own. Elsewhere our own numbers in capitals or not, the merchants' own as they wrote
    them, and the suppliers'. A number of ours that a merchant happens to have used means both.
    """
    if actor.in_suppliers_group:
        return await _at_suppliers(queries, actor.supplier_ids or (), numbers)
    return await _of_merchants(queries, actor.merchant_ids, numbers)


async def _of_merchants(
    queries: Queries, merchant_ids: Sequence[UUID] | None, numbers: Sequence[str]
) -> Found:
    scope = None if merchant_ids is None else list(merchant_ids)
    if scope == []:
        return {}
    rows = await queries.fetch(_THEIRS, scope, list(numbers), MAX_OF_ONE)
    rows += await queries.fetch(_UPSTREAM, scope, list(numbers), MAX_OF_ONE, None)
    for what, ours in _ours(numbers).items():
        tags = [facts.merchant_tag for facts in ours.values()]
        rows += await queries.fetch(_OURS[what], tags, list(ours), scope, None)
    return _by_number(numbers, rows)


async def _at_suppliers(
    queries: Queries, supplier_ids: Sequence[UUID], numbers: Sequence[str]
) -> Found:
    suppliers = list(supplier_ids)
    rows = await queries.fetch(_UPSTREAM, None, list(numbers), MAX_OF_ONE, suppliers)
    for what, ours in _ours(numbers).items():
        if what != "order":
            tags = [facts.merchant_tag for facts in ours.values()]
            rows += await queries.fetch(_OURS[what], tags, list(ours), None, suppliers)
    return _by_number(numbers, rows)


def _ours(numbers: Iterable[str]) -> dict[str, dict[str, NumberFacts]]:
    """What our own numbers among these say, by what they number; in capitals."""
    kinds: dict[str, dict[str, NumberFacts]] = defaultdict(dict)
    for number in numbers:
        facts = read_number(number)
        if facts is not None:
            kinds[facts.what][number.strip().upper()] = facts
    return kinds


def _by_number(numbers: Sequence[str], rows: Iterable[asyncpg.Record]) -> Found:
    keys: dict[str, set[OrderKey]] = defaultdict(set)
    for row in rows:
        keys[row["number"]].add(OrderKey(row["merchant_id"], row["order_id"]))
    # Orders' ids begin with their time.
    newest = {
        number: sorted(
            keys[number] | (keys[number.strip().upper()] if read_number(number) else set()),
            key=lambda key: key.order_id,
            reverse=True,
        )
        for number in numbers
    }
    return {number: tuple(found) for number, found in newest.items() if found}


# $1: whose orders; null for everybody's. $2: the numbers. $3: how many of each. Each merchant's are
# found by an index. Of orders that had the same number in turn, the last is meant.
_THEIRS: Final = """
SELECT k.merchant_id, k.order_id, n.number
FROM unnest($2::text[]) n (number) CROSS JOIN LATERAL (
    SELECT merchant_id, order_id FROM order_key o
    WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
      AND merchant_order_no = n.number
      AND NOT EXISTS (
          SELECT FROM order_key later
          WHERE later.merchant_id = o.merchant_id AND later.app_id = o.app_id
            AND later.merchant_order_no = o.merchant_order_no AND later.turn > o.turn)
    ORDER BY order_id DESC LIMIT $3) k
"""
# $4: at which suppliers; null for all.
_UPSTREAM: Final = """
SELECT k.merchant_id, k.order_id, n.number
FROM unnest($2::text[]) n (number) CROSS JOIN LATERAL (
    SELECT merchant_id, order_id FROM attempt
    WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
      AND upstream_no = n.number AND ($4::uuid[] IS NULL OR supplier_id = ANY($4))
    UNION
    SELECT merchant_id, order_id FROM supplier_payment
    WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
      AND upstream_no = n.number AND ($4::uuid[] IS NULL OR supplier_id = ANY($4))
    ORDER BY order_id DESC LIMIT $3) k
"""
# $1, $2: our numbers, each with its merchant's tag. $3: whose orders. $4: at which suppliers.
_OURS: Final = {
    "order": """
SELECT k.merchant_id, k.order_id, n.number
FROM unnest($1::integer[], $2::text[]) n (tag, number) JOIN merchant m ON m.tag = n.tag
JOIN order_key k ON k.merchant_id = m.id AND k.order_no = n.number
WHERE ($3::uuid[] IS NULL OR k.merchant_id = ANY($3)) AND $4::uuid[] IS NULL
""",
    "attempt": """
SELECT a.merchant_id, a.order_id, n.number
FROM unnest($1::integer[], $2::text[]) n (tag, number) JOIN merchant m ON m.tag = n.tag
JOIN attempt a ON a.merchant_id = m.id AND a.attempt_no = n.number
    AND a.order_created_at >= number_month(n.number)
    AND a.order_created_at < number_month(n.number, 1)
WHERE ($3::uuid[] IS NULL OR a.merchant_id = ANY($3))
  AND ($4::uuid[] IS NULL OR a.supplier_id = ANY($4))
""",
    "refund": """
SELECT r.merchant_id, r.order_id, n.number
FROM unnest($1::integer[], $2::text[]) n (tag, number) JOIN merchant m ON m.tag = n.tag
JOIN refund r ON r.merchant_id = m.id AND r.sent_no = n.number
JOIN attempt a ON a.merchant_id = r.merchant_id AND a.attempt_no = r.attempt_no
    AND a.order_created_at = id_time(r.order_id)
WHERE ($3::uuid[] IS NULL OR r.merchant_id = ANY($3))
  AND ($4::uuid[] IS NULL OR a.supplier_id = ANY($4))
""",
}
