"""Group commit: who is written with whom, and what happens where that does not go well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial

import pytest

from core.kernel.errors import Bug
from core.system import batch as group_commit
from core.system.batch import Batch, Batches
from core.system.pool import IN_TRANSACTION, POOL_WAIT_S, NoConnection, in_loops, loops_context

BOUND_S = 10.0
CALLER: ContextVar[str] = ContextVar("caller", default="nobody")


class Writes:
    """Writes numbers. The door of each batch opens when the test says so. Odd ones that are named
    make a batch fail, have to wait, or find no connection."""

    def __init__(
        self,
        *,
        bad: frozenset[int] = frozenset(),
        busy: frozenset[int] = frozenset(),
        none: frozenset[int] = frozenset(),
    ) -> None:
        self.bad, self.busy, self.none = bad, busy, none
        self.together_of: list[list[int]] = []
        self.alone_of: list[tuple[int, str]] = []
        self.callers: set[str] = set()
        self.written: Counter[int] = Counter()
        self.begun = asyncio.Semaphore(0)
        self.door = asyncio.Semaphore(0)

    async def together(self, items: Sequence[int]) -> list[str | None]:
        self.together_of.append(list(items))
        self.callers.add(CALLER.get())
        self.begun.release()
        await self.door.acquire()
        if self.bad & set(items):
            raise ConnectionError("broken")
        if self.none & set(items):
            raise NoConnection
        self.written.update(set(items) - self.busy)
        return [None if item in self.busy else f"w{item}" for item in items]

    async def alone(self, item: int) -> str:
        self.alone_of.append((item, CALLER.get()))
        if item in self.bad:
            raise ValueError(item)
        self.written[item] += 1
        return f"a{item}"

    def open(self, times: int = 100) -> None:
        for _ in range(times):
            self.door.release()


async def asked(batch: Batch[int, str], *items: int) -> list[asyncio.Task[str]]:
    """Ask for these, one after another."""
    tasks = []
    for item in items:
        tasks.append(asyncio.create_task(batch.write(item)))
        await asyncio.sleep(0)
    return tasks


async def test_the_first_is_written_at_once_and_the_rest_together() -> None:
    writes = Writes()
    batch = Batch(writes.together, writes.alone, most=3)
    tasks = await asked(batch, 0)
    async with asyncio.timeout(BOUND_S):
        await writes.begun.acquire()
        tasks += await asked(batch, *range(1, 6))
        writes.open()
        assert await asyncio.gather(*tasks) == [f"w{n}" for n in range(6)]
        assert writes.together_of == [[0], [1, 2, 3], [4, 5]]
        assert await batch.write(6) == "w6", "it writes again after a rest"
    assert writes.alone_of == []


async def test_what_hangs_holds_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "TOGETHER_S", 0.05)
    writes = Writes()  # whose door stays closed
    batch = Batch(writes.together, writes.alone)
    async with asyncio.timeout(BOUND_S):
        assert await asyncio.gather(*await asked(batch, 0, 1, 2)) == ["a0", "a1", "a2"]
    assert writes.together_of == [[0], [1, 2]]


async def test_where_there_is_no_connection_nobody_asks_for_one_alone() -> None:
    writes = Writes(none=frozenset({1}))
    batch = Batch(writes.together, writes.alone, most=2)
    writes.open()
    async with asyncio.timeout(BOUND_S):
        tasks = await asked(batch, *range(5))
        done = await asyncio.gather(*tasks, return_exceptions=True)
    assert writes.together_of == [[0], [1, 2], [3, 4]]
    assert [type(one) for one in done] == [str, NoConnection, NoConnection, str, str]
    assert writes.alone_of == []


async def test_who_waits_for_a_connection_has_time_to_write_with_it() -> None:
    assert group_commit.TOGETHER_S > POOL_WAIT_S


async def test_what_runs_by_itself_is_not_waited_for_by_whoever_calls() -> None:
    writes = Writes()  # whose door stays closed for the loops' batch

    async def together(items: Sequence[int]) -> list[str | None]:
        return await writes.together(items) if in_loops() else [f"w{item}" for item in items]

    batch = Batch(together, writes.alone)
    async with asyncio.timeout(BOUND_S):
        slow = [
            asyncio.create_task(batch.write(item), context=loops_context()) for item in range(3)
        ]
        await writes.begun.acquire()
        assert await batch.write(4) == "w4"
        assert not any(one.done() for one in slow)
        writes.open()
        assert await asyncio.gather(*slow) == ["w0", "w1", "w2"]
    assert writes.alone_of == []


async def test_inside_a_transaction_nothing_is_asked_of_others() -> None:
    writes = Writes()
    IN_TRANSACTION.set(True)
    with pytest.raises(Bug):
        await Batch(writes.together, writes.alone).write(1)
    assert writes.together_of == []


async def test_a_bad_one_fails_alone() -> None:
    writes = Writes(bad=frozenset({2}))
    batch = Batch(writes.together, writes.alone)
    writes.open()
    async with asyncio.timeout(BOUND_S):
        done = await asyncio.gather(*(batch.write(n) for n in range(5)), return_exceptions=True)
    assert [str(one) for one in done] == ["a0", "a1", "2", "a3", "a4"]
    assert writes.written == Counter([0, 1, 3, 4])


async def test_who_has_to_wait_does_so_alone_and_in_its_own_name() -> None:
    writes = Writes(busy=frozenset({1}))
    batch = Batch(writes.together, writes.alone)
    writes.open()

    async def call(item: int) -> str:
        CALLER.set(f"caller {item}")
        return await batch.write(item)

    async with asyncio.timeout(BOUND_S):
        tasks = [asyncio.create_task(call(n)) for n in range(3)]
        assert await asyncio.gather(*tasks) == ["w0", "a1", "w2"]
    assert writes.alone_of == [(1, "caller 1")]
    assert writes.callers == {"nobody"}, "a batch is not held up by what one caller may do"


async def test_whoever_is_cancelled_in_line_has_nothing_written() -> None:
    writes = Writes()
    batch = Batch(writes.together, writes.alone)
    async with asyncio.timeout(BOUND_S):
        (first,) = await asked(batch, 0)
        await writes.begun.acquire()
        second, third = await asked(batch, 1, 2)
        second.cancel()
        writes.open()
        assert list(await asyncio.gather(first, third)) == ["w0", "w2"]
        with pytest.raises(asyncio.CancelledError):
            await second
    assert writes.written == Counter([0, 2])


async def test_whoever_is_cancelled_while_it_is_written_hears_of_it_afterwards() -> None:
    writes = Writes()
    batch = Batch(writes.together, writes.alone)
    async with asyncio.timeout(BOUND_S):
        (only,) = await asked(batch, 0)
        await writes.begun.acquire()
        only.cancel()
        await asyncio.sleep(0)
        assert not only.done()
        writes.open()
        with pytest.raises(asyncio.CancelledError):
            await only
    assert writes.written == Counter([0])


async def test_whoever_waits_for_a_writer_that_is_ended_hears_of_it() -> None:
    """Such as the one that is being written, those in line, and one that is gone meanwhile."""
    writes = Writes()
    batch = Batch(writes.together, writes.alone)
    async with asyncio.timeout(BOUND_S):
        begun, gone = await asked(batch, 0), await asked(batch, 1)
        (writer,) = (one for one in asyncio.all_tasks() if one.get_name() == "writer of a batch")
        await writes.begun.acquire()
        writes.open(1)
        await asyncio.gather(*begun)
        await writes.begun.acquire()
        gone[0].cancel()
        waiting = await asked(batch, 2)
        writer.cancel()
        with pytest.raises(ConnectionError):
            await waiting[0]
        with pytest.raises(asyncio.CancelledError):
            await gone[0]
        writes.open(1)
        assert await batch.write(3) == "w3", "the next one has a writer of its own"
    assert writes.alone_of == []


async def test_who_asks_is_told_that_its_write_begins() -> None:
    writes = Writes()
    batch = Batch(writes.together, writes.alone)
    told: list[int] = []

    def ask(item: int) -> asyncio.Task[str]:
        return asyncio.create_task(batch.write(item, begins=partial(told.append, item)))

    async with asyncio.timeout(BOUND_S):
        first = ask(0)
        await writes.begun.acquire()
        second, third = ask(1), ask(2)
        await asyncio.sleep(0)  # both stand in line
        assert told == [0]
        third.cancel()
        writes.open()
        assert list(await asyncio.gather(first, second)) == ["w0", "w1"]
        with pytest.raises(asyncio.CancelledError):
            await third
    assert told == [0, 1]


async def test_one_key_waits_for_no_other_and_is_written_with_no_other() -> None:
    writes = Writes()

    async def together(key: str, items: Sequence[int]) -> list[str | None]:
        if key == "slow":
            return await writes.together(items)
        return [f"{key}{item}" for item in items]

    batches = Batches[str, int, str](together, writes.alone)
    slow = asyncio.create_task(batches.write("slow", 1))
    async with asyncio.timeout(BOUND_S):
        await writes.begun.acquire()
        more = [asyncio.create_task(batches.write("slow", n)) for n in (2, 3)]
        assert await asyncio.gather(*(batches.write("quick", n) for n in (4, 5))) == [
            "quick4",
            "quick5",
        ]
        assert not slow.done()
        writes.open()
        assert await asyncio.gather(slow, *more) == ["w1", "w2", "w3"]
    assert writes.together_of == [[1], [2, 3]]
    assert writes.alone_of == []
