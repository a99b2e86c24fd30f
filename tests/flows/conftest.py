"""One demo desk for the flow tests of a worker; tests that kill or refuse start their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.demo import DemoDesk, Receiver, receiver
from tests.steps import BAR_S

# The watch of a desk sees the loop come round late: a little of what came before counts as well,
# and a machine that others use computes the same for longer.
LONGEST_STOP_S = 2 * BAR_S


@pytest.fixture(scope="package")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoDesk]:
    started = await DemoDesk(tmp_path_factory.mktemp("flows") / "home").start()
    yield started
    assert await started.stop() == 0


@pytest.fixture(autouse=True)
async def stands_still_for_nobody(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Where a test speaks to the package's desk, nothing that it has done there computes for long
    at a stretch."""
    if "desk" not in request.fixturenames:
        yield
        return
    desk: DemoDesk = request.getfixturevalue("desk")
    await desk.longest_stop_s()  # what was before is no fault of this test
    yield
    stopped_s = await desk.longest_stop_s()
    assert stopped_s <= LONGEST_STOP_S, f"the loop stood still for {stopped_s * 1000:.0f} ms"


@pytest.fixture
async def server(desk: DemoDesk) -> AsyncIterator[Receiver]:
    """Merchant M1001's server."""
    async with receiver(desk.merchant()["notify_secret"]) as found:
        yield found
