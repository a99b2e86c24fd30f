from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from sandbox.supplier.app import start
from tests.sandbox.supplier.peer import Platform, Receiver, config

BUTTONS = {
    "pay": "paid",
    "less": "less",
    "more": "more",
    "twice": "twice",
    "fail": "fail",
    "delay": "delay",
    "lose_callback": "lose_callback",
}


async def page(platform: Platform, url: str, language: str = "zh-CN,zh;q=0.9") -> str:
    async with platform.http.get(url, headers={"Accept-Language": language}) as response:
        assert response.status == 200
        return await response.text()


async def test_page_shows_the_order_and_every_button(platform: Platform) -> None:
    order = await platform.create(subject="<b>茶</b>")
    html = await page(platform, order["pay_url"])
    for shown in ("不会产生真实扣款", "¥12.34", "海棠科技有限公司", "样例支付"):
        assert shown in html
    assert "&lt;b&gt;茶&lt;/b&gt;" in html
    for testid, outcome in BUTTONS.items():
        assert re.search(rf'value="{outcome}" data-testid="{testid}"', html)


@pytest.mark.parametrize(
    ("merchant_name", "payee"),
    [("云杉 & Co.", "云杉 &amp; Co."), ("", "海棠科技有限公司"), (None, "海棠科技有限公司")],
)
async def test_the_payer_sees_the_merchant_and_the_institution(
    platform: Platform, merchant_name: str | None, payee: str
) -> None:
    order = await platform.create(merchant_name=merchant_name)
    waiting = await page(platform, order["pay_url"])
    await platform.pay(order, "paid")
    for html in (waiting, await page(platform, order["pay_url"])):
        assert re.findall(r'data-testid="payee">([^<]*)<', html) == [payee]
        assert re.findall(r'data-testid="institution">([^<]*)<', html) == ["样例支付 Sample Pay"]


@pytest.mark.parametrize(
    ("query", "accepted", "words"),
    [
        ("", "en-GB,en;q=0.9", "no real money moves"),
        ("", "zh-TW", "不会产生真实扣款"),
        ("", "fr-FR", "no real money moves"),
        ("", "", "不会产生真实扣款"),
        ("?lang=en", "zh-CN", "no real money moves"),
        ("?lang=xx", "zh-CN", "不会产生真实扣款"),
    ],
)
async def test_languages(platform: Platform, query: str, accepted: str, words: str) -> None:
    order = await platform.create()
    assert words in await page(platform, order["pay_url"] + query, accepted)


@pytest.mark.parametrize("outcome", BUTTONS.values())
async def test_every_button_leads_to_a_result(platform: Platform, outcome: str) -> None:
    order = await platform.create(return_url="https://shop.example/back?a=1&b=2")
    url = order["pay_url"] + "?lang=en"
    async with platform.http.post(url, data={"outcome": outcome}) as response:
        assert response.status == 200
        assert [str(step.url) for step in response.history] == [url]
        html = await response.text()
    assert 'data-testid="result"' in html
    assert f'data-outcome="{outcome}"' in html
    assert 'href="https://shop.example/back?a=1&amp;b=2"' in html
    assert "no real money moves" in html
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert f'data-status="{state["status"]}"' in html


async def test_paying_calls_back(platform: Platform, receiver: Receiver) -> None:
    order = await platform.create()
    async with platform.http.post(order["pay_url"], data={"outcome": "paid"}) as response:
        assert response.status == 200
    await receiver.heard(1)
    async with platform.http.post(order["pay_url"], data={"outcome": "paid"}) as response:
        assert response.status == 409
        assert 'data-testid="result"' in await response.text()
    assert len(await platform.settled(order)) == 1


async def test_closed_orders_and_unknown_links(platform: Platform) -> None:
    order = await platform.create()
    await platform.call("close", out_trade_no=order["out_trade_no"])
    assert 'data-outcome="closed"' in await page(platform, order["pay_url"])
    async with platform.http.get(f"{platform.base}/pay/nothing") as response:
        assert response.status == 404
        assert "没有这笔订单" in await response.text()
    async with platform.http.post(order["pay_url"], data={"outcome": "steal"}) as response:
        assert response.status == 400


async def test_pages_are_strict_and_self_contained(platform: Platform) -> None:
    order = await platform.create()
    async with platform.http.get(order["pay_url"]) as response:
        policy = response.headers["Content-Security-Policy"]
        html = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in html
    assert "style=" not in html
    assert not re.findall(r'(?:src|href)="https?://', html)
    for path in re.findall(r'"(/static/[^"]+)"', html):
        async with platform.http.get(platform.base + path) as response:
            assert response.status == 200


async def test_the_first_page_lists_payments_with_their_pages(
    tmp_path: Path, receiver: Receiver
) -> None:
    pages = {"desk": "http://127.0.0.1:1/", "shop": "http://127.0.0.1:3/token/"}
    async with start(config(tmp_path, pages=pages)) as ready, aiohttp.ClientSession() as http:
        platform = Platform(http, ready, receiver.url)
        assert "还没有付款" in await page(platform, ready["base"])
        first = await platform.create(out_trade_no="A1", subject="<b>茶</b>")
        await platform.pay(first, "paid")
        second = await platform.create(out_trade_no="A2")
        html = await page(platform, ready["base"], "en")
        listed = re.findall(r'href="/pay/([^"?]*)\?lang=en" data-testid="payment"', html)
        assert listed == [second["trade_no"], first["trade_no"]]
        assert "&lt;b&gt;茶&lt;/b&gt;" in html
        assert re.findall(r"<small>(paid|to be paid)</small>", html) == ["to be paid", "paid"]
        for shown in (html, await page(platform, first["pay_url"])):
            links = dict(re.findall(r'href="([^"]*)" data-testid="page-([a-z]+)"', shown))
            assert links == {url: name for name, url in pages.items()}
        # By another name of this machine nothing is listed, and no address with a token is told.
        elsewhere = {"Host": "evil.example"}
        async with http.get(ready["base"], headers=elsewhere) as response:
            assert response.status == 404
            assert "token" not in await response.text()
        async with http.get(first["pay_url"], headers=elsewhere) as response:
            assert response.status == 200
            assert "token" not in await response.text()
