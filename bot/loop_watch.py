"""Notices when the event loop stands still: while one callback computes, nobody else is served."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

_LOG = structlog.get_logger(__name__)
# What computes for longer belongs into a thread, or into steps.
BAR_S: Final = 0.05
_LOOK_S: Final = 0.02
_TOLD_EVERY_S: Final = 60.0


class LoopWatch:
    """Looks at the loop it was started in, some dozen times a second.

    A stop is time for which the loop did not come round and this thread computed all the same: a
    machine that is busy with others holds up the loop too, and that is no fault of ours.
    """

    def __init__(self, *, bar_s: float = BAR_S) -> None:
        self._bar_s = bar_s
        self._longest_s = 0.0
        self._told_at_s: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.stops = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._look(), name="loop-watch")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take_longest_s(self) -> float:
        """The longest stop since the last call of this."""
        longest_s, self._longest_s = self._longest_s, 0.0
        return longest_s

    async def _look(self) -> None:
        while True:
            began_s, busy_s = time.monotonic(), time.thread_time()
            await asyncio.sleep(_LOOK_S)
            late_s = time.monotonic() - began_s - _LOOK_S
            stopped_s = min(late_s, time.thread_time() - busy_s)
            self._longest_s = max(self._longest_s, stopped_s)
            if stopped_s > self._bar_s:
                self.stops += 1
                self._tell(stopped_s)

    def _tell(self, stopped_s: float) -> None:
        """One line a minute: under load there may be many."""
        now_s = time.monotonic()
        if self._told_at_s is None or now_s - self._told_at_s >= _TOLD_EVERY_S:
            self._told_at_s = now_s
            _LOG.warning("the loop stood still", ms=round(stopped_s * 1000), stops=self.stops)
