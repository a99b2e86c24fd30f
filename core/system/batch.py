"""Group commit: what is asked while a write is under way is written together by the next one.

Questions that many ask at once go together in the same way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

T = TypeVar("T")
R = TypeVar("R")
_LOG = structlog.get_logger(__name__)
MOST: Final = 32


@dataclass(slots=True, eq=False)
class _Asked(Generic[T, R]):
    """done: what its write came to; None: it is to be written alone."""

    item: T
    done: asyncio.Future[R | None]
    begun: bool = False


class Batch(Generic[T, R]):
    """Writes what is asked at once together, and each thing alone where that does not go well.

    One write of a group is under way at a time. Nothing waits for company: the first one is written
    at once, and those that come meanwhile go together afterwards.
    """

    def __init__(
        self,
        together: Callable[[Sequence[T]], Awaitable[Sequence[R | None]]],
        alone: Callable[[T], Awaitable[R]],
        *,
        most: int = MOST,
    ) -> None:
        """together: writes several things, at most so many, in one commit; what each comes to, in
        their order, and None for what has to wait for somebody. It waits for nobody itself, and is
        nobody's in particular: it runs in no caller's context. alone: writes one, in the context of
        its caller; also what was written already by a batch whose answer was lost.
        """
        self._together = together
        self._alone = alone
        self._most = most
        self._waiting: dict[Hashable, deque[_Asked[T, R]]] = {}
        self._writers: set[asyncio.Task[None]] = set()

    async def write(self, item: T, group: Hashable = None) -> R:
        """What the write of a thing comes to. group: things of one group may go together.

        Whoever is cancelled before its write began has nothing written; afterwards it hears of its
        cancellation when the write is over, so that it knows how things stand.
        """
        asked: _Asked[T, R] = _Asked(item, asyncio.get_running_loop().create_future())
        waiting = self._waiting.get(group)
        if waiting is None:
            waiting = self._waiting[group] = deque()
            writer = asyncio.create_task(self._write_group(group, waiting), context=Context())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        waiting.append(asked)
        try:
            done = await asyncio.shield(asked.done)
        except asyncio.CancelledError:
            if asked.begun:
                await asyncio.wait({asked.done})
            else:
                waiting.remove(asked)
            raise
        return await self._alone(item) if done is None else done

    async def _write_group(self, group: Hashable, waiting: deque[_Asked[T, R]]) -> None:
        while waiting:
            batch = [waiting.popleft() for _ in range(min(self._most, len(waiting)))]
            for asked in batch:
                asked.begun = True
            for asked, done in zip(batch, await self._write_batch(batch), strict=True):
                asked.done.set_result(done)
        del self._waiting[group]

    async def _write_batch(self, batch: Sequence[_Asked[T, R]]) -> Sequence[R | None]:
        nothing: list[R | None] = [None] * len(batch)
        try:
            came_to = await self._together([asked.item for asked in batch])
        except Exception as error:  # noqa: BLE001 (each is written alone, and says what is wrong)
            _LOG.warning("a batch was not written", size=len(batch), error=repr(error))
            return nothing
        return came_to if len(came_to) == len(batch) else nothing
