"""What a day of a supplier or of the platform closed with, told where it is read.

Its live bill is edited to that. A group that has none of that day gets the bill.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from core.delivery.board import Board, LiveBill
from core.delivery.outbox import Outbox
from core.kernel.holder import HOUSE, MODE
from core.people.groups import Groups
from core.system.store import Tx


class DayReports:
    """Tells each closed day once: whoever keeps a day's sums says so in its transaction."""

    def __init__(self, groups: Groups, outbox: Outbox, board: Board) -> None:
        self._groups = groups
        self._outbox = outbox
        self._board = board

    async def post(self, tx: Tx, holder_id: UUID, day: date) -> None:
        """In the groups of a supplier, or (HOUSE) in the ops groups. Where there is no live bill
        of the day, nothing is told of one on which nothing moved, nor of one that a later one
        followed already: a desk that was away tells the last."""
        of_house = holder_id == HOUSE
        chats = await (self._groups.ops(tx) if of_house else self._groups.of_holder(tx, holder_id))
        bills = [LiveBill.of_desk(holder_id, chat_id) for chat_id in chats]
        without = [bill for bill in bills if not await self._board.close_bill(tx, bill, day)]
        former = day - timedelta(days=1)
        if not without or not await tx.fetchval(_WORTH_TELLING, holder_id, day, former, MODE):
            return
        for bill in without:
            key = f"day:{bill.chat_id}:{holder_id}:{day.isoformat()}"
            await self._outbox.say(tx, bill.chat_id, bill.fact(day), dedupe_key=key)


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
