"""The bench in small: all its news is delivered, and both figures are taken."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.news import bare_s, put_in, told_s
from core.parties.merchants import App, Merchant
from core.runtime import Runtime

NEWS = 60


async def test_all_its_news_is_delivered_once(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    merchant, app = shop
    heard: list[str] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(request.headers["webhook-id"])
        return web.Response(status=204)

    served = web.Application()
    served.router.add_post("/news", take)
    async with TestServer(served) as server:
        urls = [str(server.make_url("/news"))] * NEWS
        await put_in(runtime, merchant, app, urls)
        assert await told_s(runtime, merchant) > 0
        assert len(heard) == len(set(heard)) == NEWS
        assert await bare_s(app, urls) > 0
    assert heard[NEWS:] == ["msg_bench"] * NEWS
    states = await runtime.system.store.fetch("SELECT DISTINCT state FROM notification")
    assert [row["state"] for row in states] == ["delivered"]
