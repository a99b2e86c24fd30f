"""Redis that hangs costs one request a moment, and nobody else anything."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from bot.embedded import EmbeddedValkey
from core.system.redis_link import LIMIT_S, REST_S, RedisLink, link_redis
from core.system.throttle import Limit, Throttle
from tests.conftest import NOWHERE

SOON_S = 10.0


@dataclass(frozen=True)
class Server:
    """A Valkey of a test's own, which can be frozen."""

    url: str
    pid: int

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


@asynccontextmanager
async def own_valkey(home: Path) -> AsyncIterator[Server]:
    valkey = EmbeddedValkey(home)
    await valkey.start()
    server = Server(valkey.url, int((home / "valkey" / "valkey.pid").read_text()))
    try:
        yield server
    finally:
        server.thaw()
        await valkey.stop()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with own_valkey(tmp_path) as running:
        yield running


@pytest.fixture
async def link(server: Server) -> AsyncIterator[RedisLink]:
    made = link_redis(server.url)
    yield made
    await made.aclose()


async def answered(link: RedisLink) -> None:
    """Until it answers again."""
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                await link.set("k", "v")
            except RedisError:
                await asyncio.sleep(REST_S / 10)
            else:
                return


async def test_what_hangs_costs_one_call_its_limit(server: Server, link: RedisLink) -> None:
    throttle, limit = Throttle(link), Limit(1_000_000, 60.0)
    await answered(link)
    with capture_logs() as logs:
        server.freeze()
        began = time.monotonic()
        for _ in range(300):
            assert await throttle.room({"k": limit}) == 0
        took_s = time.monotonic() - began
        assert not await throttle.answers()
        # 300 calls used to take the socket's two seconds each.
        assert LIMIT_S <= took_s < REST_S
        server.thaw()
        await answered(link)
        assert await throttle.answers()
    assert [log["event"] for log in logs] == [
        "redis is away; limits are of this process", "redis answers again",
    ]  # fmt: skip


async def test_while_it_rests_one_call_tries(server: Server, link: RedisLink) -> None:
    await answered(link)
    server.freeze()
    with pytest.raises(RedisError):
        await link.get("k")
    tried = 0
    async with asyncio.timeout(SOON_S):
        while not tried:  # until one is let through, and waits its limit again
            others = await asyncio.gather(
                *(link.get("k") for _ in range(20)), return_exceptions=True
            )
            assert all(isinstance(other, RedisError) for other in others)
            tried = sum("did not answer within" in str(other) for other in others)
            await asyncio.sleep(0)
    assert tried == 1


async def test_a_process_that_was_held_up_does_not_call_redis_slow(
    server: Server, link: RedisLink
) -> None:
    await answered(link)
    for _ in range(5):
        asked = asyncio.ensure_future(link.get("k"))
        for _ in range(4):  # it is sent
            await asyncio.sleep(0)
        time.sleep(3 * LIMIT_S)  # noqa: ASYNC251 (the process itself stands still)
        assert await asked == b"v"


async def test_the_limit_is_in_the_address_where_it_is_another(server: Server) -> None:
    link = link_redis(f"{server.url}?socket_timeout=0.4")
    await answered(link)
    server.freeze()
    began = time.monotonic()
    with pytest.raises(RedisError):
        await link.get("k")
    assert time.monotonic() - began >= 0.4
    await link.aclose()


async def test_nobody_there_is_as_soon_known() -> None:
    link = link_redis(NOWHERE.replace("http", "redis"))
    for _ in range(3):
        with pytest.raises(RedisError):
            await link.get("k")
    await link.aclose()
