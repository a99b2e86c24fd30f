"""An order with how its payer pays it: what its merchant's server and its payer are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.connectors import Pay
from core.kernel.errors import Bug
from core.kernel.ids import NumberFacts, uuid7_time
from core.system.store import Queries
from core.trade.orders.rows import Order, read_order

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """pay: of the attempt that can be paid, once its supplier took it. document_id: the connector
    that read it."""

    order: Order
    pay: Pay | None
    document_id: UUID | None


async def find_shown(
    queries: Queries, merchant_id: UUID, order_no: str, facts: NumberFacts
) -> ShownOrder | None:
    """A merchant's order of our number, in one question. facts: what the number says."""
    first = facts.month
    months = first.month + first.year * _MONTHS
    ends = datetime(months // _MONTHS, months % _MONTHS + 1, 1, tzinfo=UTC)
    begins = datetime(first.year, first.month, 1, tzinfo=UTC)
    row = await queries.fetchrow(_BY_NUMBER, merchant_id, order_no.strip().upper(), begins, ends)
    return _read(row) if row is not None else None


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


# LIMIT and the month's bounds: each row is looked for by itself, through an index, in one month,
# and the planner need not know the number to see that.
_BY_NUMBER: Final = """
SELECT o.*, a.pay_kind, a.pay_value, a.document_id FROM order_key k
CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE merchant_id = $1 AND id = k.order_id AND created_at = k.created_at
      AND created_at >= $3 AND created_at < $4 LIMIT 1
) o
LEFT JOIN LATERAL (
    SELECT pay_kind, pay_value, document_id FROM attempt
    WHERE merchant_id = $1 AND attempt_no = o.live_attempt_no AND order_created_at = k.created_at
      AND order_created_at >= $3 AND order_created_at < $4 LIMIT 1
) a ON true
WHERE k.merchant_id = $1 AND k.order_no = $2
"""
_BY_ID: Final = """
SELECT o.*, a.pay_kind, a.pay_value, a.document_id FROM orders o
LEFT JOIN LATERAL (
    SELECT pay_kind, pay_value, document_id FROM attempt
    WHERE merchant_id = $1 AND attempt_no = o.live_attempt_no AND order_created_at = $3 LIMIT 1
) a ON true
WHERE o.merchant_id = $1 AND o.id = $2 AND o.created_at = $3
"""
