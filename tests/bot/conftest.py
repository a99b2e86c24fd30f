"""A runtime on a clock that is set, with limits that no other test uses up."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram import Bot

from core.runtime import Runtime, build
from tests.bot.support import Telegram, bot_at, sandbox_telegram
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers
from tests.core.support import SetClock


@pytest.fixture
def clock() -> SetClock:
    """The desk's time; it starts at the present and moves when a test says so."""
    return SetClock()


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """A Redis database that only this worker's tests of the bot use."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return f"{servers.valkey_url}?db={1 + int(worker) % 15}"


@pytest.fixture
async def runtime(
    servers: Servers, database: str, redis_url: str, clock: SetClock
) -> AsyncIterator[Runtime]:
    """The whole business on a seeded demo database, with the clock of the test."""
    built = await build(
        database_url=servers.desk_dsn(database),
        redis_url=redis_url,
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        pool_max=8,
        clock=clock,
    )
    await built.redis.flushdb()
    yield built
    await built.close()


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    """The sandbox Telegram with the groups that the seeded desk knows."""
    async with sandbox_telegram(tmp_path / "telegram") as running:
        yield running


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    """The desk's client of the sandbox."""
    async with bot_at(telegram.api) as made:
        yield made
