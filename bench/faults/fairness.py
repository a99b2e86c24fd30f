"""One merchant's servers are silent: others hear of their orders as soon as ever."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from bench.faults.kit import NotSo, Row, Shop, Site, every, p95, share, until
from bench.faults.kit.ground import HOST

LATE_BAR_S: Final = 2.0
_HEARD_S: Final = 30.0
_PACE_S: Final = 0.15
_OWN_PACE_S: Final = 1.0
_PATH: Final = "/notify"


async def silent_receivers(
    place: Site, *, addresses: int = 300, own: int = 40, bar_s: float = LATE_BAR_S
) -> list[Row]:
    """addresses: that take a call and never answer, an order each. own: orders of another merchant
    meanwhile, whose server answers."""
    silent, other = place.town.numbers[:2]
    fault = "fairness: silent receivers"
    done = f"{addresses} orders of one merchant created and closed, to {addresses} silent addresses"
    async with _silent(addresses) as urls, _listener() as heard:
        shop = place.shop(place.desks[0])
        before = [await _news(shop, heard, other) for _ in range(3)]
        closed, late = await asyncio.gather(
            _all_closed(shop, silent, urls), _all_news(shop, heard, other, own)
        )
    measured = (
        f"{share(closed, addresses)} closed; another's news {_seconds(before)} late before,"
        f" then p95 {p95(late):.1f} s, last {max(late):.1f} s of {len(late)}"
    )
    good = max(late) <= bar_s and closed == addresses
    return [Row(fault, done, measured, f"another's news ≤ {bar_s:.0f} s late", good)]


class Heard:
    """A merchant's server that answers: when it heard of each order, in steady seconds."""

    def __init__(self) -> None:
        self.url = ""
        self.at_s: dict[str, float] = {}

    async def take(self, request: web.Request) -> web.Response:
        order_no = json.loads(await request.read())["data"]["order_no"]
        self.at_s.setdefault(order_no, time.monotonic())
        return web.Response(status=204)


async def _news(shop: Shop, heard: Heard, merchant_no: str) -> float:
    """How late the news of one order's end is."""
    created = await shop.create(merchant_no, notify_url=heard.url)
    closed = await shop.close(created)
    ended_s = closed.began_s + closed.took_s

    async def look() -> float:
        return heard.at_s.get(created.order_no, 0.0)

    try:
        return max(0.0, await until(look, what="news", within_s=_HEARD_S) - ended_s)
    except NotSo:
        return _HEARD_S


async def _all_news(shop: Shop, heard: Heard, merchant_no: str, orders: int) -> list[float]:
    """How late each is, one order begun after another, whatever became of the one before."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_news(shop, heard, merchant_no))
            async for _ in every(_OWN_PACE_S, orders)
        ]
    return [task.result() for task in tasks]


async def _all_closed(shop: Shop, merchant_no: str, urls: list[str]) -> int:
    """An order for each address, closed at once; how many were."""
    closed = 0

    async def one(url: str) -> None:
        nonlocal closed
        ended = await shop.close(await shop.create(merchant_no, notify_url=url))
        closed += ended.status == 200

    async with asyncio.TaskGroup() as group:
        async for number in every(_PACE_S, len(urls)):
            group.create_task(one(urls[number]))
    return closed


@asynccontextmanager
async def _silent(addresses: int) -> AsyncIterator[list[str]]:
    """So many addresses that take a request and say nothing."""
    held: set[asyncio.StreamWriter] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        await reader.read()
        held.discard(writer)
        writer.close()

    async with AsyncExitStack() as stack:
        ports = []
        for _ in range(addresses):
            server = await asyncio.start_server(hold, HOST, 0)
            stack.callback(server.close)
            ports.append(server.sockets[0].getsockname()[1])
        yield [f"http://{HOST}:{port}{_PATH}" for port in ports]
        for writer in held:
            writer.close()


@asynccontextmanager
async def _listener() -> AsyncIterator[Heard]:
    heard = Heard()
    app = web.Application()
    app.router.add_post(_PATH, heard.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        listening = web.TCPSite(runner, HOST, 0)
        await listening.start()
        heard.url = f"http://{HOST}:{runner.addresses[0][1]}{_PATH}"
        yield heard
    finally:
        await runner.cleanup()


def _seconds(late: list[float]) -> str:
    return f"{max(late):.1f} s"
