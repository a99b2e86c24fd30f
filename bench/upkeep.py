"""What a desk costs by being there: how soon it is ready, and what it keeps in memory."""

from __future__ import annotations

import statistics
import time

from bench.calls import creates
from bench.figures import Figure
from bench.orders import CONNECTIONS, CREATED, LONGEST_S
from bench.place import Place, measures
from bench.processor import memory_mb
from bench.town import LINK


async def upkeep(where: Place) -> list[Figure]:
    """Starts beside a database that runs; memory after a start, and after a rush."""
    starts, fresh = [], []
    for _ in range(where.size.rounds):
        began_s = time.monotonic()
        async with measures(where) as m:
            starts.append(time.monotonic() - began_s)
            fresh.append(memory_mb(m.desk.processes()))
    async with measures(where) as m:
        calls = creates(m.town.plain, where.size.items, LINK)
        came = await m.fire(m.desk_port, calls, CONNECTIONS, LONGEST_S)
        busy = [memory_mb(m.desk.processes())]
        await m.verify()
    failed = came.failed(CREATED)
    return [
        Figure(what, unit, statistics.median(values), len(values), failed=failed)
        for what, unit, values in (
            ("ready after its start", "s", starts),
            ("memory after its start", "MB", fresh),
            ("memory after a rush of creates", "MB", busy),
        )
    ]
