"""What looks like a slip: the same again, more taken back than was given, an undo that is not
one's own business. It is refused as `Doubts`, and done for whoever says so again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.accounts.vouchers.model import ADJUSTMENT, Decision
from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, Money
from core.people.actors import Actor
from core.system.store import Queries, Tx

# Two people who answer the same message of a merchant do so within moments.
REPEAT_WITHIN: Final = timedelta(seconds=60)
# Main units of the currency. About what one press should not move without a second look.
UNDO_ASKED_FROM: Final = 10_000
UNDO_LINE: Final = 0


class Doubt(Refusal):
    """It may be meant and it may be a slip: a person is asked once."""


class Doubts(Exception):
    """Lines of a message, or an undo, may be slips. To be let out of the transaction, which rolls
    it back.

    by_line: line -> why; the line of an undo is UNDO_LINE.
    """

    def __init__(self, by_line: dict[int, Doubt]) -> None:
        super().__init__(f"lines {sorted(by_line)} may be slips")
        self.by_line = by_line


# Is told in the transaction that moves the money what looks like a slip there, by line. What it
# raises is let out.
Doubted = Callable[[Tx, Mapping[int, Doubt]], Awaitable[None]]


async def ask_first(_: Tx, doubts: Mapping[int, Doubt]) -> None:
    """Nobody said yet that it is meant. Raises Doubts."""
    if doubts:
        raise Doubts(dict(doubts))


async def doubts_of_moves(
    queries: Queries, decisions: Sequence[Decision], at: Mapping[UUID, datetime]
) -> dict[int, Doubt]:
    """line -> why it may be a slip, of the lines of one message that are not booked yet; each
    counts on what the lines before it will have moved. at: now, in each holder's books."""
    found: dict[int, Doubt] = {}
    before: Counter[tuple[UUID, str]] = Counter()
    for one in decisions:
        moves = (one.holder.id, one.kind.name)
        doubt = await _doubt_of_move(queries, one, at[one.holder.id], before[moves])
        before[moves] += one.move.amount.minor
        if doubt is not None:
            found[one.cause.line] = doubt
    return found


async def _doubt_of_move(
    queries: Queries, one: Decision, at: datetime, before_minor: int
) -> Doubt | None:
    """A repeat is one of another message, by whomever, that stands: several lines of one message
    may well be alike, and what was undone is written again."""
    holder, kind, amount = one.holder, one.kind, one.move.amount
    earlier = await queries.fetchrow(
        _REPEATED, holder.id, kind.name, amount.minor, at - REPEAT_WITHIN,
        at.date() - _DAYS_APART, one.cause.chat_id, one.cause.message_id,
    )  # fmt: skip
    if earlier is not None:
        return Doubt(
            "repeat_doubtful",
            ago_s=int((at - earlier["at"]).total_seconds()),
            record_no=earlier["record_no"],
            name=earlier["actor_name"],
        )
    if kind is ADJUSTMENT or amount.minor > 0:
        return None
    moved_minor = await queries.fetchval(_MOVED, holder.id, kind.name) + before_minor
    if moved_minor + amount.minor >= 0:
        return None
    return Doubt("take_back_doubtful", moved=Money(moved_minor, holder.currency))


def doubt_of_undo(actor: Actor, row: Mapping[str, Any]) -> Doubt | None:
    """Why the undo of a voucher's row may be a slip."""
    if row["actor_user_id"] != actor.user_id:
        return Doubt("undo_of_another", record_no=row["record_no"], name=row["actor_name"])
    amount = Money(row["minor"], row["currency"])
    if abs(amount.minor) >= UNDO_ASKED_FROM * 10 ** EXPONENTS[amount.currency]:
        return Doubt("undo_of_much", record_no=row["record_no"], amount=amount)
    return None


# More than any zone and any cut puts between a business day and the date in UTC.
_DAYS_APART: Final = timedelta(days=3)
_REPEATED: Final = """
SELECT v.record_no, v.actor_name, v.at FROM voucher v
WHERE v.holder_id = $1 AND v.kind = $2 AND v.minor = $3 AND v.at > $4 AND v.day >= $5
    AND v.reverses IS NULL AND (v.chat_id, v.message_id) <> ($6, $7)
    AND NOT EXISTS (SELECT FROM voucher r WHERE r.holder_id = v.holder_id AND r.reverses = v.id)
ORDER BY v.at DESC LIMIT 1
"""
_MOVED: Final = (
    "SELECT coalesce(sum(minor), 0)::bigint FROM voucher WHERE holder_id = $1 AND kind = $2"
)
