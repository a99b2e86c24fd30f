"""What is said of days is tried on a clock of the test's own, on which none ends unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.runtime import Runtime
from tests.conftest import Servers
from tests.core.support import RunningClock, build_runtime, hour_of


@pytest.fixture
async def runtime(
    request: pytest.FixtureRequest, servers: Servers, database: str
) -> AsyncIterator[Runtime]:
    """The whole business on a seeded demo database, at the test's own hour."""
    clock = RunningClock(hour_of(request.node.nodeid))
    built = await build_runtime(servers, database, clock)
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
        await built.close()
