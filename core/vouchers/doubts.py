"""What looks like a slip: the same again, more taken back than was given, an undo that is not
one's own business. It is refused as a `Doubt`, and done for whoever says so again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from core.access import Actor
from core.causes import Cause
from core.errors import Refusal
from core.money import EXPONENTS, Money
from core.store import Queries
from core.vouchers.model import ADJUSTMENT, Holder, Kind

# Two people who answer the same message of a merchant do so within moments.
REPEAT_WITHIN: Final = timedelta(seconds=60)
# Main units of the currency. About what one press should not move without a second look.
UNDO_ASKED_FROM: Final = 10_000


class Doubt(Refusal):
    """It may be meant and it may be a slip: a person is asked once."""


async def doubt_of_move(
    queries: Queries,
    holder: Holder,
    kind: Kind,
    amount: Money,
    cause: Cause,
    at: datetime,
    before_minor: int = 0,
) -> Doubt | None:
    """Why a movement may be a slip. at: now. before_minor: what lines before it in its message
    will move, where they are not booked yet.

    A repeat is one of another message, by whomever, that stands: several lines of one message may
    well be alike, and what was undone is written again.
    """
    earlier = await queries.fetchrow(
        _REPEATED, holder.id, kind.name, amount.minor, at - REPEAT_WITHIN,
        at.date() - _DAYS_APART, cause.chat_id, cause.message_id,
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
