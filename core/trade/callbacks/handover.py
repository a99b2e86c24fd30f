"""Callbacks that this process stored, on their way to its own hands: nobody has to look for them.

Their rows are held from the first, so that no other process takes them meanwhile. What is not begun
in time is given back, and what a process that dies held is free when the lease ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from core.system.lanes import Lane
from core.trade.callbacks.queue import TakenCallback

# Whoever dies with them keeps them from others for so long.
LEASE: Final = timedelta(seconds=30)
# Of all that is held at once, `core.system.leases` looks past so much.
MOST: Final = 300
MOST_OF_LANE: Final = 100


class Handover:
    """What waits for hands of this process, a lane for each merchant and supplier."""

    def __init__(self) -> None:
        self._wake: Callable[[], None] | None = None
        self._lanes: dict[Lane, deque[TakenCallback]] = {}
        self._count = 0

    def open(self, wake: Callable[[], None]) -> None:
        """From now on this process has hands. wake: tells them that there is something."""
        self._wake = wake

    def close(self) -> list[TakenCallback]:
        """It has none any more; what nobody got to."""
        self._wake = None
        return [told for lane in self.lanes() for told in self.take(lane, self._count)]

    def has_room(self, lane: Lane) -> bool:
        """Whether one more may be held for this process's hands.

        What waits of the lane in the database does not count: it is older, and `Takes` acts on it
        first. A supplier with many busy merchants may take every place. That delays nobody: what
        finds none is looked for in the database, in a fair share, as what another process was told.
        """
        waiting = self._lanes.get(lane, ())
        return self._wake is not None and self._count < MOST and len(waiting) < MOST_OF_LANE

    def put(self, lane: Lane, told: TakenCallback) -> None:
        """Have it acted on."""
        self._lanes.setdefault(lane, deque()).append(told)
        self._count += 1
        self.wake()

    def wake(self) -> None:
        """Tell the hands that there may be something to do, where there are any."""
        if self._wake is not None:
            self._wake()

    def lanes(self) -> list[Lane]:
        return list(self._lanes)

    def take(self, lane: Lane, most: int) -> list[TakenCallback]:
        """The first of a lane."""
        waiting = self._lanes.get(lane, deque())
        taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        self._count -= len(taken)
        if not waiting:
            self._lanes.pop(lane, None)
        return taken
