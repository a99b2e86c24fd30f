"""Limits are shared through Redis; where Redis is away, each process keeps its own."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from core.runtime import Runtime
from core.throttle import Limit, Throttle

FIVE = Limit(5, 60.0)


async def test_two_processes_share_one_limit(runtime: Runtime) -> None:
    key = f"t:{uuid4()}"
    here, there = runtime.throttle, Throttle(runtime.redis)
    waits = [await one.room(key, FIVE) for one in (here, there, here, there, here)]
    assert waits == [0, 0, 0, 0, 0]
    assert 55 < await here.room(key, FIVE) <= 60
    assert 55 < await there.room(key, FIVE) <= 60
    assert await here.room(f"{key}:other", FIVE) == 0
    assert await here.answers()


async def test_a_rush_gets_what_the_limit_allows(runtime: Runtime) -> None:
    key = f"t:{uuid4()}"
    waits = await asyncio.gather(*(runtime.throttle.room(key, FIVE) for _ in range(20)))
    assert waits.count(0) == 5


async def test_a_window_slides(runtime: Runtime) -> None:
    key, brief = f"t:{uuid4()}", Limit(1, 0.2)
    assert await runtime.throttle.room(key, brief) == 0
    wait_s = await runtime.throttle.room(key, brief)
    assert 0 < wait_s <= 0.2
    for _ in range(50):
        if await runtime.throttle.room(key, brief) == 0:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the window did not slide")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_without_redis_limits_are_local() -> None:
    redis = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)
    throttle = Throttle(redis)
    try:
        assert [await throttle.room("k", Limit(2, 60)) for _ in range(2)] == [0, 0]
        assert 55 < await throttle.room("k", Limit(2, 60)) <= 60
        assert not await throttle.answers()
    finally:
        await redis.aclose()
