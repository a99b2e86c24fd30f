"""Loops that empty a queue: woken by news, looking by themselves as well, ended without a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from core.system.pool import loops_context

_LOG = structlog.get_logger(__name__)
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
# News may come before its commit: whoever was woken looks once more, so soon.
_AGAIN_S: Final = 0.1
# Hands that come free at nearly the same moment fetch their next work together.
GATHER_S: Final = 0.005

Job = Callable[[], Awaitable[None]]


class _Woken:
    """Takes turns: as long as there is more to do, on news, and after `idle_s`. A turn that fails
    is logged and taken again after a growing pause; the taking of turns itself never ends so."""

    def __init__(self, name: str, idle_s: float) -> None:
        self._name = name
        self._idle_s = idle_s
        self._news = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to do."""
        self._news.set()

    def start(self) -> None:
        """Start in a fresh context, so that no request's or transaction's values are inherited."""
        self._task = asyncio.create_task(self._run(), name=self._name, context=loops_context())

    async def stop(self) -> None:
        """Begin nothing more, and let what is under way end."""
        self._stopping = True
        self._news.set()
        if self._task is not None:
            await self._task

    async def _turn(self) -> bool:
        """One turn; whether there may be more to do at once."""
        raise NotImplementedError

    async def _run(self) -> None:
        pause_s, woken = _FIRST_PAUSE_S, False
        while not self._stopping:
            self._news.clear()
            try:
                more = await self._turn()
                pause_s = _FIRST_PAUSE_S
            except Exception:  # noqa: BLE001 (it must outlive whatever a turn meets)
                _LOG.exception("loop failed", loop=self._name)
                woken = await self._wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                if not more:
                    again_s = min(_AGAIN_S, self._idle_s)
                    woken = await self._wait(again_s if woken else self._idle_s)

    async def _wait(self, seconds: float) -> bool:
        """Wait for news; whether any came in time."""
        if self._stopping:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        return False


class Loop(_Woken):
    """Calls `work` until it finds nothing to do, then waits for news, or `idle_s`.

    work: does one batch and returns how much there was.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], *, idle_s: float) -> None:
        super().__init__(name, idle_s)
        self._work = work

    async def _turn(self) -> bool:
        return bool(await self._work())


class Crew(_Woken):
    """Does what a queue holds with so many hands: who is done takes the next, so that nothing waits
    for the slowest.

    take: gets how many hands are free, leases at most so much work and returns it. It is asked
    again when hands come free, on news, and after `idle_s`. A job answers for its own failures; one
    that raises is logged.
    """

    def __init__(
        self,
        name: str,
        take: Callable[[int], Awaitable[Sequence[Job]]],
        *,
        hands: int,
        idle_s: float,
        gather_s: float = GATHER_S,
    ) -> None:
        super().__init__(name, idle_s)
        self._take = take
        self._gather_s = gather_s
        self._hands = hands
        self._busy: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Take nothing more, and let what is under way end."""
        await super().stop()
        await asyncio.gather(*self._busy)

    async def _turn(self) -> bool:
        if self._busy:
            await asyncio.sleep(self._gather_s)
        if free := self._hands - len(self._busy):
            for job in await self._take(free):
                task = asyncio.create_task(self._do(job), name=self._name, context=loops_context())
                self._busy.add(task)
                task.add_done_callback(self._done)
        return False  # where there is more, all hands are busy: the first that is done says so

    async def _do(self, job: Job) -> None:
        try:
            await job()
        except Exception:  # noqa: BLE001 (one job must not end the others)
            _LOG.exception("a job failed", crew=self._name)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._news.set()
