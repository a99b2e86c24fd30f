"""The orders completed by hand that a bill lists, and all of them by pages."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.days import Days
from core.kernel.holder import MODE
from core.reports.bills.model import CompletedLine, CompletedPage
from core.system.store import Tx

SHOWN: Final = 5
PAGE_SIZE: Final = 10


async def newest(tx: Tx, merchant_id: UUID, days: Days) -> tuple[tuple[CompletedLine, ...], int]:
    """The newest, oldest first, and how many there are in all. A reversal is told on the line of
    the completion that it took back, whichever day that is on."""
    rows = await tx.fetch(_NEWEST, merchant_id, MODE, days.first, days.last, SHOWN, 0)
    return tuple(_line(row) for row in rows[::-1]), rows[0]["of_all"] if rows else 0


async def page(tx: Tx, merchant_id: UUID, days: Days, number: int) -> CompletedPage:
    """A page of a merchant's. number: from 1."""
    whose = (merchant_id, MODE, days.first, days.last)
    count: int = await tx.fetchval(_COUNT, *whose)
    pages = max(1, -(-count // PAGE_SIZE))
    number = min(max(1, number), pages)
    rows = await tx.fetch(_NEWEST, *whose, PAGE_SIZE, (number - 1) * PAGE_SIZE)
    return CompletedPage(tuple(_line(row) for row in rows), count, number, pages)


def _line(row: asyncpg.Record) -> CompletedLine:
    return CompletedLine(**{name: row[name] for name in CompletedLine.__slots__})


# Each order is looked for by itself (OFFSET 0), in the month that its id names.
_COMPLETED: Final = """
FROM completion c
CROSS JOIN LATERAL (
    SELECT amount_minor, mode FROM orders
    WHERE merchant_id = c.merchant_id AND id = c.order_id AND created_at = id_time(c.order_id)
    OFFSET 0
) o
LEFT JOIN completion r ON r.merchant_id = c.merchant_id AND r.reverses = c.id
WHERE c.merchant_id = $1 AND o.mode = $2 AND c.day BETWEEN $3 AND $4 AND c.reverses IS NULL
"""
_COUNT: Final = f"SELECT count(*) {_COMPLETED}"
_NEWEST: Final = f"""
SELECT c.at, c.order_no, o.amount_minor, c.actor_name,
       coalesce(r.actor_name, '') AS reversed_by, count(*) OVER () AS of_all
{_COMPLETED}
ORDER BY c.at DESC, c.id DESC LIMIT $5 OFFSET $6
"""
