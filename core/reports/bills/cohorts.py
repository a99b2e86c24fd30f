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
    rows = await tx.fetch(_COHORTS, starts_at, ends_at, MODE, currency, live.since, live.until)
    counted = [(row, Cohort(row["created"], row["paid"])) for row in rows]
    return Cohorts(
        {row["product_code"]: c for row, c in counted if row["product_code"] is not None},
        {row["merchant_id"]: c for row, c in counted if row["merchant_id"] is not None},
    )


# $5: since when nothing is rolled up, $6: nothing is behind it.
_COHORTS: Final = """
SELECT product_code, merchant_id, sum(created) AS created, sum(paid_in_day) AS paid
FROM created_between($1, $2, $5, $6, false) WHERE mode = $3 AND currency = $4
GROUP BY GROUPING SETS ((product_code), (merchant_id)) HAVING sum(created) > 0
"""
