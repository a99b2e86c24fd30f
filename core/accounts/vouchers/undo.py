"""Taking a voucher back: for how long it may be, and what the reversal books. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import asyncpg

from core.accounts.vouchers.model import Kind, Move
from core.books import Event, Posting, reversal
from core.kernel.errors import Refusal
from core.kernel.holder import MODE
from core.kernel.money import Money

UNDO_WITHIN: Final = timedelta(minutes=30)


def need_undoable(row: asyncpg.Record | None, at: datetime) -> None:
    """Whether a voucher's row may be taken back at an instant. Refusals: record_not_found,
    already_undone, undo_too_late."""
    if row is None:
        raise Refusal("record_not_found")
    if row["undone"]:
        raise Refusal("already_undone")
    if at - row["at"] > UNDO_WITHIN:
        raise Refusal("undo_too_late", limit_min=int(UNDO_WITHIN.total_seconds() // 60))


def reversal_of(kind: Kind, row: asyncpg.Record, moved: Sequence[Posting]) -> tuple[Event, Move]:
    """What takes a voucher's row back exactly. moved: what it booked."""
    event = Event(
        f"{kind.undone}:{row['id']}", kind.undone, MODE, reversal(moved),
        reverses=row["event_id"],
    )  # fmt: skip
    rate = row["conversion_rate"]
    move = Move(
        Money(-row["minor"], row["currency"]), event.postings,
        Money(-row["original_minor"], row["original_currency"]), row["remark"],
        Decimal(rate) if rate else None,
    )  # fmt: skip
    return event, move
