"""What completions and reversals go by: money in suspense, and what was completed before."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from core.kernel.errors import Bug, Refusal
from core.system.store import Queries, Tx
from core.trade.orders.decisions import InSuspense
from core.trade.orders.rows import Attempt, Order, named


async def held_minor_of(queries: Queries, order: Order, discrepancy_id: UUID | None) -> int:
    """How much of an order's money is in suspense. discrepancy_id: of this one alone; None for
    all."""
    return int(
        await queries.fetchval(
            "SELECT coalesce(sum(left_minor), 0) FROM discrepancy"
            " WHERE merchant_id = $1 AND order_id = $2 AND ($3::uuid IS NULL OR id = $3)",
            order.merchant_id,
            order.id,
            discrepancy_id,
        )
    )


async def need_reversible(queries: Queries, order: Order) -> None:
    """Refusals: order_state (not paid by hand, refunded, disputed already), completion_confirmed,
    refund_under_way."""
    if order.state != "paid" or order.disputed or order.paid_how != "completed":
        raise Refusal("order_state", number=order.order_no, status=order.state)
    if await queries.fetchval(
        "SELECT EXISTS (SELECT FROM supplier_payment"
        " WHERE merchant_id = $1 AND order_id = $2 AND booked_as = 'confirmation')",
        order.merchant_id,
        order.id,
    ):
        raise Refusal("completion_confirmed", number=order.order_no)
    if await queries.fetchval(
        "SELECT EXISTS (SELECT FROM refund"
        " WHERE merchant_id = $1 AND order_id = $2 AND ended_at IS NULL)",
        order.merchant_id,
        order.id,
    ):
        raise Refusal("refund_under_way", number=order.order_no)


async def completion_of(tx: Tx, order: Order) -> asyncpg.Record:
    """The completion by which the order is paid: the one that is not reversed."""
    row = await tx.fetchrow(
        "SELECT c.id, c.event_id FROM completion c"
        " WHERE c.merchant_id = $1 AND c.order_id = $2 AND c.reverses IS NULL AND NOT EXISTS ("
        "  SELECT FROM completion w WHERE w.merchant_id = c.merchant_id AND w.reverses = c.id)",
        order.merchant_id,
        order.id,
    )
    if row is None:
        raise Bug(f"order {order.order_no} is completed without a completion")
    return row


async def held_of(
    tx: Tx, order: Order, attempts: list[Attempt], attempt: Attempt, discrepancy_id: UUID | None
) -> list[InSuspense]:
    """The order's money in suspense, whatever it was when it was seen; that of the attempt first.
    discrepancy_id: of the only one that counts; None for all of them."""
    rows = await tx.fetch(
        "SELECT id, attempt_no, seen_minor, left_minor FROM discrepancy"
        " WHERE merchant_id = $1 AND order_id = $2 AND left_minor > 0"
        " AND ($4::uuid IS NULL OR id = $4) ORDER BY (attempt_no = $3) DESC, id",
        order.merchant_id,
        order.id,
        attempt.attempt_no,
        discrepancy_id,
    )
    return [
        InSuspense(
            row["id"], named(attempts, row["attempt_no"]), row["seen_minor"], row["left_minor"]
        )
        for row in rows
    ]
