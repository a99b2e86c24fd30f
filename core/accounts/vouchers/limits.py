"""What one person may move alone: so much with one message, and so much in a day of the
platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.accounts.vouchers.model import Decision, Holder, KindName
from core.kernel.clock import DayCut
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.desk_settings import DeskSettings
from core.system.store import Tx

# Settings of the desk. What a supplier paid in lowers what it owes us, and has none.
_SECOND: Final[Mapping[KindName, str]] = {
    "prepayment": "prepay_second", "adjustment": "adjust_second",
}  # fmt: skip
_DAILY: Final[Mapping[KindName, str]] = {
    "prepayment": "prepay_daily", "adjustment": "adjust_daily",
}  # fmt: skip


class SecondNeeded(Refusal):
    """A message moves so much that a second person has to approve it. Nothing is booked."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second person. approve: says so in the transaction of what is booked, and looks there
    whether that may still be booked; what it raises is let out."""

    person: Actor
    approve: Callable[[Tx], Awaitable[None]]


class Limits:
    """Looks at what one message moves, whatever its sign: taking money back needs as much care."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings

    async def need_within_day(
        self, tx: Tx, actor: Actor, decisions: Sequence[Decision], at: datetime
    ) -> None:
        """One person's vouchers of a kind and currency stay within the cap of the platform's day.
        What was undone does not count. Until the transaction ends nobody else adds to them.

        Refusals: daily_cap_reached.
        """
        sizes: Counter[tuple[KindName, str]] = Counter()
        for one in decisions:
            sizes[one.kind.name, one.move.amount.currency] += abs(one.move.amount.minor)
        for (kind, currency), minor in sorted(sizes.items()):
            most = await self._most(tx, _DAILY.get(kind), currency)
            if most is None:
                continue
            await tx.hold(f"daily:{actor.user_id}:{kind}:{currency}")
            since = await _day_since(tx, at)
            moved = await tx.fetchval(_MOVED_SINCE, actor.user_id, kind, currency, since)
            if moved + minor > most.minor:
                left = Money(max(0, most.minor - moved), currency)
                raise Refusal("daily_cap_reached", name=actor.name, left=left, limit=most)

    async def need_one_person(self, tx: Tx, decisions: Sequence[Decision]) -> None:
        """What one message moves of a holder is not above the threshold of its kind: lines are
        added up, so that many small ones are no way around it. Raises SecondNeeded."""
        sizes: Counter[tuple[KindName, Holder]] = Counter()
        for one in decisions:
            sizes[one.kind.name, one.holder] += abs(one.move.amount.minor)
        for (kind, holder), minor in sizes.items():
            most = await self._most(tx, _SECOND.get(kind), holder.currency)
            if most is not None and minor > most.minor:
                raise SecondNeeded("second_person_needed")

    async def _most(self, tx: Tx, setting: str | None, currency: str) -> Money | None:
        return None if setting is None else await self._settings.amount(setting, currency, tx)


async def _day_since(tx: Tx, at: datetime) -> datetime:
    """When the platform's day of an instant began; its open day may be over and not yet closed."""
    row = await tx.fetchrow(_HOUSE_DAY, HOUSE)
    if row is None:
        raise Bug("the platform has no open business day")
    starts_at: datetime = row["starts_at"]
    ends_at: datetime = row["ends_at"]
    if at < ends_at:
        return starts_at
    cut = DayCut(row["day_cut"], row["zone"])
    return max(ends_at, cut.start_of(cut.day_of(at)))


_HOUSE_DAY: Final = """
SELECT d.starts_at, d.ends_at, k.day_cut, k.zone FROM business_day d CROSS JOIN desk k
WHERE d.holder_id = $1 AND d.closed_at IS NULL
"""
_MOVED_SINCE: Final = """
SELECT coalesce(sum(abs(v.minor)), 0)::bigint FROM voucher v
WHERE v.actor_user_id = $1 AND v.kind = $2 AND v.currency = $3 AND v.at >= $4
    AND v.reverses IS NULL
    AND NOT EXISTS (SELECT FROM voucher r WHERE r.holder_id = v.holder_id AND r.reverses = v.id)
"""
