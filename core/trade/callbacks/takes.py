"""What is acted on next, of what waits in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.system.district import System
from core.system.lanes import Lane, Lanes, Rooms
from core.trade.callbacks.arrivals import MOST_OF_ONE
from core.trade.callbacks.queue import CallbackQueue, TakenCallback

HANDS: Final = 32
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

    The database is asked where something may wait there: what could not be booked where it came,
    what was put off, what another process was told, what a dead one held. lanes: who begins and
    ends says so there.
    """

    def __init__(self, system: System, queue: CallbackQueue) -> None:
        self._store = system.store
        self._clock = system.clock
        self._queue = queue
        self.lanes = Lanes(system.clock, proven=_PROVEN, unproven=_UNPROVEN)
        self._wake: Callable[[], None] | None = None
        self._backlog = True
        self._looked_at: datetime | None = None
        self._after = _FIRST

    def open(self, wake: Callable[[], None]) -> None:
        """This process has hands from now on. wake: tells them that there is something to do."""
        self._wake = wake

    def look_again(self) -> None:
        """Something may be due in the database."""
        self._backlog = True
        if self._wake is not None:
            self._wake()

    async def due(self, hands: int) -> dict[Lane, list[TakenCallback]]:
        """What to act on now, of so many merchants and suppliers at most. The database is asked
        only where something may wait there."""
        looked_at = self._looked_at
        if self._backlog or looked_at is None or self._clock.now() >= looked_at + _OWN_LOOK:
            return await self._look(hands)
        return {}

    async def _look(self, hands: int) -> dict[Lane, list[TakenCallback]]:
        """The same, the database asked."""
        self._backlog = False
        self._looked_at = self._clock.now()
        try:
            free, whole = await self._free(hands)
            shares = self.lanes.share(hands, dict.fromkeys(free, 1))
            taken = await self._queue.take(self._store, shares, MOST_OF_ONE) if shares else {}
        except BaseException:
            self._backlog = True
            raise
        left = len(shares) < len(free) or any(len(some) == MOST_OF_ONE for some in taken.values())
        self._backlog = self._backlog or left or not whole
        return taken

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
