"""All benches there are, by the name under which they are asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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

Bench = Callable[[Place], Awaitable[list[Figure]]]
MANY: Final = 32


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


def _at_a_desk(work: Callable[[Measures], Awaitable[list[Figure]]]) -> Bench:
    """A bench of a desk of its own, whose books are right afterwards."""

    async def bench(where: Place) -> list[Figure]:
        async with measures(where) as m:
            figures = await work(m)
            await m.verify()
        return figures

    return bench


BENCHES: Final[Mapping[str, Bench]] = {
    "create": _at_a_desk(creates),
    "bill": _at_a_desk(billed),
    "call": _at_a_desk(called),
    "callback": _at_a_desk(callbacks),
    "query": _at_a_desk(questions),
    "news": news,
    "trips": trips,
    "upkeep": upkeep,
    "growth": growth,
    # The last: its groups hear their answers long after, within Telegram's limits.
    "chat": _at_a_desk(chats),
}
