"""Round trips are counted exactly: what is asked through the wire, and nothing else."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

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
