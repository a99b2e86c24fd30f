"""One PostgreSQL and one Valkey for the whole run; a database of its own for every test.

The first process starts both servers in a temporary home and migrates a template; workers find
them through the environment. Each test's database is as its template was (`tests.databases`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.world import Addresses, apps, seed
from core.parties.merchants import App, Merchant
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from core.system.pool import PoolSizes
from tests.databases import Databases
from tests.sizes import PROFILE
from tests.steps import set_heap_aside

pytest_plugins = ["tests.logs"]

_HOME = "PAYDESK_TEST_HOME"
_STARTED = pytest.StashKey[tuple[EmbeddedPostgres, EmbeddedValkey]]()
_DEMO, _PRODUCTION, _SEEDED = "template_demo", "template_production", "template_seeded"
MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
# Each month is tables, and each table costs every test. Who goes further ahead makes more.
MONTHS = 4
# What starts desks, servers and browsers comes first, each of these with another worker: whoever is
# done takes short tests over, of which there are many. What has bars of time comes last among
# them: types are checked beside the first tests.
LONG = (
    ("tests/flows/", "tests/browser/"),
    ("tests/bot/",),
    ("tests/tools/", "tests/simulation/", "tests/bench/"),
)
PUBLIC_URL = "http://127.0.0.1:18080"
SUPPLIER_KEYS = {"880001": "4e1f6c0b9d2a47358c61", "880002": "9a7c2e4b6d8f10325476"}
NOWHERE = "http://127.0.0.1:1029"


@dataclass(frozen=True)
class Servers:
    """The run's servers, as a worker finds them."""

    postgres: EmbeddedPostgres
    valkey_url: str

    def owner_dsn(self, database: str) -> str:
        return self.postgres.owner_dsn(database)

    def desk_dsn(self, database: str) -> str:
        return self.postgres.dsn("paydesk_desk", database)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(PROFILE)
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    home = Path(tempfile.mkdtemp(prefix="paydesk-test-"))
    os.environ[_HOME] = str(home)
    config.stash[_STARTED] = asyncio.run(_start(home))


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    asyncio.run(_stop(*config.stash[_STARTED]))
    shutil.rmtree(os.environ[_HOME], ignore_errors=True)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: looking for garbage in it costs every test."""
    set_heap_aside()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Worker after worker is given an equal share of the list."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for place, beginnings in enumerate(LONG):
        for begins in beginnings:
            shares[place % workers] += [item for item in items if item.nodeid.startswith(begins)]
    long = {id(item) for share in shares for item in share}
    short = iter([item for item in items if id(item) not in long])
    for share in shares:
        share += islice(short, max(0, len(items) // workers - len(share)))
    items[:] = [*chain.from_iterable(shares), *short]


async def _start(home: Path) -> tuple[EmbeddedPostgres, EmbeddedValkey]:
    postgres, valkey = EmbeddedPostgres(home, durable=False), EmbeddedValkey(home)
    await asyncio.gather(postgres.start(), valkey.start())
    await _sql(postgres, f"CREATE DATABASE {_DEMO}", f"CREATE DATABASE {_PRODUCTION}")
    today = datetime.now(UTC).date()
    for database, kind in ((_DEMO, "demo"), (_PRODUCTION, "production")):
        await migrate(postgres.owner_dsn(database), kind=kind, today=today, months=MONTHS)
    await _sql(postgres, f"CREATE DATABASE {_SEEDED} TEMPLATE {_DEMO}")
    runtime = await _build(postgres, valkey.url, _SEEDED)
    # Whom a test has prove something, it enrols: most have nobody do so.
    await seed(runtime, Addresses(NOWHERE, SUPPLIER_KEYS, {}), passwords=False)
    await runtime.close()
    # A test's trail begins with the test.
    await _sql(postgres, "DELETE FROM audit", database=_SEEDED)
    return postgres, valkey


async def _stop(postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
    await asyncio.gather(postgres.stop(), valkey.stop())


async def _sql(postgres: EmbeddedPostgres, *statements: str, database: str = "paydesk") -> None:
    connection = await asyncpg.connect(postgres.owner_dsn(database))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _build(postgres: EmbeddedPostgres, valkey_url: str, database: str) -> Runtime:
    return await build(
        Connections(postgres.dsn("paydesk_desk", database), valkey_url, pool=PoolSizes(front=8)),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
    )


@pytest.fixture(scope="session")
async def servers() -> Servers:
    """The run's PostgreSQL and Valkey."""
    home = Path(os.environ[_HOME])
    postgres, valkey = EmbeddedPostgres(home, durable=False), EmbeddedValkey(home)
    await postgres.start()
    await valkey.start()
    # Databases are clones, so their merchants have the same ids: tests that shared a Redis
    # database would use up each other's limits. Each worker has its own, emptied for each test.
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    # They share few processors: what is slow there is not away.
    return Servers(postgres, f"{valkey.url}?db={number}&socket_timeout=20")


@pytest.fixture(scope="session")
async def databases(servers: Servers) -> AsyncIterator[Databases]:
    """This worker's databases."""
    made = Databases(servers.postgres)
    yield made
    await made.close()


@pytest.fixture
async def database(databases: Databases) -> str:
    """The name of a seeded demo database that only this test uses."""
    return await databases.fresh(_SEEDED)


@pytest.fixture
async def empty_database(databases: Databases) -> str:
    """The name of a migrated production database with nothing in it."""
    return await databases.fresh(_PRODUCTION)


@pytest.fixture
async def runtime(servers: Servers, database: str) -> AsyncIterator[Runtime]:
    """The whole business on a seeded demo database: merchants M1001 and M1002, suppliers S01 and
    S02 (at an address where nobody answers), groups and people of `bot.world`."""
    built = await _build(servers.postgres, servers.valkey_url, database)
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
        await built.close()  # or no later test could open a store


@pytest.fixture
async def build_anew(
    servers: Servers, database: str, runtime: Runtime
) -> AsyncIterator[Callable[[], Awaitable[Runtime]]]:
    """Builds the business once more on the same servers, as another process does: it knows what
    is written down, and nothing else."""
    built: list[Runtime] = []

    async def anew() -> Runtime:
        built.append(await _build(servers.postgres, servers.valkey_url, database))
        return built[-1]

    try:
        yield anew
    finally:
        for one in built:
            await one.close()


@pytest.fixture
async def shop(runtime: Runtime) -> tuple[Merchant, App]:
    """Merchant M1001 with its app."""
    return (await apps(runtime))[0]
