"""Loops that empty a queue: woken by news, looking by themselves as well, ended without a loss."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

_LOG = structlog.get_logger(__name__)
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
# Hands that come free at nearly the same moment fetch their next work together.
_GATHER_S: Final = 0.005

Job = Callable[[], Awaitable[None]]


class Loop:
    """Calls `work` until it finds nothing to do, then waits for news, or `idle_s`.

    work: does one batch and returns how much there was. A failing batch is logged and tried
    again after a growing pause; the loop itself never dies.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], *, idle_s: float) -> None:
        self._name = name
        self._work = work
        self._idle_s = idle_s
        self._news = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to do."""
        self._news.set()

    def start(self) -> None:
        """Start in a fresh context, so that no request's or transaction's values are inherited."""
        self._task = asyncio.create_task(
            self._run(), name=self._name, context=contextvars.Context()
        )

    async def stop(self) -> None:
        """Let the batch that is under way end, then end."""
        self._stopping = True
        self._news.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping:
            self._news.clear()
            try:
                found = await self._work()
                pause_s = _FIRST_PAUSE_S
            except Exception:  # noqa: BLE001 (the loop must outlive whatever a batch meets)
                _LOG.exception("loop failed", loop=self._name)
                found = 0
                await self._wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            if not found:
                await self._wait(self._idle_s)

    async def _wait(self, seconds: float) -> None:
        if not self._stopping:
            await _news_or(self._news, seconds)


class Crew:
    """Does what a queue holds with so many hands: who is done takes the next, so that nothing waits
    for the slowest.

    take: gets how many hands are free, leases at most so much work and returns it. It is asked
    again when hands come free, on news, and after `idle_s`. A failing take is tried again after a
    growing pause. A job answers for its own failures; one that raises is logged.
    """

    def __init__(
        self,
        name: str,
        take: Callable[[int], Awaitable[Sequence[Job]]],
        *,
        hands: int,
        idle_s: float,
    ) -> None:
        self._name = name
        self._take = take
        self._hands = hands
        self._idle_s = idle_s
        self._news = asyncio.Event()
        self._stopping = False
        self._busy: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to do."""
        self._news.set()

    def start(self) -> None:
        """Start in a fresh context, so that no request's or transaction's values are inherited."""
        self._task = asyncio.create_task(
            self._run(), name=self._name, context=contextvars.Context()
        )

    async def stop(self) -> None:
        """Take nothing more, and let what is under way end."""
        self._stopping = True
        self._news.set()
        if self._task is not None:
            await self._task
        await asyncio.gather(*self._busy)

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping:
            self._news.clear()
            free = self._hands - len(self._busy)
            try:
                jobs = await self._take(free) if free else []
                pause_s = _FIRST_PAUSE_S
            except Exception:  # noqa: BLE001 (the crew must outlive whatever a take meets)
                _LOG.exception("nothing could be taken", crew=self._name)
                await self._wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            for job in jobs:
                task = asyncio.create_task(
                    self._do(job), name=self._name, context=contextvars.Context()
                )
                self._busy.add(task)
                task.add_done_callback(self._done)
            if len(jobs) < free or len(self._busy) == self._hands:
                await self._wait(self._idle_s)
            if self._busy and not self._stopping:
                await asyncio.sleep(_GATHER_S)

    async def _do(self, job: Job) -> None:
        try:
            await job()
        except Exception:  # noqa: BLE001 (one job must not end the others)
            _LOG.exception("a job failed", crew=self._name)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._news.set()

    async def _wait(self, seconds: float) -> None:
        if not self._stopping:
            await _news_or(self._news, seconds)


async def _news_or(news: asyncio.Event, seconds: float) -> None:
    """Wait for news, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        pass
