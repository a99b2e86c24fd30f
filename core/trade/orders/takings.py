"""What suppliers took of an order: of which payments it was paid, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.system.store import Queries
from core.trade.orders.rows import Attempt, Order, named


@dataclass(frozen=True, slots=True)
class Taking:
    """What was paid on one attempt. minor: of it pays the order; seen: all that the supplier took,
    and charged its cost for."""

    attempt: Attempt
    minor: int
    seen_minor: int
    cost_minor: int


async def takings_of(
    queries: Queries, order: Order, attempts: Sequence[Attempt]
) -> tuple[Taking, ...]:
    """The takings of an order that is paid, one for each attempt.

    Several, where it was completed with more than one payment that was in suspense. Of one that
    was completed out of nothing it is taken that all was paid, until a supplier reports it.
    """
    used = await queries.fetch(_USED, order.merchant_id, order.id)
    if used:
        takings: dict[str, Taking] = {}
        for row in used:
            attempt = named(attempts, row["attempt_no"])
            seen, cost = row["seen_minor"], attempt.cost.of(row["seen_minor"])
            there = takings.get(attempt.attempt_no, Taking(attempt, 0, 0, 0))
            takings[attempt.attempt_no] = replace(
                there,
                minor=there.minor + row["minor"],
                seen_minor=there.seen_minor + seen,
                cost_minor=there.cost_minor + cost,
            )
        return tuple(takings.values())
    seen_minor = await queries.fetchval(_CONFIRMED, order.merchant_id, order.id)
    if seen_minor is None:
        seen_minor = order.amount.minor
    attempt = named(attempts, order.paid_attempt_no or "")
    minor = min(seen_minor, order.amount.minor)
    return (Taking(attempt, minor, seen_minor, order.cost_minor or 0),)


# What the completion that counts took from suspense.
_USED: Final = """
SELECT d.attempt_no, r.minor, d.seen_minor
FROM resolution r
JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
WHERE d.merchant_id = $1 AND d.order_id = $2 AND r.how = 'complete' AND NOT EXISTS (
    SELECT FROM ledger_event v WHERE v.merchant_id = r.merchant_id AND v.reverses = r.event_id)
ORDER BY r.id
"""
_CONFIRMED: Final = """
SELECT amount_minor FROM supplier_payment
WHERE merchant_id = $1 AND order_id = $2 AND booked_as = 'confirmation'
"""
