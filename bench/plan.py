"""All benches there are, by the name under which they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bench.chats import chats
from bench.figures import Figure
from bench.growth import growth
from bench.news import news
from bench.orders import CONNECTIONS, booked, created, found
from bench.place import Measures, Place, measures
from bench.town import CALL
from bench.trips import trips
from bench.upkeep import upkeep

MANY: Final = 32
# No bench takes longer, but for a past that it makes and a desk that works for minutes; the run
# ends with one that does.
BENCH_S: Final = 900.0
ORDER_S: Final = 0.001
MINUTE_S: Final = 60.0


async def creates(m: Measures) -> list[Figure]:
    """No call to the supplier, no group."""
    return [
        await created(m, f"create, {n} connection{'s' * (n > 1)}", m.town.plain, n)
        for n in (1, CONNECTIONS, MANY)
    ]


async def billed(m: Measures) -> list[Figure]:
    """The same, each merchant with a live bill in its group."""
    return [
        await created(m, f"create with a live bill, {n}", m.town.billed, n)
        for n in (CONNECTIONS, MANY)
    ]


async def called(m: Measures) -> list[Figure]:
    """The same with a call to the supplier, which answers at once."""
    return [
        await created(m, f"create with a supplier call, {n}", m.town.plain, n, CALL)
        for n in (CONNECTIONS, MANY)
    ]


async def callbacks(m: Measures) -> list[Figure]:
    """Payments: counted when they are booked."""
    return [
        await booked(m, "callback booked, one merchant", m.town.whale),
        await booked(m, "callback booked, 100 merchants", m.town.plain),
    ]


async def questions(m: Measures) -> list[Figure]:
    """Orders asked after."""
    return [await found(m, f"query, {n} connections", n) for n in (CONNECTIONS, MANY)]


async def workers(where: Place) -> list[Figure]:
    """A desk of two processes on one port."""
    async with measures(where, WORKERS="2") as m:
        figures = [
            await created(m, f"create, two workers, {n}", m.town.plain, n)
            for n in (CONNECTIONS, MANY)
        ]
        await m.verify()
    return figures


@dataclass(frozen=True, slots=True)
class Bench:
    """at_desk: measured at a desk that is shared with the benches before and after; own: with
    desks of its own, or none. One of them is there. long: not part of a quick run."""

    at_desk: Callable[[Measures], Awaitable[list[Figure]]] | None = None
    own: Callable[[Place], Awaitable[list[Figure]]] | None = None
    long: bool = False


BENCHES: Final[Mapping[str, Bench]] = {
    # The first: its desk has nothing else to do.
    "trips": Bench(own=trips),
    "create": Bench(creates),
    "call": Bench(called),
    "callback": Bench(callbacks),
    "query": Bench(questions),
    # From here on groups have a live bill to be edited.
    "bill": Bench(billed),
    "workers": Bench(own=workers),
    "news": Bench(own=news),
    "upkeep": Bench(own=upkeep),
    # A past is there for all that come after it.
    "growth": Bench(own=growth, long=True),
    # The last: its groups hear their answers long after, within Telegram's limits.
    "chat": Bench(chats),
}


async def run(where: Place, names: Sequence[str], say: Callable[[str], None]) -> list[Figure]:
    """The figures of these benches, one after another. Raises TimeoutError, BooksDiffer."""
    figures: list[Figure] = []
    for shares, some in groupby(names, lambda name: BENCHES[name].at_desk is not None):
        if shares:
            figures += await _at_one_desk(where, list(some), say)
            continue
        for name in some:
            if (bench := BENCHES[name].own) is not None:
                say(name)
                more_s = where.size.orders * ORDER_S + where.size.minutes * MINUTE_S
                async with asyncio.timeout(BENCH_S + more_s):
                    figures += await bench(where)
    return figures


async def _at_one_desk(
    where: Place, names: Sequence[str], say: Callable[[str], None]
) -> list[Figure]:
    """Benches of a desk whose books are right afterwards."""
    figures: list[Figure] = []
    async with measures(where) as m:
        for name in names:
            if (bench := BENCHES[name].at_desk) is not None:
                say(name)
                await m.ask_nobody()
                async with asyncio.timeout(BENCH_S):
                    figures += await bench(m)
        await m.verify()
    return figures
