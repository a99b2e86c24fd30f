"""What is acted on next: what this process was told itself, and what waits in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from core.system.district import System
from core.system.lanes import Lane, Lanes, Rooms
from core.trade.callbacks.arrivals import Arrival
from core.trade.callbacks.handover import LEASE, Handover
from core.trade.callbacks.queue import CallbackQueue, TakenCallback, tells_payment

_LOG = structlog.get_logger(__name__)
HANDS: Final = 32
# So many of one merchant's are taken at once.
MOST_OF_ONE: Final = 20
_PROVEN: Final = Rooms(lane=1, holder=4, overall=HANDS)
_UNPROVEN: Final = Rooms(lane=1, holder=2, overall=16)
# One question reads so many heads of lanes; a look asks until it has enough, so often at most.
_HEADS: Final = 2 * HANDS
_QUESTIONS: Final = 16
_FIRST: Final = Lane(UUID(int=0), UUID(int=0))
# Should nobody say that something waits, it is looked for after so long.
_OWN_LOOK: Final = timedelta(seconds=15)


class Takes:
    """Gives callbacks to hands, a fair share to each merchant and supplier.

    What came to this process is handed over in it. The database is asked where something may wait
    there: what was put off, what another process was told, what a dead one held. lanes: who
    begins and ends says so there.
    """

    def __init__(self, system: System, queue: CallbackQueue) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._queue = queue
        self.lanes = Lanes(system.clock, proven=_PROVEN, unproven=_UNPROVEN)
        self._handover = Handover()
        self._backlog = True
        self._looked_at: datetime | None = None
        self._after = _FIRST

    def open(self, wake: Callable[[], None]) -> None:
        """This process has hands from now on. wake: tells them that there is something to do."""
        self._handover.open(wake)

    async def close(self) -> None:
        """It has none any more: what was handed over and not begun is for others."""
        if left := self._handover.close():
            try:
                await self._queue.give_back(self._store, left)
            except Exception as error:  # noqa: BLE001 (they are free when their leases end)
                _LOG.warning("callbacks were not given back", count=len(left), fault=str(error))

    def look_again(self) -> None:
        """Something may be due in the database."""
        self._backlog = True
        self._handover.wake()

    def reserve(self, arrival: Arrival) -> Arrival:
        """The same, held from the first where it is money and this process has room for it."""
        if not tells_payment(arrival.event) or not self._handover.has_room(_lane_of(arrival)):
            return arrival
        return replace(arrival, turn=self._ids.uuid7(), until=arrival.at + LEASE)

    def hand_over(self, arrival: Arrival) -> None:
        """It is written, and waits: for hands of this process where it is held for them."""
        if arrival.told is None:
            self.look_again()
        else:
            self._handover.put(_lane_of(arrival), arrival.told)

    async def due(self, hands: int) -> dict[Lane, list[TakenCallback]]:
        """What to act on now, of so many merchants and suppliers at most. The database is asked
        only where something may wait there."""
        looked_at = self._looked_at
        if self._backlog or looked_at is None or self._clock.now() >= looked_at + _OWN_LOOK:
            return await self._look(hands)
        return self._handed(self.lanes.share(hands, dict.fromkeys(self._handover.lanes(), 1)), {})

    async def _look(self, hands: int) -> dict[Lane, list[TakenCallback]]:
        """The same, the database asked."""
        self._backlog = False
        self._looked_at = self._clock.now()
        try:
            free, whole = await self._free(hands)
            shares = self.lanes.share(hands, dict.fromkeys([*free, *self._handover.lanes()], 1))
            wanted = [lane for lane in free if lane in shares]
            taken = await self._queue.take(self._store, wanted, MOST_OF_ONE) if wanted else {}
        except BaseException:
            self._backlog = True
            raise
        left = len(wanted) < len(free) or any(len(some) == MOST_OF_ONE for some in taken.values())
        self._backlog = self._backlog or left or not whole
        return self._handed(shares, taken)

    def _handed(
        self, shares: Mapping[Lane, int], taken: dict[Lane, list[TakenCallback]]
    ) -> dict[Lane, list[TakenCallback]]:
        """What was taken, and what was handed over beside it."""
        some: dict[Lane, list[TakenCallback]] = {}
        for lane in shares:
            older = taken.get(lane, [])
            some[lane] = older + self._handover.take(lane, MOST_OF_ONE - len(older))
        return {lane: told for lane, told in some.items() if told}

    async def _free(self, hands: int) -> tuple[list[Lane], bool]:
        """Merchants and suppliers of whom something is due, from where the last look ended and
        round; whether these are all."""
        free: dict[Lane, None] = {}
        wrapped = self._after == _FIRST
        for _ in range(_QUESTIONS):
            heads = await self._queue.lanes(self._store, self._after, _HEADS)
            self._after = heads.last or _FIRST
            free.update(dict.fromkeys(heads.free))
            if heads.last is None and wrapped:
                return list(free), True
            wrapped = wrapped or heads.last is None
            if len(free) >= hands:
                break
        return list(free), False


def _lane_of(arrival: Arrival) -> Lane:
    return Lane(arrival.attempt.merchant_id, arrival.attempt.supplier_id)
