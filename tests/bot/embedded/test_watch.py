"""A server that ends by itself is started again; one that cannot live ends the desk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from redis.asyncio import Redis

from bot.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedValkey, Server, keep_running
from bot.embedded.watch import RESTARTS_MAX

BACK_S: Final = 10.0
LOOK_S: Final = 0.01


@asynccontextmanager
async def watched(server: Server) -> AsyncIterator[None]:
    watch = asyncio.create_task(keep_running(server, look_s=LOOK_S))
    yield
    assert not watch.done()
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


async def another(pid_path: Path, former: int) -> int:
    """The server's new process."""
    async with asyncio.timeout(BACK_S):
        while True:
            try:
                pid = int(pid_path.read_text().split()[0])
            except (FileNotFoundError, IndexError):
                pid = former
            if pid != former:
                return pid
            await asyncio.sleep(LOOK_S)


async def test_a_killed_valkey_is_started_again(home: Path, valkeys: list[EmbeddedValkey]) -> None:
    valkey, pid_path = valkeys[0], home / "valkey" / "valkey.pid"
    await valkey.start()
    async with watched(valkey), Redis.from_url(valkey.url) as client:
        for _ in range(2):
            pid = int(pid_path.read_text())
            os.kill(pid, signal.SIGKILL)
            await another(pid_path, pid)
            await valkey.start()  # back when it answers
            assert await client.set("any", "thing")


async def test_a_killed_postgres_is_started_again_with_all_it_had(
    home: Path, embedded: Callable[..., EmbeddedPostgres]
) -> None:
    postgres, pid_path = embedded(durable=True), home / "postgres" / "postmaster.pid"
    await postgres.start()
    connection = await asyncpg.connect(postgres.owner_dsn())
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
    async with watched(postgres):
        pid = int(pid_path.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        await another(pid_path, pid)
        await postgres.start()
        again = await asyncpg.connect(postgres.owner_dsn())
        assert await again.fetchval("SELECT x FROM kept") == 7
        await again.close()
    connection.terminate()


class Dying:
    """A server that never lives for long."""

    name = "Dying"

    def __init__(self, *, starts: bool) -> None:
        self.starts = 0
        self._can_start = starts

    def alive(self) -> bool:
        return False

    async def start(self) -> None:
        self.starts += 1
        if not self._can_start:
            raise EmbeddedError("no")


@pytest.mark.parametrize("starts", [True, False])
async def test_one_that_cannot_live_ends_the_desk(starts: bool) -> None:
    server = Dying(starts=starts)
    with pytest.raises(EmbeddedError, match="look into its log"):
        await asyncio.wait_for(keep_running(server, look_s=0.001), 10)
    assert server.starts == RESTARTS_MAX
