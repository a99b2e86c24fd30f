"""The writes: every change of a refund's row goes through these functions, under its order's lock.

A move is an UPDATE that is guarded by the state it is made from, and leaves a history row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core.kernel.errors import Bug
from core.kernel.ids import Ids, uuid7_time
from core.system.store import Tx
from core.trade.refunds.lifecycle import after
from core.trade.refunds.rows import Refund, read_refund


async def insert_refund(
    tx: Tx, ids: Ids, wanted: Refund, *, app_id: UUID, ask_at: datetime
) -> Refund | None:
    """Write a new refund. None: its number is taken by a twin of another order."""
    row = await tx.fetchrow(
        "INSERT INTO refund (merchant_id, id, order_id, order_no, attempt_no, app_id,"
        " refund_no, sent_no, amount_minor, currency, fee_returned, fee_back_minor, state,"
        " reserve_event_id, actor, at, ask_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " ON CONFLICT (merchant_id, app_id, refund_no) DO NOTHING RETURNING *",
        wanted.merchant_id,
        wanted.id,
        wanted.order_id,
        wanted.order_no,
        wanted.attempt_no,
        app_id,
        wanted.refund_no,
        wanted.sent_no,
        wanted.amount.minor,
        wanted.amount.currency,
        wanted.fee_returned,
        wanted.fee_back_minor,
        wanted.state,
        wanted.reserve_event_id,
        wanted.actor,
        wanted.at,
        ask_at,
    )
    if row is None:
        return None
    await _history(tx, ids, wanted, "create", None, wanted.state, wanted.at, {})
    return read_refund(row)


async def move_refund(
    tx: Tx,
    ids: Ids,
    refund: Refund,
    move: str,
    *,
    at: datetime,
    facts: dict[str, Any],
    changes: dict[str, object],
) -> Refund:
    """Make a move. changes: columns that change with it. Raises Bug where it is not legal."""
    state = after(refund.state, move)
    moved = await _update(tx, refund, {"state": state, **changes})
    await _history(tx, ids, refund, move, refund.state, state, at, facts)
    return moved


async def note_refund(tx: Tx, refund: Refund, changes: dict[str, object]) -> Refund:
    """Nothing is decided: note what was heard, and when to ask next."""
    return await _update(tx, refund, changes)


async def _update(tx: Tx, refund: Refund, changes: dict[str, object]) -> Refund:
    settings = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=4))
    row = await tx.fetchrow(
        f"UPDATE refund SET {settings}"  # noqa: S608 (our own column names)
        " WHERE merchant_id = $1 AND id = $2 AND state = $3 RETURNING *",
        refund.merchant_id,
        refund.id,
        refund.state,
        *changes.values(),
    )
    if row is None:
        raise Bug(f"the refund {refund.sent_no} moved while it was locked")
    return read_refund(row)


async def _history(
    tx: Tx,
    ids: Ids,
    refund: Refund,
    move: str,
    before: str | None,
    state: str,
    at: datetime,
    facts: dict[str, Any],
) -> None:
    await tx.execute(
        "INSERT INTO refund_history (merchant_id, refund_id, order_created_at, id, state_from,"
        " move, state_to, at, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        refund.merchant_id,
        refund.id,
        uuid7_time(refund.order_id),
        ids.uuid7(),
        before,
        move,
        state,
        at,
        facts,
    )
