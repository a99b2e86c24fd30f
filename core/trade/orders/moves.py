"""The writes: every change of an order's or attempt's state goes through these functions.

A move is an UPDATE that is guarded by the states from which it is legal, and leaves a history
row. Zero rows means that the world moved on: read again and decide again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from core.books import BusinessDay
from core.kernel.errors import Bug
from core.kernel.ids import Ids
from core.system.store import Tx
from core.trade.orders.decisions import Settlement
from core.trade.orders.lifecycle import (
    PAYABLE,
    attempt_after,
    attempt_states_for,
    needs_dispute,
    order_after,
    order_states_for,
)
from core.trade.orders.rows import Attempt, Order, read_order

# How soon a payable attempt is asked about, in case its callback never comes; doubles each time.
FIRST_LOOK: Final = timedelta(seconds=10)
# Columns whose fields have the same names.
_ATTEMPT: Final = (
    "merchant_id", "attempt_no", "order_id", "order_created_at", "seq", "supplier_id",
    "supplier_no", "channel_id", "channel_no", "channel_day", "document_id", "supplier_code",
    "state", "upstream_no", "said", "created_at", "sent_at", "ask_at", "asked", "unsent",
)  # fmt: skip


async def move_order(
    tx: Tx,
    order: Order,
    move: str,
    *,
    at: datetime,
    actor: str,
    facts: dict[str, Any],
    changes: dict[str, object] | None = None,
) -> Order | None:
    """Make a move. changes: columns that change with it. None: it is not legal any more."""
    after = order_after(order.state, move, disputed=order.disputed)
    if after is None:
        return None
    columns = changes or {}
    settings = "".join(f", {name} = ${i}" for i, name in enumerate(columns, start=7))
    row = await tx.fetchrow(
        f"UPDATE orders SET state = $4, version = version + 1{settings}"  # noqa: S608 (our names)
        " WHERE merchant_id = $1 AND id = $2 AND created_at = $3 AND state = ANY($5)"
        " AND disputed = $6 RETURNING *",
        order.merchant_id,
        order.id,
        order.created_at,
        after,
        order_states_for(move),
        needs_dispute(move),
        *columns.values(),
    )
    if row is None:
        return None
    moved = read_order(row)
    await tx.execute(
        "INSERT INTO order_history (merchant_id, order_id, order_created_at, version, state_from,"
        " move, state_to, at, actor, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        order.merchant_id,
        order.id,
        order.created_at,
        moved.version,
        order.state,
        move,
        after,
        at,
        actor,
        facts,
    )
    return moved


def changes_of_payment(
    day: BusinessDay, order: Order, attempt: Attempt, settlement: Settlement, how: str
) -> dict[str, Any]:
    """What changes of an order, beside its state, when it is paid."""
    # An order that is restored was paid before: it counts once, on the day of its first time.
    first = {"paid_at": day.at, "paid_day": day.day} if not order.disputed else {}
    return {
        **first,
        "paid_attempt_no": attempt.attempt_no,
        "paid_how": how,
        "paid_late": settlement.late,
        "cost_minor": settlement.cost_minor,
        "live_attempt_no": attempt.attempt_no,
        "supplier_open": False,
        "disputed": False,
    }


async def move_attempt(
    tx: Tx,
    ids: Ids,
    attempt: Attempt,
    move: str,
    *,
    at: datetime,
    facts: dict[str, Any],
    changes: dict[str, object] | None = None,
) -> bool:
    """Make a move of an attempt. False: it is not legal (any more)."""
    after = attempt_after(attempt.state, move)
    if after is None:
        return False
    columns = changes or {}
    settings = "".join(f", {name} = ${i}" for i, name in enumerate(columns, start=6))
    moved = await tx.execute(
        f"UPDATE attempt SET state = $4{settings}"  # noqa: S608 (our own column names)
        " WHERE merchant_id = $1 AND attempt_no = $2 AND order_created_at = $3"
        " AND state = ANY($5)",
        attempt.merchant_id,
        attempt.attempt_no,
        attempt.order_created_at,
        after,
        attempt_states_for(move),
        *columns.values(),
    )
    if not moved:
        return False
    await attempt_history(tx, ids, attempt, move, attempt.state, after, at, facts)
    return True


async def attempt_history(
    tx: Tx,
    ids: Ids,
    attempt: Attempt,
    move: str,
    before: str | None,
    after: str,
    at: datetime,
    facts: dict[str, Any],
) -> None:
    await tx.execute(
        "INSERT INTO attempt_history (merchant_id, attempt_no, order_created_at, id, state_from,"
        " move, state_to, at, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        attempt.merchant_id,
        attempt.attempt_no,
        attempt.order_created_at,
        ids.uuid7(),
        before,
        move,
        after,
        at,
        facts,
    )


def attempt_row(attempt: Attempt, order: Order) -> dict[str, object]:
    """A new attempt, as the database takes it."""
    pay = attempt.pay
    return {
        **{name: getattr(attempt, name) for name in _ATTEMPT},
        "mode": order.mode,
        "product_code": order.agreed.product_code,
        "amount_minor": attempt.amount.minor,
        "currency": attempt.amount.currency,
        "cost": attempt.cost.pack(),
        "pay_kind": pay.kind if pay else None,
        "pay_value": pay.value if pay else None,
        "reasons": [reason.pack() for reason in attempt.reasons],
        "answered_at": attempt.sent_at if pay else None,
    }


async def insert_attempt(
    tx: Tx, ids: Ids, attempt: Attempt, order: Order, *, ask_at: datetime
) -> None:
    """Write a new attempt and make it the order's only live one.

    Raises Bug where another attempt of this order is live: two payable ones must be impossible.
    """
    claimed = await tx.execute(
        "UPDATE orders SET live_attempt_no = $4 WHERE merchant_id = $1 AND id = $2"
        " AND created_at = $3 AND live_attempt_no IS NULL AND state = 'created'",
        order.merchant_id,
        order.id,
        order.created_at,
        attempt.attempt_no,
    )
    if not claimed:
        raise Bug(f"order {order.order_no} has a live attempt already")
    row = attempt_row(attempt, order) | {"ask_at": ask_at}
    await tx.execute(
        "INSERT INTO attempt SELECT * FROM jsonb_populate_record(NULL::attempt, $1)", row
    )
    facts = {"reasons": row["reasons"]}
    await attempt_history(
        tx, ids, attempt, "create", None, attempt.state, attempt.created_at, facts
    )


async def release_live(tx: Tx, order: Order, attempt_no: str) -> None:
    """The live attempt is over: another may be made."""
    await tx.execute(
        "UPDATE orders SET live_attempt_no = NULL WHERE merchant_id = $1 AND id = $2"
        " AND created_at = $3 AND live_attempt_no = $4",
        order.merchant_id,
        order.id,
        order.created_at,
        attempt_no,
    )


async def ask_anew(tx: Tx, order: Order, *, at: datetime) -> None:
    """An order was decided by hand: its suppliers are asked again, and counted anew, about the
    attempts that may still be paid. What they say confirms it, or shows that it was wrong."""
    await tx.execute(
        "UPDATE attempt SET ask_at = $4, asked = 0"
        " WHERE merchant_id = $1 AND order_id = $2 AND order_created_at = $3"
        " AND state = ANY($5)",
        order.merchant_id,
        order.id,
        order.created_at,
        at + FIRST_LOOK,
        PAYABLE,
    )
