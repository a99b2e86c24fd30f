"""Suppliers' callbacks over HTTP: believed, disbelieved, and what becomes of the balance."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from core.runtime import Runtime
from tests.conftest import SUPPLIER_KEYS
from tests.payapi.client import Caller

Desk = tuple[Runtime, str]


def signed(fields: dict[str, str], key: str) -> dict[str, str]:
    """The sandbox's MD5 dialect, written from docs/sandbox.md."""
    text = "".join(f"{name}={fields[name]}&" for name in sorted(fields) if fields[name])
    digest = hashlib.md5(f"{text}key={key}".encode(), usedforsecurity=False).hexdigest()
    return {**fields, "sign": digest.upper()}


async def attempt_of(runtime: Runtime, order_no: str) -> dict[str, Any]:
    row = await runtime.system.store.fetchrow(
        "SELECT a.attempt_no, a.upstream_no FROM attempt a JOIN orders o"
        " ON o.merchant_id = a.merchant_id AND o.id = a.order_id WHERE o.order_no = $1", order_no,
    )  # fmt: skip
    assert row is not None
    return dict(row)


def told(attempt: dict[str, Any], paid: str) -> dict[str, str]:
    return {
        "mch_id": "880001", "out_trade_no": attempt["attempt_no"], "status": "SUCCESS",
        "trade_no": attempt["upstream_no"], "amount": "12.34", "paid_amount": paid,
        "paid_at": "1795222860", "nonce": "9be0c2",
    }  # fmt: skip


async def test_a_signed_callback_pays_and_a_repeated_one_changes_nothing(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = signed(told(attempt, "12.34"), SUPPLIER_KEYS["880001"])
    for _ in range(2):
        async with http.post(f"{url}/callbacks/{attempt['attempt_no']}", data=form) as response:
            assert (response.status, await response.text()) == (200, "success")
        assert await runtime.trade.callbacks.act_due(10) == 0
        assert (await caller.call("GET", "/v1/balance")).json["payable"] == 1219
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "paid"


async def test_a_forged_callback_changes_nothing(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = signed(told(attempt, "12.34"), "another-key")
    async with http.post(f"{url}/callbacks/{attempt['attempt_no']}", data=form) as response:
        assert await response.text() != "success"
    assert await runtime.trade.callbacks.act_due(10) == 0
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "pending"
    assert (await caller.call("GET", "/v1/balance")).json["position"] == 0


async def post_raw(url: str, target: bytes, headers: bytes, body: bytes) -> bytes:
    """What is answered to bytes that no well-behaved client would send."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"POST " + target + b" HTTP/1.1\r\nhOsT: desk\r\nConnection: close\r\n" + headers)
    writer.write(b"cOnTeNt-LeNgTh: %d\r\n\r\n" % len(body) + body)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("query", "headers", "before", "behind"),
    [
        (b"", b"X-Odd: \xff\xfe\r\nx-oDd: \xed\xa0\x80\r\n", b"", b""),
        (b"?a=%B0%A1&a=2", b"", b"\xef\xbb\xbf", b"\r\n"),
        (b"?a=1&a=%00", b"CONTENT-TYPE: text/plain; charset=zz\r\n", b"", b"\n"),
        (b"?a=%ED%A0%80", b"User-Agent: \x80\r\n", b"\r\n", b"\r\n\r\n"),
    ],
)
async def test_a_genuine_callback_pays_whatever_came_with_it(
    caller: Caller, desk: Desk, query: bytes, headers: bytes, before: bytes, behind: bytes
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = urlencode(signed(told(attempt, "12.34"), SUPPLIER_KEYS["880001"])).encode()
    target = f"/callbacks/{attempt['attempt_no']}".encode() + query
    answer = await post_raw(url, target, headers, before + form + behind)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert answer.endswith(b"success")
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "paid"


async def test_another_amount_does_not_pay_the_order(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = signed(told(attempt, "11.34"), SUPPLIER_KEYS["880001"])
    async with http.post(f"{url}/callbacks/{attempt['attempt_no']}", data=form) as response:
        assert await response.text() == "success"
    assert await runtime.trade.callbacks.act_due(10) == 1
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "pending"
    assert (await caller.call("GET", "/v1/balance")).json["position"] == 0


async def test_what_is_not_ours_is_answered_in_plain_words(
    desk: Desk, http: aiohttp.ClientSession
) -> None:
    _, url = desk
    for method, path, status, text in (
        ("POST", "/callbacks/A2J00010000000000000", 404, "callback_unknown"),
        ("GET", "/callbacks/nothing", 404, "callback_unknown"),
        ("GET", "/callbacks/", 404, "callback_unknown"),
        ("PUT", "/callbacks/nothing", 405, "method_not_allowed"),
    ):
        async with http.request(method, url + path) as response:
            assert response.status == status
            if path != "/callbacks/":
                assert await response.text() == text
            assert response.headers["Paydesk-Request-Id"]
    async with http.post(f"{url}/callbacks/x", data=b"x" * 70_000) as response:
        assert response.status == 413
