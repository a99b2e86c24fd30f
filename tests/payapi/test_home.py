"""The first page, and the answer of every path where nothing is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from core.runtime import Runtime
from payapi import Keys, Neighbours, add_payapi

Desk = tuple[Runtime, str]
KEYS = Keys("M1001", "<云杉>", "pdk_live_1", "whsec_cmVxdWVzdA==", "whsec_bm90aWZ5", ("alipay_qr",))
AROUND = Neighbours(
    chat="http://127.0.0.1:1/chat-token/",
    shop="http://127.0.0.1:2/shop-token/",
    supplier="http://127.0.0.1:3/",
    cashier="http://127.0.0.1:4/pay/P1",
    ready="http://127.0.0.1:5/readyz",
    metrics="http://127.0.0.1:5/metrics",
    keys=(KEYS,),
)
LOST = ("//v1/orders", "/v2", "/v1x", "/orders", "/api/v1/orders", "/%2e%2e/x", "/favicon.ico")


@pytest.fixture
async def demo(desk: Desk) -> AsyncIterator[URL]:
    """The first page of the same desk with neighbours."""
    app = web.Application()
    add_payapi(app, desk[0], trusted_proxies=(), neighbours=AROUND)
    server = TestServer(app)
    await server.start_server()
    yield server.make_url("/")
    await server.close()


async def test_a_desk_says_what_it_is(desk: Desk, http: aiohttp.ClientSession) -> None:
    for lang, words in (("en", "Payment desk"), ("zh", "支付台")):
        async with http.get(f"{desk[1]}/", headers={"Accept-Language": lang}) as response:
            text = await response.text()
            assert response.status == 200
            assert response.headers["Content-Language"] == lang
            assert response.headers["Paydesk-Request-Id"]
            policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert words in text
        for address in ("/docs/api", "/v1/openapi.json", "/healthz"):
            assert f'href="{address}"' in text
        assert not re.search(r"<script|\sstyle=|\son[a-z]+=", text)
        assert "whsec_" not in text


async def test_a_demo_leads_to_its_neighbours(demo: URL, http: aiohttp.ClientSession) -> None:
    async with http.get(demo) as response:
        text = await response.text()
    for address in (AROUND.chat, AROUND.shop, AROUND.supplier, AROUND.cashier, AROUND.ready):
        assert f'href="{address}"' in text
    assert "&lt;云杉&gt;" in text
    for fact in (KEYS.key_id, KEYS.secret, KEYS.notify_secret, "alipay_qr"):
        assert f"<code>{fact}</code>" in text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::", "", "a:b:c"])
async def test_another_name_of_this_machine_is_told_nothing(
    demo: URL, http: aiohttp.ClientSession, host: str
) -> None:
    async with http.get(demo, headers={"Host": host}) as response:
        text = await response.text()
    assert response.status == 200
    assert not re.search("token|whsec_|pdk_", text)


async def test_where_nothing_is_programs_get_the_envelope(
    desk: Desk, http: aiohttp.ClientSession
) -> None:
    for path in LOST:
        for method in ("GET", "POST", "DELETE"):
            async with http.request(method, URL(desk[1] + path, encoded=True)) as response:
                error = (await response.json())["error"]
            assert (response.status, error["code"]) == (404, "page_not_found"), path
            assert error["request_id"] == response.headers["Paydesk-Request-Id"]
            assert error["doc_url"] == f"{desk[1]}/docs/api#error-page_not_found"
    async with http.post(f"{desk[1]}/") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (
            405, "method_not_allowed",
        )  # fmt: skip
        assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD"}


async def test_where_nothing_is_people_get_a_page(desk: Desk, http: aiohttp.ClientSession) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}
    async with http.get(f"{desk[1]}/docs", headers=headers) as response:
        assert response.status == 404
        assert response.content_type == "text/html"
        assert "Nothing is here" in await response.text()


@pytest.mark.parametrize("query", ["lang=xx", "lang=%00", "lang=en&lang=zh", "x=" + "y" * 4000])
async def test_an_odd_query_changes_nothing(
    desk: Desk, http: aiohttp.ClientSession, query: str
) -> None:
    async with http.get(URL(f"{desk[1]}/?{query}", encoded=True)) as response:
        assert response.status == 200
        assert response.headers["Content-Language"] in ("en", "zh")
        assert "y" * 100 not in await response.text()
