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
        of the day, nothing is told of one on which nothing moved, nor where something moved on a
        later one that is closed already: a desk that was away tells the last."""
        of_house = holder_id == HOUSE
        chats = await (self._groups.ops(tx) if of_house else self._groups.of_holder(tx, holder_id))
        bills = [LiveBill.of_desk(holder_id, chat_id) for chat_id in chats]
        without = [bill for bill in bills if not await self._board.close_bill(tx, bill, day)]
        if not without or not await self._is_last_that_moved(tx, holder_id, day):
            return
        for bill in without:
            key = f"day:{bill.chat_id}:{holder_id}:{day.isoformat()}"
            await self._outbox.say(tx, bill.chat_id, bill.fact(day), dedupe_key=key)

    async def _is_last_that_moved(self, tx: Tx, holder_id: UUID, day: date) -> bool:
        """Whether something moved on a day, and nothing on closed days behind it."""
        former = day - timedelta(days=1)
        if not await tx.fetchval(_MOVED, holder_id, day, former, MODE):
            return False
        behind = await tx.fetchrow(_BEHIND, holder_id, day)
        if behind is None:
            return True
        span = (behind["starts_at"], behind["ends_at"])
        return not await tx.fetchval(_MOVED_BETWEEN, *span, MODE, behind["no"])


_MOVED: Final = """
SELECT EXISTS (
    SELECT FROM (
        SELECT currency, account, minor FROM closing
        WHERE holder_id = $1 AND day = $2 AND mode = $4
    ) closed FULL JOIN (
        SELECT currency, account, minor FROM closing
        WHERE holder_id = $1 AND day = $3 AND mode = $4
    ) former USING (currency, account)
    WHERE closed.minor IS DISTINCT FROM former.minor
)
"""
# The closed days behind a day, and the number of whose they are; the platform has none.
_BEHIND: Final = """
SELECT min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at, h.no
FROM business_day d JOIN holder h ON h.id = d.holder_id
WHERE d.holder_id = $1 AND d.day > $2 AND d.closed_at IS NOT NULL
GROUP BY h.no
"""
# Their sums are not kept yet, and not everybody needs to be rolled up to their end.
_MOVED_BETWEEN: Final = """
SELECT EXISTS (
    SELECT FROM moved_between($1, $2, $1, false)
    WHERE mode = $3 AND ($4 = '' OR split_part(account, '/', 2) = $4)
)
"""
