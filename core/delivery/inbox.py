"""What arrives from Telegram: stored raw before it is acknowledged, acted on in order per chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system import retention
from core.system.batch import Batch
from core.system.leases import Held, Leases, Queue, last_of_ring
from core.system.store import Queries, Store

BACK_OFF_S: Final = (1, 5, 15, 60)
# Updates that come together are stored together within it, or else each by itself: Telegram waits.
_TOGETHER_S: Final = 1.5
# Updates of one chat are acted on in order, each lane of the chat by itself.
QUEUE: Final = Queue(
    table="telegram_update",
    key=("bot_id", "update_id"),
    # Short, so that what a killed process held is taken soon; whoever acts on an update renews it.
    lease=timedelta(seconds=6),
    returns=("chat_id", "lane", "body", "received_at"),
    lane=(("chat_id", "bigint"), ("lane", "smallint")),
    order="place",
    strict=True,
    gaps_s=BACK_OFF_S,
)
_NO_LANE: Final = (-(2**63), 0)  # before every chat's


@dataclass(frozen=True, slots=True)
class _Raw:
    """One update that is to be stored."""

    bot_id: int
    update_id: int
    chat_id: int
    body: dict[str, Any]
    lane: int


@dataclass(frozen=True, slots=True)
class TakenUpdate:
    """One raw update that a worker has taken. tries: this one included."""

    bot_id: int
    update_id: int
    chat_id: int
    body: dict[str, Any]
    tries: int
    received_at: datetime
    held: Held


class Inbox:
    """Telegram updates, each kept once by (bot_id, update_id).

    More than seven verbs: those of a lease, and the two by which updates come in and go.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._leases = Leases(QUEUE, clock, ids)
        self._wakers: list[Callable[[], None]] = []
        self._last_taken = _NO_LANE
        self._puts = Batch(self._put_together, self._put_alone)
        self._ends = Batch(self._end_together, self._end_alone)

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever an update was stored by this process."""
        self._wakers.append(wake)

    async def put(
        self, bot_id: int, update_id: int, chat_id: int, body: dict[str, Any], *, lane: int = 0
    ) -> bool:
        """Store a raw update. False: it is a redelivery and nothing was written.

        lane: updates of one chat are acted on in order within their lane.
        """
        new = await self._puts.write(_Raw(bot_id, update_id, chat_id, body, lane))
        for wake in self._wakers:
            wake()
        return new

    async def take(self, batch: int) -> list[TakenUpdate]:
        """Take the oldest waiting update of each chat's lane, at most `batch`; one of a lane at a
        time.

        Where the oldest one is not due yet, its lane waits with it. Whoever acts on one for longer
        than half a lease renews it. Chats have their turn in a ring.
        """
        rows = await self._leases.take(self._store, batch, *self._last_taken)
        if rows:
            lanes = [(row["chat_id"], row["lane"]) for row in rows]
            self._last_taken = last_of_ring(lanes, self._last_taken)
        return [
            TakenUpdate(
                row["bot_id"],
                row["update_id"],
                row["chat_id"],
                row["body"],
                row["tries"],
                row["received_at"],
                self._leases.held(row),
            )
            for row in rows
        ]

    async def renew(self, arrived: TakenUpdate) -> bool:
        """Hold it for another lease. False: somebody else has it, or it is finished."""
        return await self._leases.renew(self._store, arrived.held)

    async def done(self, arrived: TakenUpdate) -> None:
        """It was acted on. What was said in private, which may be a code or a key, is emptied with
        it; that it came is kept."""
        await self._ends.write(arrived)

    async def failed(self, tx: Queries, arrived: TakenUpdate, fault: str) -> bool:
        """Acting on it failed: it waits for another try, each time longer.

        True: that was the last try, and this call parked it.
        """
        again_s = QUEUE.gap_s(arrived.tries)
        if again_s is None:
            return await self.park(tx, arrived, fault)
        await self._leases.put_off(tx, arrived.held, again_s, fault)
        return False

    async def park(self, tx: Queries, arrived: TakenUpdate, fault: str) -> bool:
        """It can never be acted on: kept for people to see, and its chat goes on.

        False: somebody else has it.
        """
        return await self._leases.park(tx, arrived.held, fault)

    async def forget_old(self) -> int:
        """Drop updates that came long ago and were acted on; how many. What was parked stays."""
        return await retention.drop_rows(self._store, _DROP, self._clock.now() - retention.UPDATES)

    async def backlog(self) -> int:
        """How many updates wait."""
        return int(
            await self._store.fetchval(
                "SELECT count(*) FROM telegram_update WHERE state = 'waiting'"
            )
        )

    async def _put_together(self, raw: Sequence[_Raw]) -> list[bool]:
        """Which of them are new."""
        with self._store.called(patience_s=_TOGETHER_S):
            return await self._insert(raw)

    async def _put_alone(self, raw: _Raw) -> bool:
        (new,) = await self._insert([raw])
        return new

    async def _insert(self, raw: Sequence[_Raw]) -> list[bool]:
        rows = [{name: getattr(one, name) for name in _Raw.__slots__} for one in raw]
        found = await self._store.fetch(_PUT, rows, self._clock.now())
        new = {(row["bot_id"], row["update_id"]) for row in found}
        # The same one may have come twice at once: then the first of them is new.
        return [_taken_from(new, (one.bot_id, one.update_id)) for one in raw]

    async def _end_together(self, done: Sequence[TakenUpdate]) -> list[bool]:
        ours = dict.fromkeys(range(len(done)), False)
        for private in (False, True):
            places = [at for at, one in enumerate(done) if _is_private(one) == private]
            if places:
                ends = [(done[at].held, _as_done(private=private)) for at in places]
                ended = await self._leases.end_all(self._store, ends)
                ours.update(zip(places, ended, strict=True))
        return list(ours.values())

    async def _end_alone(self, done: TakenUpdate) -> bool:
        values = _as_done(private=_is_private(done))
        return await self._leases.end(self._store, done.held, values)


def _is_private(arrived: TakenUpdate) -> bool:
    return arrived.chat_id > 0


def _as_done(*, private: bool) -> dict[str, object]:
    """What becomes of the row of an update that was acted on."""
    return {"state": QUEUE.done, "body": {}} if private else {"state": QUEUE.done}


def _taken_from(new: set[tuple[int, int]], key: tuple[int, int]) -> bool:
    if key not in new:
        return False
    new.remove(key)
    return True


# In the order in which they came: `place` follows it.
_PUT: Final = """
INSERT INTO telegram_update (bot_id, update_id, chat_id, body, lane, due_at, received_at)
SELECT bot_id, update_id, chat_id, body, lane, $2, $2
FROM jsonb_to_recordset($1) AS u
    (bot_id bigint, update_id bigint, chat_id bigint, body jsonb, lane smallint)
ON CONFLICT DO NOTHING RETURNING bot_id, update_id
"""
_DROP: Final = """
DELETE FROM telegram_update WHERE (bot_id, update_id) IN (
    SELECT bot_id, update_id FROM telegram_update
    WHERE state = 'done' AND received_at < $1 LIMIT $2)
"""
