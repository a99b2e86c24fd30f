from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.process import ConfigError
from sandbox.shop.app import start
from tests.sandbox.shop.peer import SECRET, TOKEN, Desk, config, notify

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk().running() as running:
        yield running


@pytest.fixture
async def shop(tmp_path: Path, desk: Desk) -> AsyncIterator[dict[str, Any]]:
    """The ready line of a running shop."""
    async with start(config(tmp_path, desk.base)) as ready:
        yield ready


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Accept-Language": "en"}) as session:
        yield session


async def create(http: aiohttp.ClientSession, page: str, **changes: str) -> tuple[int, str]:
    form = {"merchant": "M1001", "product": "wechat_qr", "amount": "12.5", "subject": "绿茶"}
    async with http.post(f"{page}orders", data={**form, **changes}) as response:
        return response.status, await response.text()


async def test_creates_a_signed_order(
    http: aiohttp.ClientSession, desk: Desk, shop: dict[str, Any]
) -> None:
    status, html = await create(http, shop["page"])
    assert status == 200
    [order] = desk.orders
    assert desk.refused == 0
    assert (order["amount"], order["currency"], order["product"]) == (1250, "CNY", "wechat_qr")
    assert order["notify_url"] == shop["notify"]["M1001"]
    assert order["client_ip"] == "127.0.0.1"
    assert 'data-testid="shop-order"' in html
    assert re.search(rf'href="{desk.base}/pay/token"[^>]*data-testid="shop-cashier"', html)
    for shown in ("Paydesk-Signature: v1,", ".POST /v1/orders\n", "whsec_MfKQ•", "HTTP 201"):
        assert shown in html
    assert SECRET not in html
    assert 'data-state="accepted"' in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "0"}, "amount must"),
        ({"amount": "-1"}, "amount must"),
        ({"amount": "1.234"}, "amount must"),
        ({"amount": "1e3"}, "amount must"),
        ({"subject": " "}, "what is sold"),
    ],
)
async def test_bad_forms_make_no_call(
    http: aiohttp.ClientSession,
    desk: Desk,
    shop: dict[str, Any],
    changes: dict[str, str],
    words: str,
) -> None:
    status, html = await create(http, shop["page"], **changes)
    assert status == 400
    assert words in html
    assert desk.orders == []


async def test_refusals_of_the_desk_are_shown(
    http: aiohttp.ClientSession, shop: dict[str, Any]
) -> None:
    _, html = await create(http, shop["page"], subject="refuse me")
    assert "HTTP 422" in html
    assert "no_channel" in html
    assert 'data-state="refused"' in html
    assert "shop-cashier" not in html


async def test_an_absent_desk_is_shown(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with start(config(tmp_path, "http://127.0.0.1:1")) as ready:
        _, html = await create(http, ready["page"])
    assert "Nobody answered" in html
    assert "ClientConnectorError" in html


async def test_notifications_are_verified_and_shown(
    http: aiohttp.ClientSession, desk: Desk, shop: dict[str, Any]
) -> None:
    await create(http, shop["page"])
    number = desk.orders[0]["merchant_order_no"]
    url = shop["notify"]["M1001"]
    back = desk.orders[0]["return_url"]
    assert await notify(http, url, number, secret=SECRET) == 400
    async with http.get(back) as response:
        assert 'data-paid="no"' in await response.text()
    assert await notify(http, url, number) == 204
    assert await notify(http, url, number) == 204
    async with http.get(f"{shop['page']}timeline", params={"order": number}) as response:
        html = await response.text()
    assert re.findall(r'data-verified="(\w+)"', html) == ["yes", "yes", "no"]
    assert html.count("delivered again") == 1
    assert 'data-state="paid"' in html
    assert f"msg_{number}" in html
    async with http.get(back) as response:
        assert 'data-paid="yes"' in await response.text()


async def test_forgeries_of_any_shape_are_refused(
    http: aiohttp.ClientSession, shop: dict[str, Any]
) -> None:
    url = shop["notify"]["M1002"]
    for body in (b"", b"[]", b"\xff", b'{"type": "\\ud800", "data": 1}'):
        async with http.post(url, data=body, headers={"webhook-id": "x"}) as response:
            assert response.status == 400
    async with http.post(url.replace("M1002", "M9"), data=b"{}") as response:
        assert response.status == 404
    async with http.get(shop["page"]) as response:
        html = await response.text()
    assert html.count('data-verified="no"') == 4


async def test_page_exists_only_behind_its_token(
    http: aiohttp.ClientSession, shop: dict[str, Any]
) -> None:
    base = shop["page"].removesuffix(f"/{TOKEN}/")
    for path in ("/", "/wrong-token-0123456789/", "/timeline", "/orders"):
        async with http.get(base + path) as response:
            assert response.status == 404
    async with http.get(shop["page"], headers={"Host": "evil.example"}) as response:
        assert response.status == 404
    async with http.get(f"{base}/return/M1001/NONE") as response:
        assert response.status == 404
        assert TOKEN not in await response.text()


async def test_page_is_strict_and_self_contained(
    http: aiohttp.ClientSession, shop: dict[str, Any]
) -> None:
    async with http.get(shop["page"]) as response:
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"
        html = await response.text()
    assert "style=" not in html
    assert not re.findall(r'(?:src|href)="https?://', html)
    base = shop["page"].removesuffix(f"/{TOKEN}/")
    for path in re.findall(r'"(/static/[^"]+)"', html):
        async with http.get(base + path) as response:
            assert response.status == 200


async def test_both_languages(http: aiohttp.ClientSession, shop: dict[str, Any]) -> None:
    async with http.get(shop["page"]) as response:
        assert "Create the order" in await response.text()
    async with http.get(shop["page"], params={"lang": "zh"}) as response:
        assert "创建订单" in await response.text()


async def test_remembers_over_kill_9(
    tmp_path: Path, http: aiohttp.ClientSession, desk: Desk
) -> None:
    settings = config(tmp_path, desk.base)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.shop", cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    await process.stdin.drain()
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
    await create(http, ready["page"])
    number = desk.orders[0]["merchant_order_no"]
    assert await notify(http, ready["notify"]["M1001"], number) == 204
    process.kill()
    await process.wait()
    async with start(settings) as again, http.get(again["page"]) as response:
        html = await response.text()
    assert number in html
    assert 'data-state="paid"' in html


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"merchants": []}, "merchants"),
        ({"merchants": [{"merchant_no": "M1"}]}, "name"),
        ({"page_token": "short"}, "page_token"),
        ({"api_base": ""}, "api_base"),
        ({"api_base": "ftp://127.0.0.1"}, "api_base"),
        ({"host": "192.0.2.1"}, "host"),
    ],
)
async def test_bad_configuration_is_named(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    with pytest.raises(ConfigError, match=word):
        async with start(config(tmp_path, "http://127.0.0.1:1", **changes)):
            pass


PAGES = {
    "desk": "http://127.0.0.1:1/", "chat": "http://127.0.0.1:2/t/",
    "shop": "http://127.0.0.1:3/t/", "supplier": "http://127.0.0.1:4/",
}  # fmt: skip


async def test_the_desks_number_of_an_order_stands_plainly(
    http: aiohttp.ClientSession, shop: dict[str, Any]
) -> None:
    _, html = await create(http, shop["page"])
    answer = re.search(r"&#34;order_no&#34;: &#34;([^&]*)&#34;", html)
    assert answer is not None
    assert f'data-testid="shop-order-no">{answer[1]}</code>' in html
    assert re.search(
        r'<button type="button" data-copies="order-no"[^>]* hidden>Copy</button>', html
    )
    await create(http, shop["page"])
    async with http.get(shop["page"]) as response:
        assert f"<code>{answer[1]}</code>" in await response.text()


async def test_a_refused_order_has_no_number(
    http: aiohttp.ClientSession, desk: Desk, tmp_path: Path
) -> None:
    async with start(config(tmp_path, f"{desk.base}/nowhere")) as ready:
        _, html = await create(http, ready["page"])
    assert 'data-state="refused"' in html
    assert "shop-order-no" not in html


async def test_pages_lead_to_the_neighbours_and_back_to_the_shop(
    http: aiohttp.ClientSession, desk: Desk, tmp_path: Path
) -> None:
    async with start(config(tmp_path, desk.base, pages=PAGES)) as ready:
        _, html = await create(http, ready["page"])
        number = desk.orders[0]["merchant_order_no"]
        async with http.get(desk.orders[0]["return_url"]) as response:
            back = await response.text()
        for text in (html, back):
            links = dict(re.findall(r'href="([^"]*)" data-testid="page-([a-z]+)"', text))
            wanted = {url: name for name, url in PAGES.items() if name != "shop"}
            assert links == wanted
        assert f'href="/{TOKEN}/?order={number}" data-testid="shop-home"' in back
