"""Suppliers' licences: people are told before one ends."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Outbox, Say
from core.kernel.clock import Clock
from core.people.groups import Groups
from core.supply.onboarding.notices import AlarmLicence
from core.system.store import Store

# Days before a licence's last day on which people are told, and that day itself.
TOLD_DAYS: Final = (30, 7, 1, 0)


class Licences:
    """Watches when live suppliers' licences end. That channels then take no orders is decided
    where they are chosen."""

    def __init__(self, store: Store, clock: Clock, groups: Groups, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._groups = groups
        self._outbox = outbox

    async def watch(self) -> int:
        """Tell the ops groups on each of TOLD_DAYS, once; late, where nobody looked in time.

        Returns how many licences were told of.
        """
        told = 0
        for row in await self._store.fetch(_ENDING, self._clock.now(), max(TOLD_DAYS)):
            days_left = row["days_left"]
            step = min(days for days in TOLD_DAYS if days >= max(0, days_left))
            if row["licence_told"] is not None and row["licence_told"] <= step:
                continue
            alarm = AlarmLicence(
                supplier_no=row["supplier_no"],
                supplier_name=row["name"],
                licence_no=row["licence_no"],
                expires_on=row["licence_expires_on"],
                days_left=days_left,
            )
            async with self._store.transaction() as tx:
                chats = await self._groups.ops(tx)  # where there is none yet, it is told later
                if chats and await tx.execute(_TOLD, row["id"], row["licence_expires_on"], step):
                    told += 1
                    for chat_id in chats:
                        await self._outbox.say(tx, chat_id, Say(alarm))
        return told


# $1 now, $2 days. A licence's last day is one of the supplier's own calendar.
_ENDING: Final = """
SELECT * FROM (
    SELECT id, supplier_no, name, licence_no, licence_expires_on, licence_told,
           licence_expires_on - ($1::timestamptz AT TIME ZONE zone)::date AS days_left
    FROM supplier WHERE state = 'live'
) s
WHERE days_left <= $2 ORDER BY supplier_no
"""
_TOLD: Final = """
UPDATE supplier SET licence_told = $3
WHERE id = $1 AND licence_expires_on = $2 AND (licence_told IS NULL OR licence_told > $3)
"""
