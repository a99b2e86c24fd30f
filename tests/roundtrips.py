"""How often a desk waits for the database, counted between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.wire import Wire, counted
from tests.conftest import Servers

# What a connection asks for the first time is prepared, and the market is looked at now and then:
# the least of some rounds is what it costs.
ROUNDS = 4


@asynccontextmanager
async def counting(servers: Servers, database: str) -> AsyncIterator[Wire]:
    """A wire to a test's database."""
    with TemporaryDirectory(prefix="paydesk-") as folder:
        async with counted(servers.postgres, Path(folder), database) as wire:
            yield wire


async def least(wire: Wire, works: Sequence[Callable[[], Awaitable[object]]]) -> int:
    """The round trips of the one that took the fewest."""
    counts = []
    for work in works:
        before = wire.trips
        await work()
        counts.append(wire.trips - before)
    return min(counts)
