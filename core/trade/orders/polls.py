"""Whom to ask next: attempts that are due, each supplier its fair share of the hands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from core.kernel.clock import Clock
from core.system.batch import Batch
from core.system.lanes import Lane, Lanes, Rooms
from core.system.store import Store, Tx
from core.trade.orders.batches import do_one
from core.trade.orders.creation import MAX_ATTEMPTS
from core.trade.orders.rows import Attempt, Order, get_order, read_attempt, read_order
from core.trade.orders.supplier_calls import LONGEST_CALL

# Longer than following an order may take: a call to send it again, to ask and to capture, one to
# each of the others, and as long again for all the rest. Who died with a claim is followed by
# whoever looks next.
LEASE: Final = (MAX_ATTEMPTS + 3) * LONGEST_CALL
# Fewer of one supplier than it is called at once: creates go on beside them.
ASKING_HANDS: Final = 48
_PROVEN: Final = Rooms(lane=12, holder=12, overall=ASKING_HANDS)
_UNPROVEN: Final = Rooms(lane=4, holder=4, overall=24)

Job = Callable[[], Awaitable[None]]


class Asking:
    """The queue of attempts that are to be asked about, a lane for each supplier."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lanes = Lanes(clock, proven=_PROVEN, unproven=_UNPROVEN)
        self._reads = Batch(self._read_together, self._read_alone)
        self._puts_off = Batch(self._put_off_together, self._put_off_alone)

    async def take_due(
        self, hands: int, follow: Callable[[Attempt], Awaitable[None]]
    ) -> Sequence[Job]:
        """Claim what is due, for so many hands at most; `follow` with each is what remains."""
        now = self._clock.now()
        shares = self._lanes.share(hands, await self._waiting(now))
        if not shares:
            return []
        async with self._store.transaction() as tx:
            claimed = await claim(tx, now, shares)
        return [self._job(attempt, follow) for attempt in claimed]

    async def order_of(self, attempt: Attempt) -> Order:
        """The order of an attempt as it stands now. Orders that are asked for at once are read in
        one question."""
        return await self._reads.write(attempt)

    async def put_off(
        self,
        attempt: Attempt,
        ask_at: datetime | None,
        said: str,
        *,
        not_found_at: datetime | None = None,
    ) -> None:
        """Nothing is decided: note what the supplier said and when to ask next (None: never), where
        the attempt is still to be asked about as when it was read. Whoever changed that meanwhile
        knows better. What is put off at once is written together."""
        await self._puts_off.write(
            {
                "merchant_id": attempt.merchant_id,
                "attempt_no": attempt.attempt_no,
                "order_created_at": attempt.order_created_at,
                "ask_at_read": attempt.ask_at,
                "ask_at": ask_at,
                "said": said[:300],
                "not_found_at": not_found_at,
            }
        )

    async def _read_together(self, attempts: Sequence[Attempt]) -> Sequence[Order]:
        asked = [
            {"merchant_id": a.merchant_id, "id": a.order_id, "created_at": a.order_created_at}
            for a in attempts
        ]
        made = [a.order_created_at for a in attempts]
        rows = await self._store.fetch(_ORDERS, asked, min(made), max(made))
        found = {row["id"]: read_order(row) for row in rows}
        return [found[a.order_id] for a in attempts]

    async def _read_alone(self, attempt: Attempt) -> Order:
        return await get_order(self._store, attempt.merchant_id, attempt.order_id)

    async def _put_off_together(self, asked: Sequence[dict[str, object]]) -> Sequence[bool | None]:
        """None: somebody holds that attempt, for whom the others do not wait, or changed it."""
        rows = await self._store.fetch(_PUT_OFF, asked, False)
        done = {row["attempt_no"] for row in rows}
        return [True if one["attempt_no"] in done else None for one in asked]

    async def _put_off_alone(self, asked: dict[str, object]) -> bool:
        return bool(await self._store.fetch(_PUT_OFF, [asked], True))

    def _job(self, attempt: Attempt, follow: Callable[[Attempt], Awaitable[None]]) -> Job:
        lane = Lane(attempt.supplier_id)
        began = self._lanes.begin(lane)

        async def job() -> None:
            try:
                await do_one(follow, attempt)
            finally:
                self._lanes.end(lane, began, silent=True)

        return job

    async def _waiting(self, now: datetime) -> dict[Lane, int]:
        rows = await self._store.fetch(_WAITING, now, _PROVEN.lane)
        return {Lane(row["supplier_id"]): row["waiting"] for row in rows}


async def claim(tx: Tx, now: datetime, shares: Mapping[Lane, int]) -> list[Attempt]:
    """Claim what is due of suppliers, so many of each at most: nobody else asks about it for as
    long as LEASE."""
    suppliers, counts = [lane.holder for lane in shares], list(shares.values())
    await tx.by_index()
    rows = await tx.fetch(_CLAIM, suppliers, counts, now, now + LEASE)
    return [read_attempt(row) for row in rows]


_ORDERS: Final = """
SELECT o.* FROM jsonb_to_recordset($1) AS k (merchant_id uuid, id uuid, created_at timestamptz),
LATERAL (
    SELECT * FROM orders o
    WHERE o.merchant_id = k.merchant_id AND o.id = k.id AND o.created_at = k.created_at
      AND o.created_at BETWEEN $2 AND $3 LIMIT 1
) o
"""
_PUT_OFF: Final = "SELECT attempt_no FROM put_off_attempts($1, $2) AS attempt_no"
# From supplier to supplier of the index, whatever the backlog. What is due was created before: the
# months to come are not looked at. $1: now.
_HEADS: Final = """
WITH RECURSIVE head AS (
    (SELECT supplier_id FROM attempt WHERE ask_at IS NOT NULL AND order_created_at <= $1
     ORDER BY supplier_id LIMIT 1)
    UNION ALL
    SELECT n.supplier_id FROM head h, LATERAL (
        SELECT a.supplier_id FROM attempt a
        WHERE a.ask_at IS NOT NULL AND a.supplier_id > h.supplier_id
          AND a.order_created_at <= $1
        ORDER BY a.supplier_id LIMIT 1
    ) n
)
"""
_OF_EACH: Final = """
SELECT h.supplier_id, due.waiting FROM head h, LATERAL (
    SELECT count(*) AS waiting FROM (
        SELECT FROM attempt a
        WHERE a.supplier_id = h.supplier_id AND a.ask_at <= $1 AND a.order_created_at <= $1
        ORDER BY a.ask_at LIMIT $2
    ) a
) due
WHERE due.waiting > 0
"""
_OF_ANY: Final = """
SELECT FROM head h, LATERAL (
    SELECT FROM attempt a
    WHERE a.supplier_id = h.supplier_id AND a.ask_at <= $1 AND a.order_created_at <= $1
    ORDER BY a.ask_at LIMIT 1
) due
"""
_WAITING: Final = _HEADS + _OF_EACH
# Whether anybody may have to be asked, for the look at all queues.
ASKING_DUE: Final = f"EXISTS ({_HEADS}{_OF_ANY})"
_CLAIM: Final = """
UPDATE attempt a SET ask_at = $4
FROM unnest($1::uuid[], $2::integer[]) AS lane (supplier_id, most), LATERAL (
    SELECT w.merchant_id, w.attempt_no, w.order_created_at FROM attempt w
    WHERE w.supplier_id = lane.supplier_id AND w.ask_at <= $3 AND w.order_created_at <= $3
    ORDER BY w.ask_at LIMIT lane.most FOR UPDATE SKIP LOCKED
) due
WHERE a.merchant_id = due.merchant_id AND a.attempt_no = due.attempt_no
  AND a.order_created_at = due.order_created_at
RETURNING a.*
"""
