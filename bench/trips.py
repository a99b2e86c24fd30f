"""How often the desk asks the database: for an order, a payment, a question, and for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.calls import callback, creates, queries
from bench.figures import Figure
from bench.orders import CONNECTIONS, CREATED, FOUND, LONGEST_S, made, order_no, until_booked, warm
from bench.place import Measures, Place, measures
from bench.town import CALL, LINK
from bench.wire import Wire, counted

IDLE_S: Final = 10.0
_SETTLED_S: Final = 3.0
_LOOK_S: Final = 0.1


class Trips:
    """What is counted at one desk."""

    def __init__(self, m: Measures, wire: Wire) -> None:
        self.m = m
        self._wire = wire
        self._idle_per_s = 0.0

    async def idle(self) -> Figure:
        """Of a desk that nobody calls. Its loops ask meanwhile, which is no part of any item."""
        await until_nothing_waits(self.m)
        await asyncio.sleep(_SETTLED_S)  # who emptied the last queue has looked again by then
        before = self._wire.trips
        await asyncio.sleep(IDLE_S)
        self._idle_per_s = (self._wire.trips - before) / IDLE_S
        return Figure("idle desk", "round trips per s", self._idle_per_s, 1)

    async def of(
        self, what: str, requests: Sequence[bytes], connections: int, good: int, *, paid: bool
    ) -> Figure:
        """Of each of these requests. paid: they are callbacks, and count when they are booked."""
        await self.m.ask_nobody()
        loop = asyncio.get_running_loop()
        before, began_s = self._wire.trips, loop.time()
        came = await self.m.fire(self.m.desk_port, requests, connections, LONGEST_S)
        if paid:
            await until_booked(self.m)
        idle = self._idle_per_s * (loop.time() - began_s)
        trips = max(0.0, self._wire.trips - before - idle) / len(requests)
        return Figure(what, "trips", trips, 1, failed=came.failed(good))


async def until_nothing_waits(m: Measures) -> None:
    """Until all that others and its own start left the desk to do is done. Raises TimeoutError."""
    async with asyncio.timeout(LONGEST_S):
        while await m.database.fetchval(_WAITS):  # noqa: ASYNC110 (the database has no event)
            await asyncio.sleep(_LOOK_S)


_WAITS: Final = """
SELECT EXISTS (SELECT FROM telegram_update WHERE state = 'waiting')
    OR EXISTS (SELECT FROM outbox WHERE state = 'waiting')
    OR EXISTS (SELECT FROM supplier_callback WHERE state = 'waiting')
    OR EXISTS (SELECT FROM notification WHERE state = 'pending')
    OR EXISTS (SELECT FROM export WHERE state = 'waiting')
"""


@asynccontextmanager
async def _counting(where: Place) -> AsyncIterator[Trips]:
    with TemporaryDirectory(prefix="paydesk-wire-") as folder:
        async with (
            counted(where.postgres, Path(folder)) as wire,
            measures(where, DATABASE_URL=wire.dsn) as m,
        ):
            yield Trips(m, wire)
            await m.verify()


async def trips(where: Place) -> list[Figure]:
    """One after another, and then many at once, which share what can be shared."""
    items = where.size.items
    async with _counting(where) as counting:
        m = counting.m
        figures = [await counting.idle()]
        for product in (LINK, CALL):
            await warm(m, m.town.plain, product)
        for connections in (1, CONNECTIONS):
            for product, name in ((LINK, "create"), (CALL, "create with a call")):
                calls = creates(m.town.plain, items // 4, product)
                what = f"{name}, {connections} at once"
                figures.append(await counting.of(what, calls, connections, CREATED, paid=False))
            orders = await made(m, m.town.plain)
            told = [callback(answer, m.town.supplier_key) for _, answer in orders]
            what = f"callback booked, {connections} at once"
            figures.append(await counting.of(what, told, connections, FOUND, paid=True))
            asked = queries((keys, order_no(answer)) for keys, answer in orders)
            # Suppliers would be asked about the orders that were created above.
            await m.ask_nobody()
            what = f"query, {connections} at once"
            figures.append(await counting.of(what, asked, connections, FOUND, paid=False))
    return figures
