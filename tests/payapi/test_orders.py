"""Orders over HTTP: created, repeated, found, closed, and everything that is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from core.parties.merchants import CALLS_PER_S
from core.runtime import Runtime
from payapi.auth import sign, text_to_sign
from tests.conftest import NOWHERE
from tests.demo import eventually
from tests.payapi.client import NEW_ORDER, Answer, Caller

Desk = tuple[Runtime, str]

WRONG_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "red"}, "field_unknown", "colour"),
    ({"amount": -1}, "field_invalid", "amount"),
    ({"amount": 0}, "field_invalid", "amount"),
    ({"amount": 12.0}, "field_invalid", "amount"),
    ({"amount": "1234"}, "field_invalid", "amount"),
    ({"amount": True}, "field_invalid", "amount"),
    ({"amount": None}, "field_invalid", "amount"),
    ({"amount": 10**15 + 1}, "field_invalid", "amount"),
    ({"amount": 10**40}, "field_invalid", "amount"),
    ({"currency": "cny"}, "field_invalid", "currency"),
    ({"currency": "XXX"}, "currency_unknown", "currency"),
    ({"product": "gold"}, "product_unknown", "product"),
    ({"merchant_order_no": "a b"}, "field_invalid", "merchant_order_no"),
    ({"merchant_order_no": "a\n"}, "field_invalid", "merchant_order_no"),
    ({"merchant_order_no": "x" * 65}, "field_invalid", "merchant_order_no"),
    ({"subject": ""}, "field_invalid", "subject"),
    ({"subject": "  "}, "field_invalid", "subject"),
    ({"subject": "a\nb"}, "field_invalid", "subject"),
    ({"subject": "a\x00b"}, "field_invalid", "subject"),
    ({"subject": "a\u202eb"}, "field_invalid", "subject"),
    ({"subject": "x" * 128}, "field_invalid", "subject"),
    ({"subject": "4111 1111 1111 1111"}, "card_number", "subject"),
    ({"subject": "卡 ４１１１１１１１１１１１１１１１"}, "card_number", "subject"),
    ({"metadata": {"pan": "5500005555555559"}}, "card_number", "metadata.pan"),
    ({"metadata": {"a": 1}}, "field_invalid", "metadata.a"),
    ({"metadata": {"a": "x" * 256}}, "field_invalid", "metadata.a"),
    ({"metadata": {"a b": "x"}}, "field_invalid", "metadata.a b"),
    ({"metadata": {str(n): "x" for n in range(21)}}, "field_invalid", "metadata"),
    ({"notify_url": "ftp://shop.example/"}, "field_invalid", "notify_url"),
    ({"notify_url": "https://a:b@shop.example/"}, "field_invalid", "notify_url"),
    ({"notify_url": "https://shop.example:25/"}, "field_invalid", "notify_url"),
    ({"return_url": "javascript:alert(1)"}, "field_invalid", "return_url"),
    ({"return_url": "https://shop.example/" + "x" * 2048}, "field_invalid", "return_url"),
    ({"client_ip": "203.0.113.999"}, "field_invalid", "client_ip"),
    ({"client_ip": "fe80::1%eth0"}, "field_invalid", "client_ip"),
    ({"expires_in": 59}, "field_invalid", "expires_in"),
    ({"expires_in": 86401}, "field_invalid", "expires_in"),
]

NO_OBJECTS = (
    "", "[]", "1", "{", '{"a":1,"a":1}', '{"a":NaN}', "[" * 60_000, '{"a":"\\ud800"}',
    '{"a":' + '{"a":' * 20 + "1" + "}" * 21, '{"amount":' + "9" * 5000 + "}",
)  # fmt: skip


async def test_an_order_is_created_repeated_and_found(caller: Caller) -> None:
    made = await caller.create(metadata={"cart": "8841"}, return_url="https://shop.example/r")
    assert made.status == 201
    order = made.json
    assert order["status"] == "pending"
    assert order["pay"]["kind"] == "url"
    assert (order["amount"], order["fee"], order["net"]) == (1234, 15, 1219)
    assert order["cashier_url"] == f"{caller.url}/pay/{order['order_no']}"
    assert order["metadata"] == {"cart": "8841"}
    assert (order["paid_at"], order["paid_late"], order["mode"]) == (None, False, "live")
    assert len(made.headers["Paydesk-Request-Id"]) == 32

    again = await caller.create(metadata={"cart": "8841"}, return_url="https://shop.example/r")
    assert (again.status, again.headers["Idempotency-Hit"]) == (200, "true")
    assert again.json == order

    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert (shown.status, shown.json) == (200, order)
    found = await caller.call("GET", "/v1/orders?merchant_order_no=S-1")
    assert found.json == {"data": [order], "next": None}
    none = await caller.call("GET", "/v1/orders?merchant_order_no=S-2")
    assert none.json == {"data": [], "next": None}


async def test_a_number_that_is_like_anothers_finds_nothing(caller: Caller) -> None:
    whole = "x" * 64
    assert (await caller.create(merchant_order_no=whole)).status == 201
    for number in (f"{whole}y", f"{whole}%00", f"%00{whole}", f"{whole}%0A", ""):
        found = await caller.call("GET", f"/v1/orders?merchant_order_no={number}")
        assert (found.status, found.json) == (200, {"data": [], "next": None}), number


async def test_the_same_call_at_once_makes_one_order(caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.create() for _ in range(6)))
    assert len({answer.json["order_no"] for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert all(answer.json["pay"] for answer in answers)


async def test_other_content_under_the_same_number_is_refused(caller: Caller) -> None:
    await caller.create()
    other = await caller.create(amount=1235)
    assert (other.status, other.code) == (409, "order_conflict")
    assert other.json["error"]["param"] == "amount"


async def test_a_paid_order_says_so(
    caller: Caller, supplier: dict[str, str], http: aiohttp.ClientSession
) -> None:
    order = (await caller.create()).json
    paid = {"url": order["pay"]["value"], "outcome": "paid"}
    async with http.post(f"{supplier['control']}/pay", json=paid) as response:
        assert response.status == 200

    async def is_paid() -> bool:
        shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
        return bool(shown.json["status"] == "paid")

    await eventually(is_paid, what="its callback has come")
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.json["paid_at"] is not None
    assert shown.json["pay"] is None
    balance = await caller.call("GET", "/v1/balance")
    assert balance.json == {
        "mode": "live", "currency": "CNY", "payable": 1219, "prepaid": 0, "position": 1219,
        "remaining_prepayment": 0,
    }  # fmt: skip
    closed = await caller.call("POST", f"/v1/orders/{order['order_no']}/close")
    assert (closed.status, closed.code) == (409, "order_state")
    assert closed.json["error"]["message"].endswith("is paid; this cannot be done.")


async def test_an_order_is_closed_once(caller: Caller) -> None:
    order = (await caller.create()).json
    for body in ("", "{}"):
        closed = await caller.call("POST", f"/v1/orders/{order['order_no']}/close", body=body)
        assert (closed.status, closed.json["status"], closed.json["pay"]) == (200, "closed", None)
    named = await caller.call("POST", f"/v1/orders/{order['order_no']}/close", {"why": "x"})
    assert (named.code, named.json["error"]["param"]) == ("field_unknown", "why")


async def test_an_unclear_answer_is_202(
    caller: Caller, supplier: dict[str, str], http: aiohttp.ClientSession
) -> None:
    spoil = {"kind": "500", "operation": "create", "after": True}
    async with http.post(f"{supplier['control']}/fault", json=spoil) as response:
        assert response.status == 200
    made = await caller.create()
    assert (made.status, made.json["status"], made.json["pay"]) == (202, "created", None)
    again = await caller.create()
    assert (again.status, again.headers["Idempotency-Hit"]) == (202, "true")


async def test_another_merchants_order_is_not_there(caller: Caller, stranger: Caller) -> None:
    order = (await caller.create()).json
    for method, target in (("GET", ""), ("POST", "/close")):
        answer = await stranger.call(method, f"/v1/orders/{order['order_no']}{target}")
        assert (answer.status, answer.code) == (404, "order_not_found")
    found = await stranger.call("GET", "/v1/orders?merchant_order_no=S-1")
    assert found.json["data"] == []
    assert (await stranger.create()).status == 201


async def test_a_test_key_sees_no_live_orders(caller: Caller, desk: Desk) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    merchant = await runtime.parties.merchants.by_no("M1001")
    keys = await runtime.parties.merchants.apps.open(
        merchant, mode="test", name="t", notify_url=None
    )
    tester = Caller(caller.http, caller.url, keys.key_id, keys.secret)
    shown = await tester.call("GET", f"/v1/orders/{order['order_no']}")
    assert shown.code == "order_not_found"
    own = await tester.create()
    assert (own.status, own.json["mode"], own.json["order_no"][0]) == (201, "test", "T")
    assert (await tester.call("GET", "/v1/balance")).json["mode"] == "test"
    assert (await caller.call("GET", f"/v1/orders/{own.json['order_no']}")).status == 404


async def test_a_wrong_field_is_named(caller: Caller) -> None:
    for changes, code, param in WRONG_FIELDS:
        answer = await caller.create(**changes)
        assert (answer.status, answer.code) == (400, code), changes
        assert answer.json["error"]["param"] == param
        assert answer.json["error"]["doc_url"] == f"{caller.url}/docs/api#error-{code}"
    found = await caller.call("GET", "/v1/orders?merchant_order_no=S-1")
    assert found.json["data"] == []


async def test_a_missing_field_is_named(caller: Caller) -> None:
    for name in NEW_ORDER:
        rest = {key: value for key, value in NEW_ORDER.items() if key != name}
        answer = await caller.call("POST", "/v1/orders", rest)
        assert (answer.code, answer.json["error"]["param"]) == ("field_missing", name)


async def test_a_body_that_is_no_json_object(caller: Caller) -> None:
    for body in NO_OBJECTS:
        answer = await caller.call("POST", "/v1/orders", body=body)
        assert (answer.status, answer.code) == (400, "body_invalid"), body[:40]
    headers = caller.headers("POST", "/v1/orders", "x", datetime.now(UTC))
    text = text_to_sign(headers["Paydesk-Id"], headers["Paydesk-Timestamp"], "POST", "/v1/orders")
    headers["Paydesk-Signature"] = sign(caller.secret, text.encode() + b"\xff")
    answer = await caller.send("POST", "/v1/orders", b"\xff", headers)
    assert (answer.status, answer.code) == (400, "body_invalid")


async def test_a_body_has_an_end(caller: Caller) -> None:
    answer = await caller.call("POST", "/v1/orders", {"subject": "x" * 65_536})
    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_no_channel_takes_an_amount_out_of_range(caller: Caller) -> None:
    answer = await caller.create(amount=99)
    assert (answer.status, answer.code) == (422, "no_channel")


async def test_unknown_query_parameters_are_refused(caller: Caller) -> None:
    for target, param in (
        ("/v1/orders?merchant_order_no=S-1&state=paid", "state"),
        ("/v1/balance?x=1", "x"),
    ):
        answer = await caller.call("GET", target)
        assert (answer.code, answer.json["error"]["param"]) == ("field_unknown", param)
    twice = await caller.call("GET", "/v1/orders?merchant_order_no=1&merchant_order_no=2")
    assert twice.code == "field_invalid"
    assert (await caller.call("GET", "/v1/orders")).code == "field_missing"


async def test_unknown_addresses_get_the_envelope(caller: Caller) -> None:
    for target in ("/v1/nothing", "/v1/", "/v1"):
        answer = await caller.call("GET", target)
        assert (answer.status, answer.code) == (404, "page_not_found")
    wrong = await caller.call("DELETE", "/v1/orders")
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (
        405, "method_not_allowed", "GET,POST",
    )  # fmt: skip


async def test_products_in_the_readers_language(caller: Caller) -> None:
    answer = await caller.call("GET", "/v1/products")
    assert answer.json["data"][0] == {
        "code": "alipay_qr", "name": "Alipay QR", "tiers_by": "amount",
        "tiers": [{"from": 0, "rate": "1.2%", "fixed": 0, "min": 0, "max": None}],
    }  # fmt: skip
    assert answer.json["next"] is None


async def test_too_many_calls_are_told_when_to_come_back(caller: Caller, desk: Desk) -> None:
    runtime, _ = desk
    app = (await runtime.supply.market.now()).app_by_key(caller.key)
    assert app.calls_per_s == CALLS_PER_S
    await runtime.parties.merchants.apps.set_calls_per_s(app.id, 20)
    calls = (caller.call("GET", "/v1/balance") for _ in range(60))
    answers = await asyncio.gather(*calls)
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].code == "rate_limited"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert sum(answer.status == 200 for answer in answers) >= 20


@pytest.mark.parametrize(
    ("url", "why"),
    [
        *((f"http://{host}/n", "internet") for host in ("10.0.0.1", "[::1]", "169.254.1.1")),
        *((f"https://shop.example:{port}/n", "port") for port in (1, 25, 442, 1023)),
        *((f"http://{host}/n", "plain host") for host in ("2130706433", "0x7f.1")),
    ],
)
async def test_an_address_that_we_would_never_call_is_refused_for_its_true_reason(
    caller: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    runtime, _ = desk
    monkeypatch.setattr(runtime.system.gateway, "allow_private", False)  # as in production
    refused = await caller.create(notify_url=url)
    assert (refused.status, refused.code) == (400, "field_invalid")
    assert refused.json["error"]["param"] == "notify_url"
    assert why in refused.json["error"]["message"]


async def test_a_port_is_refused_as_a_port_where_private_addresses_are_allowed(
    caller: Caller,
) -> None:
    refused = await caller.create(notify_url="http://127.0.0.1:81/n")
    assert "port 80, 443, or 1024 and above" in refused.json["error"]["message"]
    for port in (80, 443, 1024, 8080):
        made = await caller.create(
            merchant_order_no=f"S-{port}", notify_url=f"http://127.0.0.1:{port}/n"
        )
        assert made.status == 201


async def test_what_nobody_has_room_for_is_refused_and_its_number_is_free(
    caller: Caller, desk: Desk
) -> None:
    runtime, _ = desk
    store = runtime.system.store
    suppliers = [await runtime.parties.suppliers.by_no(number) for number in ("S01", "S02")]

    async def plug(address: str | None) -> None:
        for supplier in suppliers:
            there = {
                **supplier.credentials,
                "base_url": address or supplier.credentials["base_url"],
            }
            await runtime.parties.suppliers.set_credentials(store, supplier.id, there)

    async def refused() -> None:
        answer = await caller.create(metadata={"cart": str(len(seen))})
        assert (answer.status, answer.code) == (422, "no_room")
        assert "same merchant_order_no" in answer.json["error"]["message"]
        seen.append(answer)

    seen: list[Answer] = []
    # Nobody is reached; then each is full for the day; then closed.
    await plug(NOWHERE)
    await refused()
    found = await caller.call("GET", "/v1/orders?merchant_order_no=S-1")
    assert [order["status"] for order in found.json["data"]] == ["failed"]
    await plug(None)
    here = "(now() AT TIME ZONE 'Asia/Shanghai')::time"
    later = f"opens = {here} + interval '2 h', closes = {here} + interval '3 h'"
    for change in ("day_limit_minor = 1", f"day_limit_minor = NULL, {later}"):
        await store.execute(f"UPDATE channel SET {change}")
        await refused()
    await store.execute("UPDATE channel SET opens = NULL, closes = NULL")
    made = await caller.create(metadata={"cart": "at last"})
    assert (made.status, made.json["status"]) == (201, "pending")
    assert "Idempotency-Hit" not in made.headers
    again = await caller.create(metadata={"cart": "at last"})
    assert (again.status, again.json) == (200, made.json)
