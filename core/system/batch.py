"""Group commit: what is asked while a write is under way is written together by the next one.

Questions that many ask at once go together in the same way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

import structlog

from core.kernel.errors import Bug
from core.system.patience import wait_until_done
from core.system.pool import IN_TRANSACTION, POOL_WAIT_S, NoConnection, fresh_context, in_loops

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")
_LOG = structlog.get_logger(__name__)
MOST: Final = 32
# What is not written together within it is written alone, each thing in the time of its caller: one
# connection that hangs holds up nobody else. Who gets a connection late has some time left with it.
TOGETHER_S: Final = POOL_WAIT_S + 0.5


@dataclass(slots=True, eq=False)
class _Asked(Generic[T, R]):
    """done: what its write came to; None: it is to be written alone. begins: told of its write."""

    item: T
    done: asyncio.Future[R | None]
    begins: Callable[[], None]
    begun: bool = False


def _nobody_told() -> None:
    """Where nobody wants to know that a write begins."""


def _hear(write: asyncio.Future[Any]) -> None:
    """What was given up may fail later, and nobody is there to hear of it."""
    if not write.cancelled():
        write.exception()


class Batch(Generic[T, R]):
    """Writes what is asked at once together, and each thing alone where that does not go well.

    One write of a side of the pool is under way at a time. Nothing waits for company: the first one
    is written at once, and those that come meanwhile go together afterwards. Whoever calls is never
    written with what runs by itself, whose connections may all be taken.
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
        nobody's in particular: it runs in no caller's context. Where it raises NoConnection, it has
        written nothing. alone: writes one, in the context of its caller; also what was written
        already by a batch whose answer was lost.
        """
        self._alone = alone
        self._front = _Line(together, most)
        self._loops = _Line(together, most)

    async def write(self, item: T, *, begins: Callable[[], None] = _nobody_told) -> R:
        """What the write of a thing comes to. begins: called when its write begins.

        Whoever is cancelled before that has nothing written; afterwards it hears of its
        cancellation when the write is over, so that it knows how things stand. Raises NoConnection
        where none was to be had, and nothing was written; ConnectionError where the writer itself
        was ended: nobody knows what was written; Bug inside a transaction, whose caller would wait
        for a second connection.
        """
        if IN_TRANSACTION.get():
            raise Bug("inside a transaction questions go through it, not into a batch")
        line = self._loops if in_loops() else self._front
        done = await line.write(item, begins)
        return await self._alone(item) if done is None else done


class _Line(Generic[T, R]):
    """What is asked on one side, and its writer."""

    def __init__(
        self, together: Callable[[Sequence[T]], Awaitable[Sequence[R | None]]], most: int
    ) -> None:
        self._together = together
        self._most = most
        self._waiting: deque[_Asked[T, R]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def write(self, item: T, begins: Callable[[], None]) -> R | None:
        """None: it is to be written alone."""
        asked: _Asked[T, R] = _Asked(item, asyncio.get_running_loop().create_future(), begins)
        self._waiting.append(asked)
        if self._writer is None:
            self._writer = asyncio.create_task(
                self._write_all(), name="writer of a batch", context=fresh_context()
            )
        try:
            return await asyncio.shield(asked.done)
        except asyncio.CancelledError:
            if asked.begun:
                await asyncio.wait({asked.done})
                asked.done.exception()  # its caller is gone, and hears of nothing else
            else:
                self._waiting.remove(asked)
            raise

    async def _write_all(self) -> None:
        batch: list[_Asked[T, R]] = []
        try:
            while self._waiting:
                batch = [
                    self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))
                ]
                for asked in batch:
                    asked.begun = True
                    asked.begins()
                await self._write(batch)
        finally:
            # Somebody who ends the writer ends no caller: each of them hears of it.
            self._writer = None
            left = [asked for asked in (*batch, *self._waiting) if not asked.done.done()]
            self._waiting.clear()
            for asked in left:
                asked.begun = True
                asked.done.set_exception(ConnectionError("what was to be written was given up"))

    async def _write(self, batch: Sequence[_Asked[T, R]]) -> None:
        try:
            came_to = await self._write_batch(batch)
        except NoConnection as none:
            # Alone each of them would ask for one more where there is none.
            for asked in batch:
                asked.done.set_exception(NoConnection(*none.args))
            return
        for asked, done in zip(batch, came_to, strict=True):
            asked.done.set_result(done)

    async def _write_batch(self, batch: Sequence[_Asked[T, R]]) -> Sequence[R | None]:
        nothing: list[R | None] = [None] * len(batch)
        write = asyncio.ensure_future(self._together([asked.item for asked in batch]))
        write.add_done_callback(_hear)
        try:
            await wait_until_done(write, TOGETHER_S)
            if not write.done():
                raise TimeoutError(f"not together within {TOGETHER_S} s")
            came_to = write.result()
        except NoConnection:
            raise
        except Exception as error:  # noqa: BLE001 (each is written alone, and says what is wrong)
            _LOG.warning("a batch was not written", size=len(batch), error=repr(error))
            return nothing
        finally:
            write.cancel()  # nobody waits until it has cleaned up
        return came_to if len(came_to) == len(batch) else nothing


class Batches(Generic[K, T, R]):
    """A batch for each key: what has the same key is written together, and different keys never
    wait for one another."""

    def __init__(
        self,
        together: Callable[[K, Sequence[T]], Awaitable[Sequence[R | None]]],
        alone: Callable[[T], Awaitable[R]],
        *,
        most: int = MOST,
    ) -> None:
        """As `Batch`. together: gets the key as well."""
        self._together = together
        self._alone = alone
        self._most = most
        self._batches: WeakValueDictionary[K, Batch[T, R]] = WeakValueDictionary()

    async def write(self, key: K, item: T, *, begins: Callable[[], None] = _nobody_told) -> R:
        """As `Batch.write`, with what has this key."""
        batch = self._batches.get(key)
        if batch is None:
            batch = Batch(partial(self._together, key), self._alone, most=self._most)
            self._batches[key] = batch
        return await batch.write(item, begins=begins)
