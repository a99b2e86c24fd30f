"""One look at all queues: whoever has something due is woken, and nobody else asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.kernel.clock import Clock
from core.system.store import Store

# So late at most is found what another process put in, what a dead one held, and what was put off.
QUEUE_LOOK_S: Final = 0.5


class Look:
    """Asks one question for all queues of a desk, so that idle ones cost nothing of their own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._sql = ""
        self._wakes: list[Callable[[], None]] = []

    def watch(self, due: str, wake: Callable[[], None]) -> None:
        """Have `wake` called at each look that finds something due. due: a condition in SQL, made
        by the owner of the queue; $1 is the time."""
        also = " UNION ALL " if self._sql else ""
        self._sql += f"{also}SELECT {len(self._wakes)} AS place WHERE {due}"
        self._wakes.append(wake)

    async def look(self) -> int:
        """Look once."""
        rows = await self._store.fetch(self._sql, self._clock.now()) if self._sql else []
        for row in rows:
            self._wakes[row["place"]]()
        return 0  # the next look is worth it a while later
