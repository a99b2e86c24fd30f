"""A process of the bench beside the desk: it says when it is ready, and ends with its parent."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import uvloop

READY_S: Final = 90.0
_STOP_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Helper:
    """pid: its process. said: what it said when it was ready, such as its ports."""

    pid: int
    said: Any


class Parent:
    """The helper's end of the wire."""

    def __init__(self, wire: Connection) -> None:
        self._wire = wire

    async def until_ended(self, ready: Any) -> None:
        """Say that this process is ready, and wait until its parent ends it or is gone."""
        self._wire.send(ready)
        with suppress(EOFError):
            await asyncio.to_thread(self._wire.recv)


@asynccontextmanager
async def helping(
    work: Callable[..., Coroutine[Any, Any, None]], *words: object
) -> AsyncIterator[Helper]:
    """A process that runs `work(parent, *words)`. work: a function of a module."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(theirs, work, words), daemon=True
    )
    process.start()
    theirs.close()  # or its end would never be seen
    try:
        if not await asyncio.to_thread(ours.poll, READY_S):
            raise TimeoutError(f"{work.__module__} did not get ready")
        yield Helper(process.pid or 0, ours.recv())
    finally:
        ours.close()
        await asyncio.to_thread(process.join, _STOP_S)
        if process.is_alive():
            process.kill()
            process.join()


def _run(
    wire: Connection, work: Callable[..., Coroutine[Any, Any, None]], words: tuple[object, ...]
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(Parent(wire), *words))
