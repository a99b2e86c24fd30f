"""What a desk costs by being there: how soon it is ready, and what it keeps in memory, also after
it has worked for long."""

from __future__ import annotations

import statistics
import time
from typing import Final

from bench.calls import callback, creates, queries
from bench.figures import Figure
from bench.orders import CONNECTIONS, CREATED, FOUND, LONGEST_S, order_no, until_booked
from bench.place import Measures, Place, measures
from bench.processor import memory_mb
from bench.town import LINK

_MINUTE_S: Final = 60.0


async def upkeep(where: Place) -> list[Figure]:
    """Starts beside a database that runs; memory after a start, and under load: at its begin, in
    the middle and at the end."""
    starts, fresh = [], []
    for _ in range(where.size.rounds):
        began_s = time.monotonic()
        async with measures(where) as m:
            starts.append(time.monotonic() - began_s)
            fresh.append(memory_mb(m.desk.processes()))
    async with measures(where) as m:
        loaded = await under_load(m)
        await m.verify()
    return [
        Figure("ready after its start", "s", statistics.median(starts), len(starts)),
        Figure("memory after its start", "MB", statistics.median(fresh), len(fresh)),
        *loaded,
    ]


async def under_load(m: Measures) -> list[Figure]:
    """Orders created, paid and asked after without a pause, for the minutes of the size."""
    minutes, kept, orders = m.size.minutes, list[float](), 0
    failed = await _work(m)  # what a process does once is no growth
    began_s = time.monotonic()
    while not kept or time.monotonic() - began_s < minutes * _MINUTE_S:
        failed += await _work(m)
        orders += m.size.items
        kept.append(memory_mb(m.desk.processes()))
    return [
        Figure("memory, first of the load", "MB", kept[0], 1),
        Figure("memory, middle of the load", "MB", kept[len(kept) // 2], 1),
        Figure(f"memory, {minutes:g} min, {orders:,} orders", "MB", kept[-1], 1, failed=failed),
    ]


async def _work(m: Measures) -> int:
    """One round of everything; how much of it failed."""
    apps = m.town.plain
    calls = creates(apps, m.size.items, LINK)
    came = await m.fire(m.desk_port, calls, CONNECTIONS, LONGEST_S)
    made = [(apps[a.place % len(apps)], a.body) for a in came.answers if a.status == CREATED]
    paid = [callback(answer, m.town.supplier_key) for _, answer in made]
    told = await m.fire(m.desk_port, paid, CONNECTIONS, LONGEST_S)
    asked = queries((keys, order_no(answer)) for keys, answer in made)
    found = await m.fire(m.desk_port, asked, CONNECTIONS, LONGEST_S)
    await until_booked(m)
    return came.failed(CREATED) + told.failed(FOUND) + found.failed(FOUND)
