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
    """The order a number means: ours, the merchant's own, or one at a supplier; of several that
    which we gave the number, or else the newest. Refusals: not_permitted, order_not_found."""
    actor.need("look_up")
    found = (await _of_merchants(queries, actor.merchant_ids, [number])).get(number, ())
    if len(found) > 1:
        # Any merchant may call an order as we call another one, and something is done to this one.
        ours = number.upper()
        found = (await find_ours(queries, actor, [ours])).get(ours, found)
    for merchant_id, order_id in found:
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


async def find_ours(queries: Queries, actor: Actor, numbers: Sequence[str]) -> Found:
    """As `find_meant`, where each of these is a number of ours, in capitals, and of nobody else."""
    if not numbers:
        return {}
    if actor.in_suppliers_group:
        return await _meant(queries, None, list(actor.supplier_ids or ()), numbers, ours_alone=True)
    scope = scope_of(actor.merchant_ids)
    return {} if scope == [] else await _meant(queries, scope, None, numbers, ours_alone=True)


def scope_of(merchant_ids: Sequence[UUID] | None) -> list[UUID] | None:
    """Whose orders, as statements are given it; None for everybody's."""
    return None if merchant_ids is None else list(merchant_ids)


async def _of_merchants(
    queries: Queries, merchant_ids: Sequence[UUID] | None, numbers: Sequence[str]
) -> Found:
    scope = scope_of(merchant_ids)
    return {} if scope == [] else await _meant(queries, scope, None, numbers)


async def _at_suppliers(
    queries: Queries, supplier_ids: Sequence[UUID], numbers: Sequence[str]
) -> Found:
    return await _meant(queries, None, list(supplier_ids), numbers)


async def _meant(
    queries: Queries,
    merchants: list[UUID] | None,
    suppliers: list[UUID] | None,
    numbers: Sequence[str],
    *,
    ours_alone: bool = False,
) -> Found:
    """One question, whatever the numbers may be. merchants: whose orders, None for everybody's.
    suppliers: at which they were tried; None where that does not matter. ours_alone: nobody else
    called an order so."""
    ours = _ours(numbers)
    named = [[facts.what, facts.merchant_tag, number] for number, facts in ours.items()]
    whats, tags, texts = ([name[place] for name in named] for place in range(3))
    rows = await queries.fetch(
        "SELECT * FROM orders_meant($1, $2, $3, $4, $5, $6, $7)",
        merchants, suppliers, [] if ours_alone else list(numbers), MAX_OF_ONE, whats, tags, texts,
    )  # fmt: skip
    return _by_number(numbers, rows)


def _ours(numbers: Iterable[str]) -> dict[str, NumberFacts]:
    """What our own numbers among these say; in capitals."""
    read = ((number.strip().upper(), read_number(number)) for number in numbers)
    return {number: facts for number, facts in read if facts is not None}


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
