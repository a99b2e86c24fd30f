"""One demo desk for the flow tests of a worker; tests that kill or refuse start their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.demo import DemoDesk, Receiver, receiver


@pytest.fixture(scope="package")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoDesk]:
    started = await DemoDesk(tmp_path_factory.mktemp("flows") / "home").start()
    yield started
    assert await started.stop() == 0


@pytest.fixture
async def server(desk: DemoDesk) -> AsyncIterator[Receiver]:
    """Merchant M1001's server."""
    async with receiver(desk.merchant()["notify_secret"]) as found:
        yield found
