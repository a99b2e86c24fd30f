"""A create that the payer's own browser brings, without any call from the platform's server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from tests.sandbox.supplier.peer import MCH_ID, Platform, own_sign


def brought(platform: Platform, **changes: str) -> dict[str, str]:
    """The signed fields of an order that a payer is sent away with."""
    fields = {
        "mch_id": MCH_ID,
        "timestamp": str(int(time.time())),
        "nonce": "n1",
        "pay_type": "alipay_qr",
        "out_trade_no": "P1",
        "amount": "12.34",
        "subject": "绿茶 & Tea=1",
        "notify_url": platform.notify,
        "client_ip": "203.0.113.7",
        **changes,
    }
    return {**fields, "sign": changes.get("sign", own_sign(fields))}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_payer_brings_the_order(platform: Platform, method: str) -> None:
    fields = brought(platform)
    where: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    url = f"{platform.base}/gateway/page"
    assert (await platform.call("query", out_trade_no="P1"))["code"] == "1404"
    pay_url = ""
    for _ in range(2):  # the payer may come back with the same link
        async with platform.http.request(method, url, allow_redirects=False, **where) as answer:
            assert answer.status == 303
            pay_url = answer.headers["Location"]
    order = await platform.call("query", out_trade_no="P1")
    assert pay_url == f"{platform.base}/pay/{order['trade_no']}"
    async with platform.http.request(method, url, **where) as answer:
        assert 'data-testid="pay"' in await answer.text()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sign": "0" * 32}, "1001"),
        ({"amount": "1"}, "1002"),
        ({"pay_type": "wechat_qr"}, "1004"),
        ({"mch_id": "<b>"}, "1001"),
        ({"timestamp": "1"}, "1002"),
    ],
)
async def test_a_payer_is_told_what_is_refused(
    platform: Platform, changes: dict[str, str], word: str
) -> None:
    url = f"{platform.base}/gateway/page"
    async with platform.http.get(url, params=brought(platform, **changes)) as answer:
        html = await answer.text()
        assert answer.status == 400
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert 'data-testid="refused"' in html
    assert word in html
    assert (await platform.call("query", out_trade_no="P1"))["code"] == "1404"


async def test_a_payer_may_take_as_long_as_an_order_lives(platform: Platform) -> None:
    url = f"{platform.base}/gateway/page"
    for age_s, status in ((1_700, 303), (1_900, 400)):
        fields = brought(platform, timestamp=str(int(time.time()) - age_s))
        async with platform.http.get(url, params=fields, allow_redirects=False) as answer:
            assert answer.status == status


async def test_faults_of_a_create_meet_a_payer_as_well(platform: Platform) -> None:
    url = f"{platform.base}/gateway/page"
    for kind, status in (("500", 500), ("garbage", 200), ("refuse", 400)):
        await platform.fault(operation="create", kind=kind)
        async with platform.http.get(url, params=brought(platform)) as answer:
            assert answer.status == status
    assert (await platform.call("query", out_trade_no="P1"))["code"] == "1404"


@asynccontextmanager
async def cashier(html: str) -> AsyncIterator[str]:
    async def show(request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.router.add_get("/pay/here", show)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/pay/here"
    finally:
        await runner.cleanup()


async def test_the_control_pays_what_a_link_or_a_form_leads_to(platform: Platform) -> None:
    url = f"{platform.base}/gateway/page"
    link = f"{url}?{urlencode(brought(platform, out_trade_no='P1'))}"
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in brought(platform, out_trade_no="P2").items()
    )
    form = f'<form method="post" action="{url}">{inputs}<button>Go</button></form>'
    for number, html in (("P1", f'<a href="{escape(link)}">Pay</a>'), ("P2", form)):
        async with cashier(html) as address:
            status, answer = await platform.ask("pay", {"url": address})
        assert status == 200, answer
        assert (await platform.call("query", out_trade_no=number))["status"] == "SUCCESS"
    status, answer = await platform.ask("pay", {"url": link.replace("P1", "P3")})
    assert status == 422
