from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from redis.asyncio import Redis

from bot.embedded import EmbeddedValkey
from tests.bot.embedded.desks import run_desk


def valkey_pid(home: Path) -> int:
    return int((home / "valkey" / "valkey.pid").read_text())


async def test_it_speaks_redis_on_a_private_socket_only(
    home: Path, valkeys: list[EmbeddedValkey]
) -> None:
    valkey = valkeys[0]
    await valkey.start()
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        assert await client.register_script("return 6 * 7")() == 42
        assert await client.config_get("port") == {"port": "0"}
    assert valkey.socket_dir is not None
    assert valkey.socket_dir.stat().st_mode & 0o077 == 0
    await valkey.stop()
    assert not (home / "valkey" / "valkey.pid").exists()


async def test_one_left_running_is_adopted(home: Path, valkeys: list[EmbeddedValkey]) -> None:
    async with run_desk(home, "stay") as desk:
        assert desk.stdout is not None
        assert await desk.stdout.readline() == b"ready\n"
        pid = valkey_pid(home)

    valkey = valkeys[0]
    await valkey.start()

    assert valkey_pid(home) == pid
    async with Redis.from_url(valkey.url) as client:
        assert await client.get("anything") is None


async def test_kill_9_is_followed_by_a_good_start(
    home: Path, valkeys: list[EmbeddedValkey]
) -> None:
    valkey = valkeys[0]
    await valkey.start()
    os.kill(valkey_pid(home), signal.SIGKILL)
    await valkey.start()
    async with Redis.from_url(valkey.url) as client:
        assert await client.get("anything") is None


async def test_three_starts_at_once_make_one_server(valkeys: list[EmbeddedValkey]) -> None:
    await asyncio.gather(*(valkey.start() for valkey in valkeys))
    async with Redis.from_url(valkeys[0].url) as client:
        await client.set("who", "one")
    for valkey in valkeys:
        async with Redis.from_url(valkey.url) as client:
            assert await client.get("who") == b"one"
    await asyncio.gather(*(valkey.stop() for valkey in valkeys))
