"""What runs by itself and whoever calls never take each other's connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from functools import partial

import asyncpg
import pytest

from bot.loops import Crew, Job, Loop
from core.runtime import Runtime
from core.system.leases import hold
from core.system.pool import POOL_SIZES, POOL_WAIT_S, Pool, PoolSizes, loops_context
from scheduler import Timetable
from scheduler.jobs import Job as ByTheClock
from tests.conftest import Servers
from tests.core.support import FRONT_MAX, Desk

BOUND_S = 2.0
assert BOUND_S < POOL_WAIT_S


@asynccontextmanager
async def taken(runtime: Runtime, context: Context, count: int) -> AsyncIterator[None]:
    """While entered, so many connections are held by tasks of this context."""
    held, over = asyncio.Semaphore(0), asyncio.Event()

    async def stuck() -> None:
        async with runtime.system.store.transaction():
            held.release()
            await over.wait()

    tasks = [asyncio.create_task(stuck(), context=context) for _ in range(count)]
    try:
        async with asyncio.timeout(BOUND_S):
            for _ in tasks:
                await held.acquire()
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)


async def ask(runtime: Runtime) -> None:
    async with asyncio.timeout(BOUND_S):
        assert await runtime.system.store.fetchval("SELECT 1") == 1


async def test_stuck_loops_keep_no_caller_waiting(desk: Desk) -> None:
    async with taken(desk.runtime, loops_context(), POOL_SIZES.loops):
        with pytest.raises(TimeoutError):
            await asyncio.create_task(ask(desk.runtime), context=loops_context())
        async with asyncio.timeout(BOUND_S):
            opened = await desk.open()
            await desk.pay(opened)
    assert (await desk.order(opened)).state == "paid"


async def do(job: Job) -> None:
    await job()


async def test_who_joins_a_batch_of_stuck_loops_is_not_kept_waiting(desk: Desk) -> None:
    """The timetable has begun the batch, and waits for a connection of the loops."""
    runtime = desk.runtime
    for _ in range(2):
        await desk.open()
    await runtime.system.store.settle()
    desk.clock.advance(11)
    jobs = await runtime.trade.follow_up.take_due(1)
    assert jobs
    async with taken(runtime, loops_context(), POOL_SIZES.loops):
        asking = [asyncio.create_task(do(job), context=loops_context()) for job in jobs]
        await asyncio.sleep(0)  # its question is in line now
        async with asyncio.timeout(BOUND_S):
            (other,) = await runtime.trade.follow_up.take_due(1)
            await other()
        assert not any(one.done() for one in asking)
    await asyncio.gather(*asking)


async def test_a_question_that_was_given_up_is_ended_before_its_connection_goes_on(
    runtime: Runtime,
) -> None:
    store = runtime.system.store

    async def stuck(name: str) -> None:
        await store.execute(f"SELECT pg_sleep(60) /* {name} */")

    for turn in range(2 * FRONT_MAX):
        asking = asyncio.create_task(stuck(f"turn {turn}"))
        await working(runtime, f"turn {turn}")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    async with asyncio.timeout(BOUND_S):
        answers = await asyncio.gather(*(store.fetchval("SELECT 1") for _ in range(FRONT_MAX)))
    assert answers == [1] * FRONT_MAX
    assert not await store.fetchval(_WORKING, "%/* turn %")


async def working(runtime: Runtime, name: str) -> None:
    """Until the database works at a statement with this name in it."""

    async def asked() -> None:
        while not await runtime.system.store.fetchval(_WORKING, f"%/* {name} */"):  # noqa: ASYNC110 (the database has no event)
            await asyncio.sleep(0)

    async with asyncio.timeout(BOUND_S):
        await asyncio.create_task(asked(), context=loops_context())


_WORKING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'active' AND query LIKE $1"
)


async def test_what_failed_leaves_a_connection_as_good_as_what_went_well(runtime: Runtime) -> None:
    store = runtime.system.store

    async def backend() -> int:
        return int(await store.fetchval("SELECT pg_backend_pid()"))

    before = await backend()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await store.fetchval("SELECT 1 / 0")
    with pytest.raises(LookupError):
        async with store.transaction():
            raise LookupError
    assert await backend() == before


async def test_stuck_callers_keep_nothing_waiting_that_runs_by_itself(runtime: Runtime) -> None:
    answered = asyncio.Semaphore(0)

    async def once() -> int:
        await ask(runtime)
        answered.release()
        return 0

    async def held() -> None:
        async def work() -> None:
            await once()

        await hold(work(), _renewed, every_s=BOUND_S)

    async def take(_: int) -> list[Job]:
        return [held]

    async def tick(_: Runtime) -> None:
        await once()

    loop = Loop("loop", once, idle_s=BOUND_S)
    crew = Crew("crew", take, hands=1, idle_s=BOUND_S)
    timetable = Timetable(runtime, (ByTheClock("tick", 1, False, tick),))
    async with taken(runtime, Context(), FRONT_MAX):
        with pytest.raises(TimeoutError):
            await ask(runtime)
        for starts in (loop, crew, timetable):
            starts.start()
            try:
                await asyncio.wait_for(answered.acquire(), 2 * BOUND_S)
            finally:
                await starts.stop()
            answered = asyncio.Semaphore(0)


async def _renewed() -> bool:
    return True


@pytest.mark.parametrize("how", ["ended by the server", "aborted", "cut amid a question"])
async def test_a_connection_that_is_lost_leaves_its_place(
    servers: Servers, database: str, how: str
) -> None:
    most = 2
    pool = Pool(PoolSizes(most, 1), partial(asyncpg.connect, servers.owner_dsn(database)))
    try:
        for _ in range(2 * most):
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with pool.connection() as connection:
                    if how == "ended by the server":
                        pid = connection.get_server_pid()
                        await connection.execute("SELECT pg_terminate_backend($1)", pid)
                    elif how == "aborted":
                        connection.terminate()
                        raise ConnectionResetError
                    else:
                        question = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
                        await asyncio.sleep(0)
                        connection.terminate()
                        await question

        async def ask_one() -> int:
            async with pool.connection() as connection:
                return int(await connection.fetchval("SELECT 1"))

        async with asyncio.timeout(BOUND_S):
            assert await asyncio.gather(*(ask_one() for _ in range(most))) == [1] * most
    finally:
        await pool.close()
