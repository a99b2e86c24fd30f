"""Orders by when they were created, between two instants, over all merchants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.kernel.holder import MODE
from core.reports.bills.lines import Cohort
from core.reports.bills.windows import Live
from core.system.store import Tx


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The orders that were created between two instants, told apart two ways."""

    by_product: dict[str, Cohort]
    by_merchant: dict[UUID, Cohort]


async def cohorts_between(
    tx: Tx, starts_at: datetime, ends_at: datetime, currency: str, live: Live
) -> Cohorts:
    """What the platform's bill counts as created in its window, and as paid of that."""
    rows = await tx.fetch(_COHORTS, starts_at, ends_at, MODE, currency, live.until)
    counted = [(row, Cohort(row["created"], row["paid"])) for row in rows]
    return Cohorts(
        {row["product_code"]: c for row, c in counted if row["product_code"] is not None},
        {row["merchant_id"]: c for row, c in counted if row["merchant_id"] is not None},
    )


# By the instant of creation: whole hours as they are rolled up, the window's ends, where they
# are no full hours, from the orders. $5: nothing is behind it.
_COHORTS: Final = """
WITH whole AS (
    SELECT date_trunc('hour', $1::timestamptz + interval '1 hour - 1 microsecond', 'UTC') AS first,
           date_trunc('hour', $2::timestamptz, 'UTC') AS last
)
SELECT product_code, merchant_id, sum(created) AS created, sum(paid_in_day) AS paid
FROM (
    SELECT o.product_code, o.merchant_id, o.created, o.paid_in_day
    FROM whole w JOIN rollup_order o ON o.hour >= w.first AND o.hour < w.last
    WHERE o.mode = $3 AND o.currency = $4
    UNION ALL
    SELECT o.product_code, o.merchant_id, o.created, o.paid_in_day
    FROM whole w, business_day d CROSS JOIN LATERAL order_tail(
        d.holder_id, d.rolled_to, $5) o
    WHERE d.closed_at IS NULL AND o.hour >= w.first AND o.hour < w.last
      AND o.mode = $3 AND o.currency = $4
    UNION ALL
    SELECT o.product_code, o.merchant_id, 1, (o.paid_day = o.created_day)::int
    FROM whole w, LATERAL (VALUES
        ($1, least(w.first, $2)), (greatest(w.first, w.last), $2)
    ) AS part (first, last)
    JOIN business_day d ON d.closed_at IS NULL AND part.first < part.last
    JOIN orders o ON o.merchant_id = d.holder_id
        AND o.created_at >= part.first AND o.created_at < part.last
        AND o.created_at >= $1 AND o.created_at < $2
    WHERE o.mode = $3 AND o.currency = $4
) AS created
GROUP BY GROUPING SETS ((product_code), (merchant_id)) HAVING sum(created) > 0
"""
