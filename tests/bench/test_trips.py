"""Round trips are counted exactly: what is asked through the wire, and nothing else."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bench.place import Measures
from bench.trips import until_nothing_waits
from bench.wire import counted
from tests.conftest import Servers


async def test_each_time_the_driver_waits_is_one_trip(servers: Servers) -> None:
    with TemporaryDirectory(prefix="paydesk-") as folder:
        async with counted(servers.postgres, Path(folder)) as wire:
            connection = await asyncpg.connect(wire.dsn)
            before = wire.trips
            assert await connection.fetchval("SELECT $1::int", 7) == 7
            first = wire.trips - before  # it is prepared, and then asked
            for _ in range(10):
                assert await connection.fetchval("SELECT $1::int", 7) == 7
            again = wire.trips - before - first
            async with connection.transaction():
                await connection.execute("SELECT 1")
            opened = wire.trips - before - first - again
            await connection.close()
    assert (first, again, opened) == (2, 10, 3)


async def test_a_desk_is_idle_once_nothing_waits(m: Measures) -> None:
    await m.database.execute(
        "INSERT INTO outbox (merchant_id, id, chat_id, rank, topic, facts, due_at, created_at)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), $1, 1, 'unpin', '{}', now(), now())",
        m.town.chats[0],
    )
    await until_nothing_waits(m)
    waits = "SELECT count(*) FROM outbox WHERE state = 'waiting'"
    assert await m.database.fetchval(waits) == 0
