"""Keys, signatures, clocks and addresses."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from core.runtime import Runtime
from payapi.auth import sign, text_to_sign
from tests.payapi.client import Caller

Desk = tuple[Runtime, str]
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def shanghai() -> Iterator[None]:
    """A process whose clock is set to Shanghai."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


async def test_a_signature_of_the_standard_package_is_taken(caller: Caller) -> None:
    assert (await caller.call("GET", "/v1/balance")).status == 200


@pytest.mark.usefixtures("shanghai")
async def test_a_machine_in_shanghai_signs_the_same(caller: Caller) -> None:
    assert datetime.now().astimezone().utcoffset() == timedelta(hours=8)
    assert (await caller.call("GET", "/v1/balance", at=datetime.now(UTC))).status == 200


async def test_every_header_is_needed_and_named(caller: Caller) -> None:
    for name in ("Paydesk-Key", "Paydesk-Id", "Paydesk-Timestamp", "Paydesk-Signature"):
        answer = await caller.call("GET", "/v1/balance", changes={name: None})
        assert (answer.status, answer.code) == (401, "key_missing")
        assert answer.json["error"]["param"] == name
        assert answer.json["error"]["message"] == f"The header {name} is missing."


async def test_an_unknown_key(caller: Caller) -> None:
    for key in ("pdk_live_0", "pdk_live_é", "x" * 200):
        answer = await caller.call("GET", "/v1/balance", changes={"Paydesk-Key": key})
        assert (answer.status, answer.code) == (401, "key_unknown")


async def test_clocks_may_differ_by_five_minutes(caller: Caller) -> None:
    now = datetime.now(UTC)
    for seconds in (-290, 290):
        at = now + timedelta(seconds=seconds)
        assert (await caller.call("GET", "/v1/balance", at=at)).status == 200
    for seconds in (-310, 310):
        at = now + timedelta(seconds=seconds)
        answer = await caller.call("GET", "/v1/balance", at=at)
        assert (answer.status, answer.code) == (401, "timestamp_out_of_range")
    for text in ("now", "1.5", "-1", "9" * 13):
        answer = await caller.call("GET", "/v1/balance", changes={"Paydesk-Timestamp": text})
        assert (answer.status, answer.code) == (400, "field_invalid")


async def test_a_wrong_signature_changes_nothing_and_explains(caller: Caller) -> None:
    body = '{"merchant_order_no":"S-9"}'
    headers = caller.headers("POST", "/v1/orders?a=%41", body, datetime.now(UTC))
    headers["Paydesk-Signature"] = "v1,AAAA"
    answer = await caller.send("POST", "/v1/orders?a=%41", body.encode(), headers)
    assert (answer.status, answer.code) == (401, "signature_invalid")
    expected = answer.json["error"]["expected_to_sign"]
    call_id, timestamp = headers["Paydesk-Id"], headers["Paydesk-Timestamp"]
    assert expected == f"{call_id}.{timestamp}.POST /v1/orders?a=%41\n{body}"
    found = await caller.call("GET", "/v1/orders?merchant_order_no=S-9")
    assert found.json["data"] == []


async def test_another_apps_secret_does_not_sign(caller: Caller, stranger: Caller) -> None:
    crossed = Caller(caller.http, caller.url, caller.key, stranger.secret)
    assert (await crossed.create()).code == "signature_invalid"


async def test_one_right_signature_among_several_is_enough(caller: Caller) -> None:
    headers = caller.headers("GET", "/v1/balance", "", datetime.now(UTC))
    right = headers["Paydesk-Signature"]
    headers["Paydesk-Signature"] = f"v1,AAAA {right}"
    assert (await caller.send("GET", "/v1/balance", b"", headers)).status == 200
    headers["Paydesk-Signature"] = " ".join(["v1,AAAA"] * 10 + [right])
    assert (await caller.send("GET", "/v1/balance", b"", headers)).status == 401


async def test_an_address_that_is_not_on_the_list(caller: Caller, desk: Desk) -> None:
    runtime, _ = desk
    change = "UPDATE app SET ip_allow = $2 WHERE key_id = $1"
    await runtime.system.store.execute(change, caller.key, ["203.0.113.0/24"])
    answer = await caller.call("GET", "/v1/balance")
    assert (answer.status, answer.code) == (403, "address_not_allowed")
    headers = caller.headers("GET", "/v1/balance", "", datetime.now(UTC))
    forged = {**headers, "X-Forwarded-For": "203.0.113.7"}
    assert (await caller.send("GET", "/v1/balance", b"", forged)).code == "address_not_allowed"
    await runtime.system.store.execute(change, caller.key, ["127.0.0.0/8"])
    assert (await caller.call("GET", "/v1/balance")).status == 200


async def test_a_suspended_merchant(caller: Caller, desk: Desk) -> None:
    runtime, _ = desk
    await runtime.system.store.execute("UPDATE merchant SET state = 'suspended'")
    answer = await caller.call("GET", "/v1/balance")
    assert (answer.status, answer.code) == (403, "merchant_suspended")


async def test_messages_in_chinese(caller: Caller) -> None:
    headers = {**caller.headers("GET", "/v1/x", "", datetime.now(UTC)), "Accept-Language": "zh-CN"}
    answer = await caller.send("GET", "/v1/x", b"", headers)
    assert answer.headers["Content-Language"] == "zh"
    assert answer.json["error"]["message"] == "这里没有内容，请检查地址。"


async def test_what_has_to_be_signed_can_be_asked(
    caller: Caller, http: aiohttp.ClientSession
) -> None:
    described = {
        "id": "req-1", "timestamp": 1795222800, "method": "POST", "target": "/v1/orders?x=%E8",
        "body": '{"subject":"茶"}',
    }  # fmt: skip
    url = f"{caller.url}/v1/signature-check"
    async with http.post(url, json=described, headers={"Paydesk-Key": caller.key}) as response:
        assert response.status == 200
        found = await response.json()
    text = 'req-1.1795222800.POST /v1/orders?x=%E8\n{"subject":"茶"}'
    assert found == {
        "expected_to_sign": text, "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    async with http.post(url, json=described) as response:
        assert (await response.json())["error"]["code"] == "key_missing"
    async with http.post(
        url, json={**described, "secret": "x"}, headers={"Paydesk-Key": caller.key}
    ) as response:
        assert (await response.json())["error"]["code"] == "field_unknown"


@given(
    call_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    method=st.sampled_from(["GET", "POST"]),
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    body=st.binary(max_size=60),
    place=st.integers(min_value=0),
    change=st.integers(min_value=1, max_value=255),
)
def test_any_changed_byte_breaks_the_signature(
    call_id: str, method: str, target: str, body: bytes, place: int, change: int
) -> None:
    signed = bytearray(text_to_sign(call_id, "1795222800", method, f"/{target}").encode() + body)
    right = sign(SECRET, bytes(signed))
    signed[place % len(signed)] ^= change
    assert sign(SECRET, bytes(signed)) != right


@given(
    body=st.text(st.characters(codec="utf-8"), max_size=60),
    target=st.text(st.characters(codec="ascii"), max_size=40),
)
def test_our_signature_is_the_standard_one(body: str, target: str) -> None:
    at = datetime.fromtimestamp(1795222800, UTC)
    text = text_to_sign("req-1", "1795222800", "POST", target)
    standard = Webhook(SECRET).sign("req-1", at, f"POST {target}\n{body}")
    assert sign(SECRET, (text + body).encode()) == standard


async def test_a_changed_part_is_refused_over_http(caller: Caller) -> None:
    """The parts as they travel: each changed on its own after signing."""
    body = '{"merchant_order_no":"S-1"}'
    headers = caller.headers("POST", "/v1/orders?a=1", body, datetime.now(UTC))
    later = str(int(headers["Paydesk-Timestamp"]) + 1)
    for method, target, sent, changed in (
        ("GET", "/v1/orders?a=1", body, {}),
        ("POST", "/v1/orders/?a=1", body, {}),
        ("POST", "/v1/orders?a=2", body, {}),
        ("POST", "/v1/orders?a=%31", body, {}),
        ("POST", "/v1/orders", body, {}),
        ("POST", "/v1/orders?a=1", body + " ", {}),
        ("POST", "/v1/orders?a=1", "", {}),
        ("POST", "/v1/orders?a=1", body, {"Paydesk-Id": f"req-{uuid4().hex}"}),
        ("POST", "/v1/orders?a=1", body, {"Paydesk-Timestamp": later}),
    ):
        answer = await caller.send(method, target, sent.encode(), {**headers, **changed})
        assert answer.code in ("signature_invalid", "page_not_found"), (method, target)
