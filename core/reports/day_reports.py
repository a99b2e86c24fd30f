"""The bill with which a day of a supplier or of the platform closed, posted to whoever reads it.

A merchant's live bill is edited to what its day closed with. Others have no live bill.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from core.delivery.outbox import DeskBill, Outbox
from core.kernel.holder import HOUSE, MODE
from core.people.groups import Groups
from core.system.store import Tx


class DayReports:
    """Posts each closed day once: whoever keeps a day's sums says so in its transaction."""

    def __init__(self, groups: Groups, outbox: Outbox) -> None:
        self._groups = groups
        self._outbox = outbox

    async def post(self, tx: Tx, holder_id: UUID, day: date) -> None:
        """In the groups of a supplier, or (HOUSE) in the ops groups; nothing of a day on which
        nothing moved, nor of one that a later one followed already: a desk that was away tells the
        last."""
        if not await tx.fetchval(_WORTH_TELLING, holder_id, day, day - timedelta(days=1), MODE):
            return
        of_house = holder_id == HOUSE
        chats = await (self._groups.ops(tx) if of_house else self._groups.of_holder(tx, holder_id))
        supplier_id = None if of_house else str(holder_id)
        fact = DeskBill(day.isoformat(), day.isoformat(), supplier_id)
        for chat_id in chats:
            await self._outbox.say(
                tx, chat_id, fact, dedupe_key=f"day:{chat_id}:{holder_id}:{day.isoformat()}"
            )


_WORTH_TELLING: Final = """
SELECT EXISTS (
    SELECT FROM (
        SELECT currency, account, minor FROM closing
        WHERE holder_id = $1 AND day = $2 AND mode = $4
    ) closed FULL JOIN (
        SELECT currency, account, minor FROM closing
        WHERE holder_id = $1 AND day = $3 AND mode = $4
    ) former USING (currency, account)
    WHERE closed.minor IS DISTINCT FROM former.minor
) AND NOT EXISTS (
    SELECT FROM business_day WHERE holder_id = $1 AND day > $2 AND closed_at IS NOT NULL
)
"""
