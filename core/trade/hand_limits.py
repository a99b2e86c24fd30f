"""How much one person may do to orders by hand: alone, and in a day of the platform."""

from __future__ import annotations

from typing import Final, Literal

from core.books import day_began_at
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.people.desk_settings import DeskSettings
from core.system.store import Queries, Tx

What = Literal["complete", "refund"]


class HandLimits:
    """Thresholds and daily caps of what people do by hand. Test orders move no money: none of them
    counts."""

    def __init__(self, settings: DeskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def needs_second(self, what: What, amount: Money, mode: str) -> bool:
        """Whether a second person is to say yes."""
        return mode == "live" and await self._settings.exceeds(f"{what}_second", amount)

    async def need_room(
        self, queries: Queries, what: What, user_id: int, amount: Money, mode: str
    ) -> None:
        """So much more is within a person's cap of today. What was reversed, or failed, does not
        count. Refusals: daily_cap."""
        most = await self._settings.amount(f"{what}_daily", amount.currency, queries)
        if mode != "live" or most is None:
            return
        since = await day_began_at(queries, HOUSE, self._clock.now())
        done_minor = await queries.fetchval(_DONE[what], user_id, amount.currency, since)
        if done_minor + amount.minor > most.minor:
            left = Money(max(0, most.minor - done_minor), amount.currency)
            raise Refusal("daily_cap", most=most, left=left)

    async def hold_room(self, tx: Tx, what: What, user_id: int, amount: Money, mode: str) -> None:
        """As `need_room`, in the transaction that does it: nothing else of this kind that the same
        person does is counted until we commit."""
        await tx.hold(f"by_hand:{what}:{user_id}")
        await self.need_room(tx, what, user_id, amount, mode)


# $1: the person, $2: a currency, $3: when the platform's day began. A merchant's day may be called
# by another date.
_COMPLETED: Final = """
SELECT coalesce(sum(o.amount_minor), 0)::bigint FROM completion c
JOIN orders o ON o.merchant_id = c.merchant_id AND o.id = c.order_id
     AND o.created_at = id_time(c.order_id)
WHERE c.merchant_id = ANY(ARRAY(SELECT id FROM merchant))
  AND c.day >= ($3::timestamptz - interval '3 days')::date AND c.at >= $3
  AND c.actor_user_id = $1 AND c.reverses IS NULL AND o.currency = $2 AND o.mode = 'live'
  AND NOT EXISTS (
    SELECT FROM completion w WHERE w.merchant_id = c.merchant_id AND w.reverses = c.id)
"""
_REFUNDED: Final = """
SELECT coalesce(sum(r.amount_minor), 0)::bigint FROM refund r
JOIN orders o ON o.merchant_id = r.merchant_id AND o.id = r.order_id
     AND o.created_at = id_time(r.order_id)
WHERE r.actor = 'telegram:' || $1::bigint AND r.at >= $3 AND r.currency = $2
  AND r.state <> 'failed' AND o.mode = 'live'
"""
_DONE: Final[dict[What, str]] = {"complete": _COMPLETED, "refund": _REFUNDED}
