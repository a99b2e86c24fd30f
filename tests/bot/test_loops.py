"""Loops: woken by news, looking by themselves as well, outliving failures, ended without a loss."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from bot.loops import Crew, Job, Loop

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


async def test_news_that_comes_before_its_commit_is_found_a_moment_later() -> None:
    work = Work(0, 0, 1)
    async with running(work.batch, idle_s=NEVER_S) as loop:
        await work.until(1)
        loop.wake()
        await work.until(4)
    assert not work.answers


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


class Queue:
    """Work that waits for a word: each job says that it began, and ends when it is let go."""

    def __init__(self, count: int) -> None:
        self.waiting = [str(number) for number in range(count)]
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.asked: list[int] = []
        self.faults: list[Exception] = []
        self._let_go: dict[str, asyncio.Event] = {name: asyncio.Event() for name in self.waiting}
        self._changed = asyncio.Condition()

    async def take(self, free: int) -> list[Job]:
        self.asked.append(free)
        if self.faults:
            raise self.faults.pop(0)
        names, self.waiting = self.waiting[:free], self.waiting[free:]
        return [lambda name=name: self._work(name) for name in names]  # type: ignore[misc]

    async def _work(self, name: str) -> None:
        async with self._changed:
            self.begun.append(name)
            self._changed.notify_all()
        await self._let_go[name].wait()
        async with self._changed:
            self.ended.append(name)
            self._changed.notify_all()

    def let_go(self, *names: str) -> None:
        """These, or all."""
        for name in names or self._let_go:
            self._let_go[name].set()

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(met)


@asynccontextmanager
async def crew_of(queue: Queue, hands: int, idle_s: float = NEVER_S) -> AsyncIterator[Crew]:
    crew = Crew("test", queue.take, hands=hands, idle_s=idle_s)
    crew.start()
    try:
        yield crew
    finally:
        queue.let_go()
        await asyncio.wait_for(crew.stop(), BOUND_S)


async def test_nothing_waits_for_the_slowest() -> None:
    queue = Queue(6)
    async with crew_of(queue, hands=2):
        await queue.until(lambda: queue.begun == ["0", "1"])
        for name in "12345":  # the first one never ends
            await queue.until(lambda name=name: name in queue.begun)  # type: ignore[misc]
            queue.let_go(name)
        await queue.until(lambda: queue.ended == ["1", "2", "3", "4", "5"])
    assert max(queue.asked) == 2
    assert queue.ended[-1] == "0"


async def test_a_crew_is_woken_by_news_and_looks_by_itself() -> None:
    queue = Queue(3)
    late, queue.waiting = queue.waiting, []
    async with crew_of(queue, hands=2) as crew:
        queue.waiting = late[:1]
        crew.wake()
        await queue.until(lambda: queue.begun == ["0"])
    queue = Queue(1)
    late, queue.waiting = queue.waiting, []
    async with crew_of(queue, hands=2, idle_s=0.01):
        queue.waiting = late
        await queue.until(lambda: queue.begun == ["0"])


async def test_a_crew_outlives_a_take_and_a_job_that_fail() -> None:
    queue = Queue(1)
    queue.faults = [OSError("away")]

    async def fail() -> None:
        raise ValueError

    first: list[Job] = [fail]

    async def take(free: int) -> list[Job]:
        return [first.pop()] if first else await queue.take(free)

    crew = Crew("test", take, hands=1, idle_s=0.01)
    crew.start()
    await queue.until(lambda: queue.begun == ["0"])
    queue.let_go("0")
    await asyncio.wait_for(crew.stop(), BOUND_S)
    assert queue.ended == ["0"]


async def test_what_is_under_way_ends_before_a_crew_has_stopped() -> None:
    queue = Queue(3)
    crew = Crew("test", queue.take, hands=2, idle_s=NEVER_S)
    crew.start()
    await queue.until(lambda: len(queue.begun) == 2)
    stopped = asyncio.create_task(crew.stop())
    await asyncio.sleep(0)
    assert not stopped.done()
    queue.let_go("0", "1")
    await asyncio.wait_for(stopped, BOUND_S)
    assert queue.ended == ["0", "1"]
    assert queue.waiting == ["2"]
