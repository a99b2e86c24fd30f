"""Whoever is silent delays nobody else's news: neither another merchant's nor another server's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import notifier
from core.delivery.outbox import MerchantNews
from core.trade.notifications import HANDS
from tests.core.support import Desk

LATE_S = 2.0
SILENT = 300
TOLD = 12
EVERY_S = 0.25
BOUND_S = 20.0
_numbers = count(1)


@dataclass(slots=True)
class Tarpit:
    """A server that takes everything and answers nothing, at every address of 127.0.0.0/8."""

    port: int = 0
    held: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Tarpit]:
        server = await asyncio.start_server(self._hold, "0.0.0.0", 0)  # noqa: S104 (all of loopback)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.over.set()
            server.close()

    async def _hold(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.held += 1
        await self.over.wait()
        self.held -= 1
        writer.close()

    def urls(self, number: int) -> Iterator[str]:
        return (f"http://127.1.{n // 250}.{n % 250 + 1}:{self.port}/t" for n in range(number))


@dataclass(slots=True)
class Shop:
    """A merchant's server that answers, and notes when it heard of which order."""

    url: str = ""
    heard_at: dict[str, float] = field(default_factory=dict)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shop]:
        app = web.Application()
        app.router.add_post("/n", self._take)
        async with TestServer(app) as server:
            self.url = str(server.make_url("/n"))
            yield self

    async def _take(self, request: web.Request) -> web.Response:
        order_no = json.loads(await request.read())["data"]["order_no"]
        async with self.heard:
            self.heard_at.setdefault(order_no, asyncio.get_running_loop().time())
            self.heard.notify_all()
        return web.Response(status=204)


async def tell(desk: Desk, *urls: str) -> list[str]:
    """News about orders of this desk's merchant, one to each address; their numbers."""
    order_nos = [f"P{next(_numbers):06}" for _ in urls]
    async with desk.runtime.system.store.transaction() as tx:
        for order_no, url in zip(order_nos, urls, strict=True):
            await desk.runtime.delivery.outbox.tell_merchant(
                tx,
                MerchantNews(
                    desk.merchant.id,
                    desk.app.id,
                    desk.runtime.system.ids.uuid7(),
                    type="order.closed",
                    url=url,
                    facts={"order_no": order_no},
                    request_id="r",
                ),
            )
    return order_nos


@asynccontextmanager
async def crew(desk: Desk) -> AsyncIterator[None]:
    """The desk's own hands, at work."""
    working = notifier(desk.runtime)
    working.start()
    try:
        yield
    finally:
        await asyncio.wait_for(working.stop(), BOUND_S)


async def latest_s(desk: Desk, shop: Shop) -> float:
    """How late the latest of a healthy server's news is, told one after another."""
    loop, told_at = asyncio.get_running_loop(), {}
    for _ in range(TOLD):
        (order_no,) = await tell(desk, shop.url)
        told_at[order_no] = loop.time()
        await asyncio.sleep(EVERY_S)  # so news comes in
    async with asyncio.timeout(BOUND_S), shop.heard:
        await shop.heard.wait_for(lambda: told_at.keys() <= shop.heard_at.keys())
    return max(shop.heard_at[order_no] - at for order_no, at in told_at.items())


async def test_another_merchant_is_told_in_time_beside_300_silent_addresses(
    desk: Desk, neighbour: Desk
) -> None:
    async with Shop().running() as shop, Tarpit().running() as tarpit:
        await tell(neighbour, *tarpit.urls(SILENT))
        async with crew(desk):
            late_s = await latest_s(desk, shop)
            held = tarpit.held
            tarpit.over.set()  # for the crew waits for its calls at its end
    assert late_s <= LATE_S
    assert 0 < held <= 16 < HANDS


async def test_a_merchants_second_server_is_told_in_time_beside_its_silent_one(desk: Desk) -> None:
    async with Shop().running() as shop, Tarpit().running() as tarpit:
        await tell(desk, *[next(tarpit.urls(1))] * SILENT)
        async with crew(desk):
            late_s = await latest_s(desk, shop)
            held = tarpit.held
            tarpit.over.set()
    assert late_s <= LATE_S
    assert 0 < held <= 4
