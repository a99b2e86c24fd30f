"""The business on a clock that is set, with the sandbox supplier behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.world import Addresses, apps, seed
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from tests.conftest import SUPPLIER_KEYS, Servers
from tests.core.support import (
    Desk,
    Entrance,
    Receiver,
    SandboxSupplier,
    SetClock,
    build_runtime,
    hour_of,
    sandbox_supplier,
)


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> SetClock:
    """The desk's time; it starts at the test's own hour and moves when the test says so."""
    return SetClock(hour_of(request.node.nodeid))


@pytest.fixture(scope="session")
async def supplier(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SandboxSupplier]:
    """The sandbox supplier with the accounts of S01 and S02."""
    async with sandbox_supplier(tmp_path_factory.mktemp("supplier")) as running:
        yield running


@pytest.fixture(scope="session")
async def entrance() -> AsyncIterator[Entrance]:
    """Where suppliers' callbacks arrive."""
    async with Entrance().running() as running:
        yield running


@pytest.fixture
async def runtime(
    servers: Servers, database: str, clock: SetClock, entrance: Entrance
) -> AsyncIterator[Runtime]:
    """The whole business on a seeded demo database, with the clock of the test."""
    built = await build_runtime(servers, database, clock, public_url=entrance.url)
    entrance.runtime = built
    entrance.heard.clear()
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
        entrance.runtime = None
        await built.close()


@pytest.fixture
async def desk(
    runtime: Runtime,
    clock: SetClock,
    supplier: SandboxSupplier,
    entrance: Entrance,
    shop: tuple[Merchant, App],
) -> AsyncIterator[Desk]:
    """Merchant M1001 at a desk whose suppliers answer."""
    await seed(runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
    yield Desk(runtime, clock, supplier, entrance, *shop)
    await supplier.fault("any", "clear")


@pytest.fixture
async def neighbour(desk: Desk) -> Desk:
    """Merchant M1002 at the same desk."""
    merchant, app = (await apps(desk.runtime))[1]
    return Desk(desk.runtime, desk.clock, desk.supplier, desk.entrance, merchant, app)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A merchant's server for notifications."""
    async with Receiver().running() as running:
        yield running
