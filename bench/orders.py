"""The money path: orders created, paid and asked after, each round beside the bare handler's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Final

from bench.calls import callback, creates, queries
from bench.figures import Figure, Round, beside
from bench.place import Measures
from bench.town import LINK, Keys

CREATED: Final = 201
FOUND: Final = 200
# epay's ratio to the bare handler on a machine of this kind, by connections; that of its callbacks
# is to creates on 8 connections.
EPAY: Final = {1: 0.27, 8: 0.30, 32: 0.27}
EPAY_CALLBACK: Final = 0.30
EPAY_QUERY: Final = 0.81
CONNECTIONS: Final = 8
# Nobody on the machines this is for answers faster: a round's requests are made beforehand.
_MOST_PER_S: Final = 4_000
_ONE_BY_ONE_PER_S: Final = 1_500
WARMING: Final = 40
LONGEST_S: Final = 120.0
_LOOK_S: Final = 0.02


class Unbooked(Exception):
    """Callbacks that were answered were not booked in time."""


async def created(
    m: Measures, what: str, apps: Sequence[Keys], connections: int, product: str = LINK
) -> Figure:
    """Orders created in a second by these apps."""
    await warm(m, apps, product)
    desk, bare = [], []
    for _ in range(m.size.rounds):
        calls = creates(apps, _most(m, connections), product)
        desk.append((await m.round(m.desk.pid, m.desk_port, calls, connections, CREATED))[0])
        bare.append(await _bare_creates(m, connections))
    return beside(what, desk, bare, EPAY[connections])


async def booked(m: Measures, what: str, apps: Sequence[Keys]) -> Figure:
    """Callbacks in a second, from the first one sent until the last one is booked. The bare
    handler creates orders meanwhile."""
    desk, bare = [], []
    for _ in range(m.size.rounds):
        orders = await made(m, apps)
        calls = [callback(answer, m.town.supplier_key) for _, answer in orders]
        before, began_s = m.cpu(m.desk.pid), time.perf_counter()
        came = await m.fire(m.desk_port, calls, CONNECTIONS, LONGEST_S)
        await until_booked(m)
        wall_s, after = time.perf_counter() - began_s, m.cpu(m.desk.pid)
        took_s = tuple(answer.took_s for answer in came.answers)
        spent = (after[0] - before[0], after[1] - before[1])
        desk.append(Round(len(calls), came.failed(FOUND), wall_s, took_s, *spent))
        bare.append(await _bare_creates(m, CONNECTIONS))
    return beside(what, desk, bare, EPAY_CALLBACK)


async def found(m: Measures, what: str, connections: int) -> Figure:
    """Orders asked after in a second, each of the apps in turn."""
    apps = m.town.plain
    orders = [(keys, order_no(answer)) for keys, answer in await made(m, apps)]
    await m.ask_nobody()
    bares = await m.fire(m.bare_port, creates(apps, m.size.items, LINK), CONNECTIONS, LONGEST_S)
    known = [(apps[a.place % len(apps)], order_no(a.body)) for a in bares.answers]
    most = _most(m, connections)
    desk, bare = [], []
    for _ in range(m.size.rounds):
        asked = _again(orders, most)
        desk.append((await m.round(m.desk.pid, m.desk_port, asked, connections, FOUND))[0])
        asked = _again(known, most)
        pid = m.place.bare.pid
        bare.append((await m.round(pid, m.bare_port, asked, connections, FOUND))[0])
    return beside(what, desk, bare, EPAY_QUERY)


async def warm(m: Measures, apps: Sequence[Keys], product: str) -> None:
    """What a process does once is no part of what is measured, nor what was measured before."""
    await m.ask_nobody()
    for port in (m.desk_port, m.bare_port):
        await m.fire(port, creates(apps, WARMING, product), CONNECTIONS, LONGEST_S)


async def _bare_creates(m: Measures, connections: int) -> Round:
    calls = creates(m.town.plain, _most(m, connections), LINK)
    one, _ = await m.round(m.place.bare.pid, m.bare_port, calls, connections, CREATED)
    return one


async def made(m: Measures, apps: Sequence[Keys]) -> list[tuple[Keys, bytes]]:
    """New orders, each with its app and what the app was answered."""
    calls = creates(apps, m.size.items, LINK)
    came = await m.fire(m.desk_port, calls, CONNECTIONS, LONGEST_S)
    if came.failed(CREATED):
        raise Unbooked(f"{came.failed(CREATED)} of {len(calls)} orders were not created")
    return [(apps[answer.place % len(apps)], answer.body) for answer in came.answers]


async def until_booked(m: Measures) -> None:
    """Until no callback waits. Raises Unbooked."""
    ends_s = time.perf_counter() + LONGEST_S
    while await m.database.fetchval(_WAITS):
        if time.perf_counter() > ends_s:
            raise Unbooked("callbacks wait for longer than a bench does")
        await asyncio.sleep(_LOOK_S)


_WAITS: Final = "SELECT EXISTS (SELECT FROM supplier_callback WHERE state = 'waiting')"


def _again(orders: Sequence[tuple[Keys, str]], count: int) -> tuple[bytes, ...]:
    """So many questions after these orders, in turn."""
    return queries(islice(cycle(orders), count))


def _most(m: Measures, connections: int) -> int:
    per_s = _MOST_PER_S if connections > 1 else _ONE_BY_ONE_PER_S
    return int(per_s * m.size.seconds)


def order_no(answer: bytes) -> str:
    return str(json.loads(answer)["order_no"])
