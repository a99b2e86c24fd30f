"""Loops: woken by news, looking by themselves as well, outliving failures, ended without a loss."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from bot.loops import Loop

BOUND_S = 10.0
NEVER_S = 3600.0
_request: ContextVar[str | None] = ContextVar("request", default=None)


class Work:
    """Batches that are counted. `answers`: what the next ones find; then nothing."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.batches = 0
        self._changed = asyncio.Condition()

    async def batch(self) -> int:
        async with self._changed:
            self.batches += 1
            self._changed.notify_all()
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, number: int) -> None:
        """Until this many batches have begun."""
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(lambda: self.batches >= number)


@asynccontextmanager
async def running(work: Callable[[], object], *, idle_s: float) -> AsyncIterator[Loop]:
    loop = Loop("test", work, idle_s=idle_s)  # type: ignore[arg-type]  # all of them are batches
    loop.start()
    try:
        yield loop
    finally:
        await asyncio.wait_for(loop.stop(), BOUND_S)


async def test_it_works_until_there_is_nothing_and_then_waits_for_news() -> None:
    work = Work(3, 1, 0)
    async with running(work.batch, idle_s=NEVER_S) as loop:
        await work.until(3)
        assert work.batches == 3
        loop.wake()
        await work.until(4)
        assert work.batches == 4


async def test_news_during_a_batch_is_not_missed() -> None:
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def batch() -> int:
        if begun.is_set():
            again.set()
        begun.set()
        await go_on.wait()
        return 0

    async with running(batch, idle_s=NEVER_S) as loop:
        await asyncio.wait_for(begun.wait(), BOUND_S)
        loop.wake()
        go_on.set()
        await asyncio.wait_for(again.wait(), BOUND_S)


async def test_it_looks_by_itself_when_nobody_brings_news() -> None:
    work = Work()
    async with running(work.batch, idle_s=0.001):
        await work.until(5)


async def test_failing_work_is_tried_again_after_a_pause() -> None:
    work = Work(ConnectionError("the database is away"), LookupError("a bad row"), 2)
    clock = asyncio.get_running_loop()
    began = clock.time()
    async with running(work.batch, idle_s=0.001):
        await work.until(4)
    assert clock.time() - began >= 1.4, "0.5 s after the first failure, 1 s after the second"
    assert not work.answers


async def test_stop_waits_for_the_batch_under_way() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def batch() -> int:
        begun.set()
        await go_on.wait()
        done.append("a batch")
        return 1

    loop = Loop("test", batch, idle_s=NEVER_S)
    loop.start()
    await asyncio.wait_for(begun.wait(), BOUND_S)
    stopping = asyncio.create_task(loop.stop())
    while not stopping.done() and not go_on.is_set():
        assert not done
        await asyncio.sleep(0)  # stop has begun
        go_on.set()
    await asyncio.wait_for(stopping, BOUND_S)
    assert done == ["a batch"], "the one under way ended, and none began after it"


async def test_stop_ends_a_loop_that_waits_or_pauses_or_never_began() -> None:
    for answers in ((), (ConnectionError("away"),)):
        work = Work(*answers)
        async with running(work.batch, idle_s=NEVER_S):
            await work.until(1)
    await Loop("test", Work().batch, idle_s=NEVER_S).stop()


async def test_it_inherits_nothing_of_who_starts_it() -> None:
    seen: asyncio.Queue[str | None] = asyncio.Queue()

    async def batch() -> int:
        seen.put_nowait(_request.get())
        return 0

    _request.set("somebody's request")
    assert contextvars.copy_context()[_request] == "somebody's request"
    async with running(batch, idle_s=NEVER_S):
        assert await asyncio.wait_for(seen.get(), BOUND_S) is None
