"""An instance: whether it can write, and whether its machine knows the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from core.kernel.clock import SharedClock
from core.reports.instance import CLOCK_OFF_S, Health, Instance
from core.runtime import Connections, Runtime, build
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers
from tests.core.support import alarms


class Wall:
    """A wall clock that is off."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.off_s)


@pytest.fixture
async def runtime(runtime: Runtime) -> Runtime:
    await runtime.system.store.execute("DELETE FROM outbox")
    return runtime


async def test_a_clock_that_is_wrong_is_an_alarm_until_it_is_right(runtime: Runtime) -> None:
    wall = Wall()
    clock = SharedClock(time.monotonic, wall)
    instance = Instance("a:8080", runtime.system.store, clock, runtime.people.alarms)
    assert (await instance.beat()).clock_right
    assert await alarms(runtime) == []
    for off_s in (600.0, -42.0):
        wall.off_s = off_s
        health = await instance.beat()
        assert health.writes
        assert not health.clock_right
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=CLOCK_OFF_S)
    (told,) = await alarms(runtime)
    assert (told.kind, told.subject, told.state, told.count) == ("clock", "a:8080", "standing", 2)
    assert abs(told.facts["ahead_s"] + 42) < 1
    wall.off_s = 0
    assert (await instance.beat()).clock_right
    (told,) = await alarms(runtime)
    assert told.state == "over"


async def test_whoever_only_looks_is_no_instance_and_alarms_nobody(runtime: Runtime) -> None:
    wall = Wall()
    wall.off_s = 600.0
    clock = SharedClock(time.monotonic, wall)
    looker = Instance("doctor", runtime.system.store, clock, runtime.people.alarms)
    health = await looker.look()
    assert not health.clock_right
    assert abs(health.clock_ahead_s - 600) < 1
    assert await alarms(runtime) == []
    found = await runtime.system.store.fetch("SELECT FROM instance WHERE name = 'doctor'")
    assert list(found) == []


async def test_a_desk_that_starts_on_a_machine_whose_clock_is_fast_has_the_right_time(
    servers: Servers, database: str
) -> None:
    wall = Wall()
    wall.off_s = 600.0
    started = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        clock=SharedClock(time.monotonic, wall),
    )
    try:
        assert abs(started.system.clock.now() - datetime.now(UTC)) < timedelta(seconds=CLOCK_OFF_S)
    finally:
        await started.close()


async def test_an_instance_writes_that_it_is_there(runtime: Runtime) -> None:
    assert await runtime.reports.instance.beat() == Health(writes=True, clock_ahead_s=0.0)
    rows = await runtime.system.store.fetch("SELECT seen_at > started_at AS again FROM instance")
    assert [row["again"] for row in rows] == [True]
