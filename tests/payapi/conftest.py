"""A desk's HTTP server on a real port, with the sandbox supplier behind it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.world import Addresses, apps, seed
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from payapi import add_payapi
from tests.conftest import MASTER_KEY, SUPPLIER_KEYS, Servers
from tests.payapi.client import Caller

_READY_WAIT_S = 20.0


@pytest.fixture(scope="session")
async def supplier(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """The sandbox supplier, a process of its own: its `base` and `control` addresses."""
    home = tmp_path_factory.mktemp("supplier")
    async with _running(home) as ready:
        yield ready


@asynccontextmanager
async def _running(home: Path) -> AsyncIterator[dict[str, str]]:
    config = {
        "home": str(home),
        "control_token": secrets.token_urlsafe(16),
        "accounts": [
            {"mch_id": mch_id, "key": key, "name": f"Paydesk {mch_id}"}
            for mch_id, key in SUPPLIER_KEYS.items()
        ],
        "callback_delays_s": [0, 0.05, 0.1],
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.supplier",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(config).encode() + b"\n")
        await process.stdin.drain()
        line = await asyncio.wait_for(process.stdout.readline(), _READY_WAIT_S)
        yield json.loads(line)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(
    dsn: str, valkey_url: str, supplier: dict[str, str]
) -> AsyncIterator[tuple[Runtime, str]]:
    """A runtime on a seeded database, and the address at which its HTTP server listens."""
    port = unused_port()
    runtime = await build(
        Connections(dsn, valkey_url, pool=PoolSizes(front=8)),
        master_key=MASTER_KEY,
        public_url=f"http://127.0.0.1:{port}",
        allow_private_targets=True,
    )
    app = web.Application()
    add_payapi(app, runtime, trusted_proxies=())
    server = TestServer(app, port=port)
    try:
        await runtime.system.redis.flushdb()
        await seed(runtime, Addresses(supplier["base"], SUPPLIER_KEYS, {}))
        await server.start_server(auto_decompress=False)  # as the desk listens
        yield runtime, runtime.system.public_url
    finally:
        await server.close()
        await runtime.close()


@pytest.fixture
async def desk(
    servers: Servers, database: str, supplier: dict[str, str]
) -> AsyncIterator[tuple[Runtime, str]]:
    """A runtime and the address at which its HTTP server listens."""
    async with serving(servers.desk_dsn(database), servers.valkey_url, supplier) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def caller(desk: tuple[Runtime, str], http: aiohttp.ClientSession) -> Caller:
    """The server of merchant M1001."""
    return await server_of("M1001", desk, http)


@pytest.fixture
async def stranger(desk: tuple[Runtime, str], http: aiohttp.ClientSession) -> Caller:
    """The server of another merchant, M1002."""
    return await server_of("M1002", desk, http)


async def server_of(
    merchant_no: str, desk: tuple[Runtime, str], http: aiohttp.ClientSession
) -> Caller:
    """A merchant's server, with the keys of its first app."""
    runtime, url = desk
    app = next(a for m, a in await apps(runtime) if m.merchant_no == merchant_no)
    return Caller(http, url, app.key_id, app.secrets[0])
