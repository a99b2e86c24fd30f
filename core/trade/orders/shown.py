"""An order with how its payer pays it: what its merchant's server and its payer are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.connectors import Pay
from core.kernel.errors import Bug
from core.kernel.ids import NumberFacts, uuid7_time
from core.system.batch import Batch
from core.system.store import Queries, Store
from core.trade.orders.rows import Order, read_order

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """pay: of the attempt that can be paid, once its supplier took it. document_id: the connector
    that read it."""

    order: Order
    pay: Pay | None
    document_id: UUID | None


class ShownOrders:
    """Orders by our numbers. Those that are asked for at once are read in one question."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reads = Batch(self._read, self._read_alone)

    async def find(self, merchant_id: UUID, order_no: str, facts: NumberFacts) -> ShownOrder | None:
        """A merchant's order. facts: what the number says."""
        named = _Named(merchant_id, order_no.strip().upper(), facts.month)
        return next(iter(await self._reads.write(named)), None)

    async def _read(self, named: Sequence[_Named]) -> list[tuple[ShownOrder, ...]]:
        """Each of them, or nothing."""
        asked = [
            {"place": place, "merchant_id": one.merchant_id, "order_no": one.order_no}
            for place, one in enumerate(named)
        ]
        months = [one.month for one in named]
        begins, ends = _begins(min(months)), _begins(max(months), 1)
        rows = await self._store.fetch(_BY_NUMBER, asked, begins, ends)
        found = {row["place"]: (_read(row),) for row in rows}
        return [found.get(place, ()) for place in range(len(named))]

    async def _read_alone(self, named: _Named) -> tuple[ShownOrder, ...]:
        (found,) = await self._read([named])
        return found


@dataclass(frozen=True, slots=True)
class _Named:
    """An order that is asked for. month: its first day, as the number says it."""

    merchant_id: UUID
    order_no: str
    month: date


def _begins(month: date, later: int = 0) -> datetime:
    """When a month begins, or the one so many months later."""
    months = month.year * _MONTHS + month.month - 1 + later
    return datetime(months // _MONTHS, months % _MONTHS + 1, 1, tzinfo=UTC)


async def get_shown(queries: Queries, merchant_id: UUID, order_id: UUID) -> ShownOrder:
    """An order by its id, in one question. Raises Bug: ids come from our own rows."""
    row = await queries.fetchrow(_BY_ID, merchant_id, order_id, uuid7_time(order_id))
    if row is None:
        raise Bug(f"merchant {merchant_id} has no order {order_id}")
    return _read(row)


def _read(row: asyncpg.Record) -> ShownOrder:
    kind = row["pay_kind"]
    return ShownOrder(
        read_order(row), Pay(kind, row["pay_value"]) if kind else None, row["document_id"]
    )


# LIMIT and the months' bounds: each row is looked for by itself, through an index, in the months
# that the numbers say, and the planner need not know them to see that. As JSON: see `rows`.
_BY_NUMBER: Final = """
SELECT n.place, o.*, a.pay_kind, a.pay_value, a.document_id
FROM jsonb_to_recordset($1) AS n (place integer, merchant_id uuid, order_no text)
CROSS JOIN LATERAL (
    SELECT order_id, created_at FROM order_key
    WHERE merchant_id = n.merchant_id AND order_no = n.order_no LIMIT 1
) k
CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE merchant_id = n.merchant_id AND id = k.order_id AND created_at = k.created_at
      AND created_at >= $2 AND created_at < $3 LIMIT 1
) o
LEFT JOIN LATERAL (
    SELECT pay_kind, pay_value, document_id FROM attempt
    WHERE merchant_id = n.merchant_id AND attempt_no = o.live_attempt_no
      AND order_created_at = k.created_at
      AND order_created_at >= $2 AND order_created_at < $3 LIMIT 1
) a ON true
"""
_BY_ID: Final = """
SELECT o.*, a.pay_kind, a.pay_value, a.document_id FROM orders o
LEFT JOIN LATERAL (
    SELECT pay_kind, pay_value, document_id FROM attempt
    WHERE merchant_id = $1 AND attempt_no = o.live_attempt_no AND order_created_at = $3 LIMIT 1
) a ON true
WHERE o.merchant_id = $1 AND o.id = $2 AND o.created_at = $3
"""
