"""Discrepancies as they stand: what is open, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

import asyncpg

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.system.store import Queries

PAGE_SIZE: Final = 10
# What the desk books of the money itself; a completion is the order's.
Way = Literal["refund_payer", "credit_merchant"]
How = Literal[Way, "complete"]
HOWS: Final[tuple[How, ...]] = get_args(How)
WAYS: Final[tuple[Way, ...]] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Money that a supplier saw and that settles no order.

    kind: short | over | duplicate. asked_minor: of the order; left_minor: of what was seen, what
    is still in suspense (0: resolved). ways: what can be done with it now.
    """

    merchant_id: UUID
    merchant_no: str
    id: UUID
    order_id: UUID
    order_no: str
    mode: str
    attempt_no: str
    supplier_no: str
    upstream_no: str
    kind: str
    asked_minor: int
    seen_minor: int
    left_minor: int
    currency: str
    at: datetime
    ways: tuple[How, ...]

    @property
    def left(self) -> Money:
        """What is still in suspense."""
        return Money(self.left_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of a discrepancy's money, or of part of it. approved_by_name: the second person;
    empty where none was needed."""

    discrepancy_id: UUID
    order_no: str
    how: str
    minor: int
    currency: str
    reason: str
    actor_name: str
    approved_by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what is open, the oldest first. number: from 1; total: of discrepancies."""

    items: tuple[Discrepancy, ...]
    number: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


async def find_open(
    queries: Queries, merchant_ids: Sequence[UUID] | None, mode: str, page: int
) -> Page:
    """What is still in suspense. merchant_ids: whose; None for everybody's."""
    scope = _scope(merchant_ids)
    total = await queries.fetchval(
        "SELECT count(*) FROM discrepancy d WHERE d.left_minor > 0 AND d.mode = $2"
        " AND ($1::uuid[] IS NULL OR d.merchant_id = ANY($1))",
        scope,
        mode,
    )
    number = min(max(1, page), max(1, -(-total // PAGE_SIZE)))
    rows = await queries.fetch(
        f"{_READ} WHERE d.left_minor > 0 AND d.mode = $2"
        " AND ($1::uuid[] IS NULL OR d.merchant_id = ANY($1))"
        " ORDER BY d.at, d.id LIMIT $3 OFFSET $4",
        scope,
        mode,
        PAGE_SIZE,
        (number - 1) * PAGE_SIZE,
    )
    return Page(tuple(_read(row) for row in rows), number, total)


async def find_resolved(
    queries: Queries, merchant_ids: Sequence[UUID] | None, mode: str, since: datetime, limit: int
) -> list[Resolution]:
    """What was resolved since an instant, the newest first."""
    rows = await queries.fetch(
        f"{_RESOLVED} AND d.mode = $2 AND r.at > $3"
        " AND ($1::uuid[] IS NULL OR r.merchant_id = ANY($1))"
        " ORDER BY r.at DESC, r.id LIMIT $4",
        _scope(merchant_ids),
        mode,
        since,
        limit,
    )
    return [Resolution(**dict(row)) for row in rows]


async def find_one(
    queries: Queries, merchant_ids: Sequence[UUID] | None, discrepancy_id: UUID
) -> tuple[Discrepancy, list[Resolution]]:
    """One discrepancy among those of these merchants, and what became of it so far.

    Refusals: record_not_found.
    """
    row = await queries.fetchrow(
        f"{_READ} WHERE d.id = $2"  # noqa: S608 (our own words)
        " AND d.merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))",
        _scope(merchant_ids),
        discrepancy_id,
    )
    if row is None:
        raise Refusal("record_not_found")
    resolved = await queries.fetch(
        f"{_RESOLVED} AND r.merchant_id = $1 AND r.discrepancy_id = $2 ORDER BY r.at, r.id",
        row["merchant_id"],
        discrepancy_id,
    )
    return _read(row), [Resolution(**dict(r)) for r in resolved]


def _scope(merchant_ids: Sequence[UUID] | None) -> list[UUID] | None:
    return None if merchant_ids is None else list(merchant_ids)


def _read(row: asyncpg.Record) -> Discrepancy:
    values: dict[str, Any] = dict(row)
    completable = values.pop("completable")
    ways = tuple(h for h in HOWS if row["left_minor"] > 0 and (h != "complete" or completable))
    return Discrepancy(**values, ways=ways)


# completable: the order is unpaid, or disputed, and waits for money.
_READ: Final = """
SELECT d.merchant_id, m.merchant_no, d.id, d.order_id, d.order_no, d.mode, d.attempt_no,
       d.supplier_no, d.upstream_no, d.kind, d.asked_minor, d.seen_minor, d.left_minor,
       d.currency, d.at,
       d.left_minor > 0 AND (o.paid_at IS NULL OR o.disputed) AS completable
FROM discrepancy d
JOIN merchant m ON m.id = d.merchant_id
JOIN order_key k ON k.merchant_id = d.merchant_id AND k.order_no = d.order_no
JOIN orders o ON o.merchant_id = d.merchant_id AND o.id = d.order_id
     AND o.created_at = k.created_at
"""

# A completion that was reversed gave its money back: it counts no longer.
_RESOLVED: Final = """
SELECT r.discrepancy_id, d.order_no, r.how, r.minor, d.currency, r.reason, r.actor_name,
       coalesce(r.approved_by_name, '') AS approved_by_name, r.at
FROM resolution r
JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
WHERE NOT EXISTS (
    SELECT FROM ledger_event v WHERE v.merchant_id = r.merchant_id AND v.reverses = r.event_id)
"""
