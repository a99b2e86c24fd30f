"""A runtime on a clock that is set, with limits that no other test uses up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiogram import Bot
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.fronts import MAX_BODY_BYTES
from bot.webhook import Webhook
from bot.world import BOT_ID
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from tests.bot.support import Telegram, bot_at, sandbox_telegram
from tests.bot.updates import SECRET, Entrance
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers
from tests.core.support import SetClock, hour_of


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> SetClock:
    """The desk's time; it starts at the test's own hour and moves when the test says so."""
    return SetClock(hour_of(request.node.nodeid))


@pytest.fixture
async def runtime(servers: Servers, database: str, clock: SetClock) -> AsyncIterator[Runtime]:
    """The whole business on a seeded demo database, with the clock of the test."""
    built = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url, pool=PoolSizes(front=8)),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        clock=clock,
    )
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
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


@pytest.fixture
async def entrance(runtime: Runtime) -> AsyncIterator[Entrance]:
    """The desk's entrance for Telegram, on a real server."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post(
        "/telegram", Webhook(runtime.delivery.inbox, runtime.system.vault, BOT_ID, SECRET).receive
    )
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield Entrance(runtime, str(server.make_url("/telegram")), http)
