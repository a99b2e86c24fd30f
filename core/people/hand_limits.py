"""How much one person may do with money by hand: alone, and in a day of the platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.books import day_began_at
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE, MODE
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.desk_settings import DeskSettings
from core.system.store import Queries, Tx


@dataclass(frozen=True, slots=True)
class Limited:
    """What people do by hand. name: of its settings: `refund` has `refund_second`, and
    `refund_daily`. done: SQL, how much of it a person did, in smallest units. $1: the person, $2: a
    currency, $3: when the platform's day began. What was taken back does not count."""

    name: str
    done: str


class HandLimits:
    """Thresholds and daily caps. Test orders move no money: none of them counts."""

    def __init__(self, settings: DeskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def needs_second(
        self, what: Limited, amount: Money, mode: str = MODE, queries: Queries | None = None
    ) -> bool:
        """Whether a second person is to say yes. amount: with what belongs to it and was done
        already, so that parts are no way around it."""
        return mode == MODE and await self._settings.exceeds(f"{what.name}_second", amount, queries)

    async def most_alone(self, what: Limited, currency: str, queries: Queries) -> Money | None:
        """As much as one person may do; None: any sum."""
        return await self._settings.amount(f"{what.name}_second", currency, queries)

    async def day_began(self, queries: Queries) -> datetime:
        """When the platform's day began. A merchant's may be called by another date."""
        return await day_began_at(queries, HOUSE, self._clock.now())

    async def need_room(
        self, queries: Queries, what: Limited, actor: Actor, amount: Money, mode: str = MODE
    ) -> None:
        """So much more is within a person's cap of today. Refusals: daily_cap."""
        most = await self._most_today(queries, what, amount.currency, mode)
        if most is not None:
            await self._need(queries, what, actor, amount, most)

    async def hold_room(
        self, tx: Tx, what: Limited, actor: Actor, amount: Money, mode: str = MODE
    ) -> None:
        """As `need_room`, in the transaction that does it: nothing else of this kind that the same
        person does is counted until we commit."""
        most = await self._most_today(tx, what, amount.currency, mode)
        if most is not None:
            await tx.hold(f"by_hand:{what.name}:{actor.user_id}")
            await self._need(tx, what, actor, amount, most)

    async def _most_today(
        self, queries: Queries, what: Limited, currency: str, mode: str
    ) -> Money | None:
        if mode != MODE:
            return None
        return await self._settings.amount(f"{what.name}_daily", currency, queries)

    async def _need(
        self, queries: Queries, what: Limited, actor: Actor, amount: Money, most: Money
    ) -> None:
        since = await self.day_began(queries)
        done_minor = await queries.fetchval(what.done, actor.user_id, amount.currency, since)
        if done_minor + amount.minor > most.minor:
            left = Money(max(0, most.minor - done_minor), amount.currency)
            raise Refusal("daily_cap", name=actor.name, most=most, left=left)
