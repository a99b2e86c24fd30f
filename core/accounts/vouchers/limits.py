"""What one person may move alone: of one merchant, and in a day of the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.accounts.vouchers.model import Decision, Holder, KindName
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.hand_limits import HandLimits, Limited
from core.system.store import Queries, Tx


class SecondNeeded(Refusal):
    """A message moves so much that a second person has to approve it. Nothing is booked."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second person. approve: says so in the transaction of what is booked, and looks there
    whether that may still be booked; what it raises is let out."""

    person: Actor
    approve: Callable[[Tx], Awaitable[None]]


class Limits:
    """Looks at what a message moves, whatever its sign: taking money back needs as much care."""

    def __init__(self, limits: HandLimits) -> None:
        self._limits = limits

    async def need_within_day(self, tx: Tx, actor: Actor, decisions: Sequence[Decision]) -> None:
        """One person's vouchers of a kind and currency stay within the cap of the platform's day.
        Until the transaction ends nobody else adds to them.

        Refusals: daily_cap.
        """
        sizes: Counter[tuple[KindName, str]] = Counter()
        for one in decisions:
            sizes[one.kind.name, one.move.amount.currency] += abs(one.move.amount.minor)
        for (kind, currency), minor in sorted(sizes.items()):
            if kind in _LIMITED:
                await self._limits.hold_room(tx, _LIMITED[kind], actor, Money(minor, currency))

    async def need_one_person(self, tx: Tx, actor: Actor, decisions: Sequence[Decision]) -> None:
        """What a person moves of a holder in a day of the platform, and nobody else approved, is
        not above the threshold of its kind: neither many lines nor many messages are a way around
        it. Nobody else moves anything of the holder meanwhile. Raises SecondNeeded."""
        sizes: Counter[tuple[KindName, Holder]] = Counter()
        for one in decisions:
            sizes[one.kind.name, one.holder] += abs(one.move.amount.minor)
        for (kind, holder), minor in sizes.items():
            if kind not in _LIMITED:
                continue
            most = await self._limits.most_alone(_LIMITED[kind], holder.currency, tx)
            if most is None:
                continue
            if minor <= most.minor:
                since = await self._limits.day_began(tx)
                minor += await moved_alone_minor(tx, actor.user_id, kind, holder.id, since)
            if minor > most.minor:
                raise SecondNeeded("second_person_needed")


async def hold_vouchers(tx: Tx, holder_id: UUID) -> None:
    """Until we commit, nobody else moves money of a holder by hand. After the business day and
    before balances."""
    await tx.hold(f"voucher:{holder_id}")


async def moved_alone_minor(
    queries: Queries, user_id: int, kind: KindName, holder_id: UUID, since: datetime
) -> int:
    """What a person moved of a holder since an instant, whatever its sign, and nobody else
    approved. A merchant that is charged anew is adjusted, by another name."""
    minor: int = await queries.fetchval(_MOVED_ALONE, user_id, kind, holder_id, since)
    return minor


_STANDS: Final = """
v.at >= {since} AND v.reverses IS NULL
AND NOT EXISTS (SELECT FROM voucher r WHERE r.holder_id = v.holder_id AND r.reverses = v.id)
"""
_MOVED_ALONE: Final = f"""
SELECT (
    SELECT coalesce(sum(abs(v.minor)), 0) FROM voucher v
    WHERE v.actor_user_id = $1 AND v.kind = $2 AND v.holder_id = $3 AND v.approved_by IS NULL
        AND {_STANDS.format(since="$4")}
)::bigint + (
    SELECT coalesce(sum(abs(r.difference_minor)), 0) FROM rerating r
    WHERE $2 = 'adjustment' AND r.actor_user_id = $1 AND r.merchant_id = $3 AND r.at >= $4
        AND r.approved_by IS NULL
)::bigint
"""  # noqa: S608 (our own words)


def _done(kind: KindName) -> str:
    return f"""
SELECT coalesce(sum(abs(v.minor)), 0)::bigint FROM voucher v
WHERE v.actor_user_id = $1 AND v.kind = '{kind}' AND v.currency = $2
    AND {_STANDS.format(since="$3")}
"""  # noqa: S608 (our own words)


ADJUSTMENTS: Final = Limited(
    "adjust",
    f"""
SELECT ({_done("adjustment")}) + (
    SELECT coalesce(sum(abs(r.difference_minor)), 0)::bigint FROM rerating r
    WHERE r.actor_user_id = $1 AND r.currency = $2 AND r.at >= $3
)
""",  # noqa: S608 (our own words)
)
# What a supplier paid in lowers what it owes us, and has no limit.
_LIMITED: Final[Mapping[KindName, Limited]] = {
    "prepayment": Limited("prepay", _done("prepayment")),
    "adjustment": ADJUSTMENTS,
}
