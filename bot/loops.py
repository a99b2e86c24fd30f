"""Loops that empty a queue: woken by news, looking by themselves as well, ended without a loss."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

_LOG = structlog.get_logger(__name__)
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0


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
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
