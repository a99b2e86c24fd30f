"""Limits are shared through Redis; where Redis is away, each process keeps its own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import ConnectionError as NotConnected

from core.runtime import Runtime
from core.system.throttle import Limit, LocalLimits, Pass, Throttle
from tests.conftest import Servers

FIVE = Limit(5, 60.0)


async def test_two_processes_share_one_limit(runtime: Runtime) -> None:
    key = f"t:{uuid4()}"
    here, there = runtime.system.throttle, Throttle(runtime.system.redis)
    waits = [await one.room({key: FIVE}) for one in (here, there, here, there, here)]
    assert waits == [0, 0, 0, 0, 0]
    assert 55 < await here.room({key: FIVE}) <= 60
    assert 55 < await there.room({key: FIVE}) <= 60
    assert await here.room({f"{key}:other": FIVE}) == 0
    assert await here.answers()


async def test_a_rush_gets_what_the_limit_allows(runtime: Runtime) -> None:
    key = f"t:{uuid4()}"
    waits = await asyncio.gather(*(runtime.system.throttle.room({key: FIVE}) for _ in range(20)))
    assert waits.count(0) == 5


@pytest.mark.parametrize("shared", [True, False])
async def test_all_limits_count_it_or_none_does(runtime: Runtime, shared: bool) -> None:
    name, two, many = str(uuid4()), Limit(2, 60.0), Limit(20, 60.0)
    away = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)
    throttle = runtime.system.throttle if shared else Throttle(away)
    full, roomy = f"full:{name}", f"roomy:{name}"
    waits = [await throttle.room({roomy: many, full: two}) for _ in range(10)]
    assert [wait_s == 0 for wait_s in waits] == [True] * 2 + [False] * 8
    # What was refused is not counted where there would have been room.
    assert [await throttle.room({roomy: many}) for _ in range(18)] == [0] * 18
    assert await throttle.room({roomy: many}) > 0
    await away.aclose()


async def test_a_window_slides(runtime: Runtime) -> None:
    key, brief = f"t:{uuid4()}", Limit(1, 0.2)
    assert await runtime.system.throttle.room({key: brief}) == 0
    wait_s = await runtime.system.throttle.room({key: brief})
    assert 0 < wait_s <= 0.2
    for _ in range(50):
        if await runtime.system.throttle.room({key: brief}) == 0:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the window did not slide")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_without_redis_limits_are_local() -> None:
    redis = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)
    throttle = Throttle(redis)
    try:
        assert [await throttle.room({"k": Limit(2, 60)}) for _ in range(2)] == [0, 0]
        assert 55 < await throttle.room({"k": Limit(2, 60)}) <= 60
        assert not await throttle.answers()
    finally:
        await redis.aclose()


class Moody(Redis):
    """A Redis that is away when told."""

    away = False

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.away:
            raise NotConnected("away")
        command: Any = super().execute_command
        return await command(*args, **options)


async def test_a_redis_that_comes_and_goes_begins_no_window_anew(servers: Servers) -> None:
    redis = Moody(connection_pool=ConnectionPool.from_url(servers.valkey_url))
    throttle, key, ten = Throttle(redis), f"t:{uuid4()}", Limit(10, 60.0)
    passed = 0
    for number in range(40):
        redis.away = number % 5 < 2
        passed += await throttle.room({key: ten}) == 0
    assert passed == 10
    redis.away = True
    assert 55 < await throttle.room({key: ten}) <= 60
    await redis.connection_pool.aclose()


async def test_who_may_use_part_of_a_window_waits_for_so_many_to_go(runtime: Runtime) -> None:
    name, parts = str(uuid4()), (Limit(2, 0.3), Limit(5, 0.3))
    away = Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)
    for throttle in (runtime.system.throttle, Throttle(runtime.system.redis), Throttle(away)):
        key = f"{name}:{id(throttle)}"
        for _ in range(5):
            assert await throttle.room({key: parts[1]}) == 0
            await asyncio.sleep(0.01)
        little, much = [await throttle.room({key: part}) for part in parts]
        assert 0 < much < little <= 0.3, "the fourth has to go, not only the first"
        assert await throttle.used(key, 0.3) == 5
    await away.aclose()


def test_who_is_at_a_limit_stays_known_however_many_names_are_asked_under() -> None:
    limits, many = LocalLimits(max_keys=1000), Limit(60, 60.0)
    for n in range(10):
        for _ in range(5):
            assert limits.room({f"full:{n}": FIVE}, 0.0) == 0
        for _ in range(30):
            assert limits.room({f"half:{n}": many}, 0.0) == 0
    for n in range(20_000):
        limits.room({f"new:{n}": many}, 1.0 + n / 1000)
        assert len(limits) <= 1000
    for n in range(10):
        assert 38 < limits.room({f"full:{n}": FIVE}, 21.0) <= 40
        allowed = [limits.room({f"half:{n}": many}, 21.0) for _ in range(31)]
        assert (allowed.count(0), allowed[-1] > 0) == (30, True)
    # What counts no more makes room first.
    assert limits.room({"full:0": FIVE}, 61.0) == 0


def test_what_counts_no_more_goes_first() -> None:
    limits = LocalLimits(max_keys=50)
    for n in range(49):
        assert limits.room({f"old:{n}": FIVE}, 0.0) == 0
    assert limits.room({"once": Limit(1, 60.0)}, 59.0) == 0
    for n in range(49):
        assert limits.room({f"new:{n}": Limit(1, 60.0)}, 60.0) == 0
    assert len(limits) == 50
    assert all(limits.room({f"new:{n}": Limit(1, 60.0)}, 61.0) > 0 for n in range(49))
    assert limits.room({"once": Limit(1, 60.0)}, 61.0) > 0


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40)), max_size=200))
def test_a_window_lets_through_what_its_limit_says(asked: list[tuple[int, int]]) -> None:
    """As somebody would count who keeps everything."""
    limits, limit, now_s = LocalLimits(max_keys=8), Limit(3, 10.0), 0.0
    passed: dict[int, list[float]] = defaultdict(list)
    for key, wait_tenths in asked:
        now_s += wait_tenths / 10
        counted = [at for at in passed[key] if at > now_s - 10.0]
        wait_s = limits.room({str(key): limit}, now_s)
        if len(counted) < 3:
            assert wait_s == 0
            passed[key].append(now_s)
        else:
            assert wait_s == pytest.approx(max(0.001, counted[0] + 10.0 - now_s))


async def test_what_is_counted_again_counts_from_then_on(runtime: Runtime) -> None:
    """For all processes, and for this one while Redis is away."""
    key, two = f"t:{uuid4()}", Limit(2, 60.0)
    here, there = runtime.system.throttle, Throttle(runtime.system.redis)
    first, second = await here.ask({key: two}), await here.ask({key: two})
    assert isinstance(first, Pass)
    assert isinstance(second, Pass)
    waits_s = []
    for passed in (first, second):
        await here.count_again((key,), passed)
        waits_s.append(await there.room({key: two}))
    assert 0 < min(waits_s) <= max(waits_s) <= 60
    assert await there.used(key, 60.0) == 2, "neither is counted twice"
    limits = LocalLimits()
    assert limits.room({"k": two}, 100.0) == 0
    limits.count_again(("k", "none such"), 100.0, 130.0)
    assert limits.room({"k": two}, 161.0) == 0
    assert 0 < limits.room({"k": two}, 162.0) <= 28.0, "the first counts until 190"
