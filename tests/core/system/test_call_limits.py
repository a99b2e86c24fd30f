"""Limits of calls: decided at once here, and told to the other processes a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from core.runtime import Runtime
from core.system.call_limits import WINDOW_S, CallLimits
from tests.demo import eventually


class Steady:
    """A steady clock that stands still."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


@asynccontextmanager
async def process(redis: Redis, clock: Steady) -> AsyncIterator[CallLimits]:
    limits = CallLimits(redis, clock)
    try:
        yield limits
    finally:
        await limits.close()


async def test_so_many_calls_pass_in_a_second_and_the_rest_is_told_when(runtime: Runtime) -> None:
    name, clock = str(uuid4()), Steady()
    async with process(runtime.system.link, clock) as limits:
        assert [limits.room(name, 3) for _ in range(3)] == [0, 0, 0]
        clock.at_s = 0.4
        assert limits.room(name, 3) == pytest.approx(0.6)
        assert limits.room("another", 3) == 0
        assert limits.room(name, 4) == 0, "the limit counts that is handed over now"
        clock.at_s = 1.0
        assert [limits.room(name, 3) > 0 for _ in range(3)] == [False, False, True]


async def test_processes_share_a_limit_as_soon_as_they_heard_of_each_other(
    runtime: Runtime,
) -> None:
    name, here_clock, there_clock = str(uuid4()), Steady(), Steady()
    async with (
        process(runtime.system.link, here_clock) as here,
        process(runtime.system.redis, there_clock) as there,
    ):

        async def refused_there() -> bool:
            here_clock.at_s += WINDOW_S  # another second's calls
            assert [here.room(name, 1000) for _ in range(1000)] == [0] * 1000
            return there.room(name, 1000) == WINDOW_S

        assert there.room(name, 1000) == 0, "nothing was heard yet"
        await eventually(refused_there, what="what was let through here counts there")
        # What was heard counts for a second; who is refused hears no more.
        assert there.room(name, 1000) == WINDOW_S
        there_clock.at_s = WINDOW_S
        assert there.room(name, 1000) == 0


async def test_who_ends_waits_for_the_answer_of_a_question_under_way(runtime: Runtime) -> None:
    """Cut off while it connects, the question would leave a connection that nobody closes."""
    where, name = runtime.system.redis.connection_pool.connection_kwargs, str(uuid4())
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begins = await reader.read(65536)
        asked.set()
        await may_answer.wait()
        to_redis, redis = await asyncio.open_unix_connection(where["path"])
        redis.write(begins)
        await asyncio.gather(pass_on(reader, redis), pass_on(to_redis, writer))

    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        redis = Redis(host="127.0.0.1", port=port, db=where["db"])
        limits = CallLimits(redis)
        assert limits.room(name, 3) == 0
        await asked.wait()
        closing = asyncio.create_task(limits.close())
        may_answer.set()
        await closing
        await redis.aclose()
    assert await runtime.system.redis.hvals(f"paydesk:calls:{name}") == [b"1"]


async def test_without_redis_each_process_has_the_limit_for_itself() -> None:
    away, clock = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1), Steady()
    async with process(away, clock) as limits:
        for second in range(3):
            clock.at_s = float(second)
            assert [limits.room("k", 2) > 0 for _ in range(3)] == [False, False, True]
    await away.aclose()
