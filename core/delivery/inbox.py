"""What arrives from Telegram: stored raw before it is acknowledged, acted on in order per chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system import retention
from core.system.leases import Held, Leases, Queue
from core.system.store import Queries, Store

BACK_OFF_S: Final = (1, 5, 15, 60)
# Updates of one chat are acted on in order, each lane of the chat by itself.
QUEUE: Final = Queue(
    table="telegram_update",
    key=("bot_id", "update_id"),
    # Short, so that what a killed process held is taken soon; whoever acts on an update renews it.
    lease=timedelta(seconds=6),
    returns=("chat_id", "body", "received_at"),
    lane=(("chat_id", "bigint"), ("lane", "smallint")),
    order="place",
    strict=True,
    gaps_s=BACK_OFF_S,
)


@dataclass(frozen=True, slots=True)
class Arrived:
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

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever an update was stored by this process."""
        self._wakers.append(wake)

    async def put(
        self, bot_id: int, update_id: int, chat_id: int, body: dict[str, Any], *, lane: int = 0
    ) -> bool:
        """Store a raw update. False: it is a redelivery and nothing was written.

        lane: updates of one chat are acted on in order within their lane.
        """
        inserted = await self._store.execute(
            "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, lane, due_at,"
            " received_at) VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
            bot_id,
            update_id,
            chat_id,
            body,
            lane,
            self._clock.now(),
        )
        for wake in self._wakers:
            wake()
        return inserted == 1

    async def take(self, batch: int) -> list[Arrived]:
        """Take the oldest waiting update of each chat's lane, at most `batch`; one of a lane at a
        time.

        Where the oldest one is not due yet, its lane waits with it. Whoever acts on one for longer
        than half a lease renews it.
        """
        return [
            Arrived(
                row["bot_id"],
                row["update_id"],
                row["chat_id"],
                row["body"],
                row["tries"],
                row["received_at"],
                self._leases.held(row),
            )
            for row in await self._leases.take(self._store, batch)
        ]

    async def renew(self, arrived: Arrived) -> bool:
        """Hold it for another lease. False: somebody else has it, or it is finished."""
        return await self._leases.renew(self._store, arrived.held)

    async def done(self, arrived: Arrived) -> None:
        """It was acted on."""
        await self._leases.finish(self._store, arrived.held)

    async def failed(self, tx: Queries, arrived: Arrived, fault: str) -> bool:
        """Acting on it failed: it waits for another try, each time longer.

        True: that was the last try, and this call parked it.
        """
        again_s = QUEUE.gap_s(arrived.tries)
        if again_s is None:
            return await self.park(tx, arrived, fault)
        await self._leases.put_off(tx, arrived.held, again_s, fault)
        return False

    async def park(self, tx: Queries, arrived: Arrived, fault: str) -> bool:
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


_DROP: Final = """
DELETE FROM telegram_update WHERE (bot_id, update_id) IN (
    SELECT bot_id, update_id FROM telegram_update
    WHERE state = 'done' AND received_at < $1 LIMIT $2)
"""
