"""Suppliers' callbacks over HTTP: believed, disbelieved, and what becomes of the balance."""

from __future__ import annotations

import hashlib
from typing import Any

import aiohttp

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
    row = await runtime.store.fetchrow(
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
    for acted in (1, 0):
        async with http.post(f"{url}/callbacks/{attempt['attempt_no']}", data=form) as response:
            assert (response.status, await response.text()) == (200, "success")
        assert await runtime.callbacks.act_due(10) == acted
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
    assert await runtime.callbacks.act_due(10) == 0
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "pending"
    assert (await caller.call("GET", "/v1/balance")).json["position"] == 0


async def test_another_amount_does_not_pay_the_order(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = signed(told(attempt, "11.34"), SUPPLIER_KEYS["880001"])
    async with http.post(f"{url}/callbacks/{attempt['attempt_no']}", data=form) as response:
        assert await response.text() == "success"
    assert await runtime.callbacks.act_due(10) == 1
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
