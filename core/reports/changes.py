"""What changed since it was shown: cards of orders and live bills are edited.

Whoever moves money or an order writes nothing for this. What moved is read afterwards, by the
instants of what every move leaves anyway: its row of history, its event in the books, its try of a
notification. A transaction may commit later than another one that began after it. So each look goes
back a little behind the one before, and now and then one goes back further: the further, the more
rarely. A message that shows already what it should is not edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core.delivery.board import BILL_REST, Board, CardPost, LiveBill
from core.kernel.clock import Clock
from core.kernel.holder import HOUSE, MODE
from core.system.store import Store
from core.trade.enquiries import Enquiries
from core.trade.orders import OrderKey
from core.trade.watches import Watches

# A transaction commits within it after its instant was taken, unless it waited for somebody.
SOON: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A look that goes further back. every: so often."""

    every: timedelta
    back: timedelta


# One that waited: for a lock it waits 3 seconds at most, and a statement takes 30 at most.
SWEEP: Final = Sweep(every=timedelta(seconds=30), back=timedelta(seconds=60))
# One of many slow statements: nothing ends it as a whole. What is older still is shown with its
# merchant's, or its order's, next change.
WIDE_SWEEP: Final = Sweep(every=timedelta(minutes=15), back=timedelta(minutes=45))
# Nothing is older that nobody looked for: whoever changes anything looks as well.
OLDEST: Final = timedelta(days=1)
# The mark is written so often where nothing changed: a desk that begins looks from there on.
MARK_EVERY: Final = timedelta(minutes=1)
# So many messages are put into the outbox in one transaction.
MOST_AT_ONCE: Final = 100
# All live bills together are drawn so often at most: with many that move, each rests longer.
BILLS_PER_S: Final = 5
LONGEST_REST: Final = timedelta(seconds=60)


class Changes:
    """Looks for what changed, and has it shown. Instances that look at once share one mark.
    Enquiries about orders that changed may be over, and what is watched may be paid."""

    def __init__(
        self, store: Store, clock: Clock, board: Board, enquiries: Enquiries, watches: Watches
    ) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._enquiries = enquiries
        self._watches = watches
        self._mark: datetime | None = None
        self._looked_to: datetime | None = None
        self._swept_at: dict[Sweep, datetime] = {}

    async def show(self) -> int:
        """Have edited what changed since the last look; how many messages that are. What waits to
        be edited already shows it then. One question where nothing changed.

        A sweep is a question of its own, and has had its turn once it is asked: one that takes too
        long stops no other look.
        """
        now = self._clock.now()
        if self._looked_to is None:
            await self._read_mark(now)
        looked_to = self._looked_to or now
        shown = await self._show_since(looked_to - SOON, now)
        if shown is None:
            await self._read_mark(now)  # another instance looked meanwhile
            return 0
        due = [one for one in (SWEEP, WIDE_SWEEP) if self._is_due(one, now)]
        if due:
            self._swept_at |= dict.fromkeys(due, now)
            since = looked_to - max(one.back for one in due)
            shown += await self._show_since(since, now) or 0
        return shown

    async def _show_since(self, since: datetime, now: datetime) -> int | None:
        """None: another instance has looked."""
        rows = await self._store.fetch(_CHANGED, since, now + OLDEST, MODE, HOUSE)
        fresh = [row for row in rows if not row["waits"]]
        if not await self._say(fresh, _rest(rows), now):
            return None
        self._looked_to = now
        return len(fresh)

    def _is_due(self, sweep: Sweep, now: datetime) -> bool:
        swept_at = self._swept_at.get(sweep)
        return swept_at is None or now - swept_at >= sweep.every

    async def _read_mark(self, now: datetime) -> None:
        self._mark = await self._store.fetchval("SELECT looked_to FROM board")
        oldest = now - OLDEST
        self._looked_to = max(self._mark or oldest, oldest)

    async def _say(self, rows: Sequence[asyncpg.Record], rest: timedelta, now: datetime) -> bool:
        """Whether nobody else has looked: then it is in the outbox, and the mark moves with the
        last of it. Whoever ends before that has shown some of it, and what is left is found again.
        """
        if not rows and self._mark is not None and now - self._mark < MARK_EVERY:
            return True
        for place in range(0, max(1, len(rows)), MOST_AT_ONCE):
            some, is_last = rows[place : place + MOST_AT_ONCE], place + MOST_AT_ONCE >= len(rows)
            async with self._store.transaction() as tx:
                if not await tx.execute(_MOVE_MARK, self._mark, now if is_last else self._mark):
                    return False
                await self._board.show_cards(tx, [_card(row) for row in _of(some, "card")])
                await self._board.show_bills(tx, [_bill(row) for row in _of(some, "bill")], rest)
                asked = [UUID(row["ref"]) for row in _of(some, "enquiry")]
                await self._enquiries.settle(tx, asked)
                watched = [OrderKey(r["holder_id"], UUID(r["ref"])) for r in _of(some, "watch")]
                await self._watches.settle(tx, watched)
        self._mark = now
        return True


def _of(rows: Sequence[asyncpg.Record], kind: str) -> list[asyncpg.Record]:
    return [row for row in rows if row["kind"] == kind]


def _card(row: asyncpg.Record) -> CardPost:
    return CardPost(row["chat_id"], row["message_id"], row["holder_id"], UUID(row["ref"]))


def _bill(row: asyncpg.Record) -> LiveBill:
    return LiveBill(row["ref"], row["holder_id"], row["chat_id"])


def _rest(rows: Sequence[asyncpg.Record]) -> timedelta:
    """How long a live bill stands, where so many move."""
    moving = sum(row["kind"] == "bill" for row in rows)
    return min(max(BILL_REST, timedelta(seconds=moving / BILLS_PER_S)), LONGEST_REST)


_MOVE_MARK: Final = (
    "UPDATE board SET looked_to = $2 WHERE looked_to IS NOT DISTINCT FROM $1::timestamptz"
)
# $1: since when, $2: later than any order there is, so that months to come are not looked at. A
# range with two ends is taken to be short. `waits`: it is edited anyway, with all there is by then.
# The platform's bill moves with anything; a supplier's with entries on its accounts alone, each
# merchant's of which are looked for by their key, and where it confirms what was completed by hand,
# which may book nothing.
_CHANGED: Final = """
WITH moved AS MATERIALIZED (
    SELECT merchant_id, order_id FROM order_history
    WHERE at >= $1 AND at < 'infinity' AND order_created_at < $2
  UNION
    SELECT merchant_id, order_id FROM ledger_event
    WHERE booked_at >= $1 AND booked_at < 'infinity'
), told AS MATERIALIZED (
    SELECT t.merchant_id, n.order_id
    FROM notification_try t CROSS JOIN LATERAL (
        SELECT order_id FROM notification
        WHERE merchant_id = t.merchant_id AND id = t.notification_id
          AND order_created_at = t.order_created_at AND order_created_at < $2 LIMIT 1
    ) n
    WHERE t.at >= $1 AND t.at < 'infinity' AND t.order_created_at < $2
      AND EXISTS (SELECT FROM post WHERE holder_id = t.merchant_id AND kind = 'card')
), supplied AS MATERIALIZED (
    SELECT DISTINCT s.id
    FROM (SELECT DISTINCT merchant_id FROM moved) m
    CROSS JOIN LATERAL (
        SELECT DISTINCT account FROM ledger_entry
        WHERE merchant_id = m.merchant_id AND booked_at >= $1 AND booked_at < $2
          AND account LIKE '%/S%' AND mode = $3
    ) e
    JOIN supplier s ON s.supplier_no = split_part(e.account, '/', 2)
  UNION
    SELECT supplier_id FROM supplier_payment
    WHERE at >= $1 AND at < 'infinity' AND booked_as = 'confirmation'
), due AS (
    SELECT 'card' AS kind, p.holder_id, p.chat_id, p.message_id, p.ref,
           'card:' || p.chat_id || ':' || p.message_id AS dedupe_key
    FROM (SELECT * FROM moved UNION SELECT * FROM told) c
    JOIN post p ON p.holder_id = c.merchant_id AND p.kind = 'card' AND p.ref = c.order_id::text
  UNION ALL
    SELECT 'bill', b.merchant_id, b.chat_id, NULL, 'merchant', 'bill:' || b.chat_id
    FROM binding b WHERE b.merchant_id IN (SELECT merchant_id FROM moved)
  UNION ALL
    SELECT 'bill', b.supplier_id, b.chat_id, NULL, 'supplier', 'bill:' || b.chat_id
    FROM binding b WHERE b.supplier_id IN (SELECT id FROM supplied)
  UNION ALL
    SELECT 'bill', $4, g.chat_id, NULL, 'platform', 'bill:' || g.chat_id
    FROM chat_group g WHERE g.kind = 'ops' AND EXISTS (SELECT FROM moved)
  UNION ALL
    SELECT 'enquiry', e.merchant_id, 0, NULL, e.id::text, NULL
    FROM moved c
    JOIN enquiry e ON e.merchant_id = c.merchant_id AND e.order_id = c.order_id
    WHERE e.ended_at IS NULL
  UNION ALL
    SELECT DISTINCT 'watch', w.merchant_id, 0, NULL::bigint, w.order_id::text, NULL
    FROM moved c
    JOIN order_watch w ON w.merchant_id = c.merchant_id AND w.order_id = c.order_id
)
SELECT d.kind, d.holder_id, d.chat_id, d.message_id, d.ref,
       EXISTS (
           SELECT FROM outbox o WHERE o.merchant_id = d.holder_id AND o.dedupe_key = d.dedupe_key
             AND o.state = 'waiting' AND o.held_by IS NULL
       ) AS waits
FROM due d ORDER BY d.kind DESC, d.holder_id, d.chat_id, d.message_id
"""
