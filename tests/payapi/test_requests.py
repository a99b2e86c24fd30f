"""Bodies: signed as they are sent, never unpacked before that, and never without an end."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook

from core.runtime import Runtime
from payapi.requests import BODY_LIMIT_BYTES
from tests.conftest import SUPPLIER_KEYS
from tests.payapi.client import NEW_ORDER, Caller
from tests.payapi.test_callbacks import attempt_of, signed, told

Desk = tuple[Runtime, str]
PLAIN = json.dumps(NEW_ORDER).encode()
BOMB = gzip.compress(b"a" * (20 * BODY_LIMIT_BYTES), mtime=0)


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(PLAIN, mtime=0)),
        ("GZip", gzip.compress(PLAIN, mtime=0)),
        ("deflate", zlib.compress(PLAIN)),
        ("br", b"\x0b\x02\x80{}\x03"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip, br", gzip.compress(PLAIN, mtime=0)),
        ("aws-chunked", PLAIN),
        ("gzip", PLAIN),
        ("gzip", BOMB),
        ("x" * 500, PLAIN),
    ],
)
async def test_a_packed_body_is_refused_with_what_to_do(
    caller: Caller, encoding: str, sent: bytes
) -> None:
    headers = caller.headers("POST", "/v1/orders", PLAIN.decode(), datetime.now(UTC))
    headers["Content-Encoding"] = encoding
    answer = await caller.send("POST", "/v1/orders", sent, headers)
    assert (answer.status, answer.code) == (415, "body_encoded")
    said = answer.json["error"]
    assert said["param"] == "Content-Encoding"
    assert encoding.lower()[:40] in said["message"]
    assert "Send it plain" in said["message"]
    found = await caller.call("GET", "/v1/orders?merchant_order_no=S-1")
    assert found.json["data"] == []


async def test_identity_is_no_packing(caller: Caller) -> None:
    headers = caller.headers("POST", "/v1/orders", PLAIN.decode(), datetime.now(UTC))
    headers["Content-Encoding"] = "identity"
    assert (await caller.send("POST", "/v1/orders", PLAIN, headers)).status == 201


async def test_what_is_signed_is_what_is_sent(caller: Caller) -> None:
    """Bytes that look packed are a body like any other: the signature is over them."""
    now = datetime.now(UTC)
    headers = caller.headers("POST", "/v1/orders", "", now)
    packed = gzip.compress(PLAIN, mtime=0).decode("latin-1")
    line = f"POST /v1/orders\n{packed}"
    headers["Paydesk-Signature"] = Webhook(caller.secret).sign(headers["Paydesk-Id"], now, line)
    answer = await caller.send("POST", "/v1/orders", packed.encode(), headers)
    assert (answer.status, answer.code) == (400, "body_invalid")  # believed, and no JSON


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("UTF-8", bytes),
        ("gzip", bytes),  # a proxy unpacked it, and left the header
    ],
)
async def test_a_supplier_may_pack_its_callback(
    caller: Caller,
    desk: Desk,
    http: aiohttp.ClientSession,
    encoding: str,
    pack: Callable[[bytes], bytes],
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    plain = urlencode(signed(told(attempt, "12.34"), SUPPLIER_KEYS["880001"])).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if encoding:
        headers["Content-Encoding"] = encoding
    address = f"{url}/callbacks/{attempt['attempt_no']}"
    async with http.post(address, data=pack(plain), headers=headers) as response:
        assert (response.status, await response.text()) == (200, "success")
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["status"] == "paid"


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(b"a=1", mtime=0)[:-4]),
        ("gzip", gzip.compress(b"a=1", mtime=0) + b"more"),
        ("gzip", b"a=1"),
        ("br", b"\x0b\x02\x80{}\x03"),
    ],
)
async def test_a_badly_packed_callback_is_refused_where_staff_see_it(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession, encoding: str, sent: bytes
) -> None:
    runtime, url = desk
    order = (await caller.create()).json
    attempt = await attempt_of(runtime, order["order_no"])
    address = f"{url}/callbacks/{attempt['attempt_no']}"
    async with http.post(address, data=sent, headers={"Content-Encoding": encoding}) as response:
        assert await response.text() != "success"
    assert await runtime.trade.callbacks.act_due(10) == 0
    [(_, _, count)] = await runtime.trade.refused_callbacks.counts()
    assert count == 1


async def test_a_callback_that_unpacks_without_end_is_refused(
    desk: Desk, http: aiohttp.ClientSession
) -> None:
    address = f"{desk[1]}/callbacks/A2J00010000000000000"
    async with http.post(address, data=BOMB, headers={"Content-Encoding": "gzip"}) as response:
        assert (response.status, await response.text()) == (413, "body_too_large")
