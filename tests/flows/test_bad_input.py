"""Bad input at every entrance: a clear error, and no balance moves."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.demo import DemoDesk


@asynccontextmanager
async def nothing_moves(desk: DemoDesk) -> AsyncIterator[None]:
    before = await desk.balance()
    yield
    assert await desk.balance() == before
    code, said = await desk.command("verify-books")
    assert code == 0, said


async def test_the_api_refuses_by_name_and_changes_nothing(desk: DemoDesk) -> None:
    good = {
        "merchant_order_no": "BAD-1",
        "amount": 100,
        "currency": "CNY",
        "product": "alipay_qr",
        "subject": "x",
        "client_ip": "203.0.113.7",
    }
    wrong_secret = "whsec_" + base64.b64encode(b"x" * 32).decode()
    async with nothing_moves(desk):
        forged = await desk.call("POST", "/v1/orders", good, secret=wrong_secret)
        assert (forged.status, forged.code) == (401, "signature_invalid")
        for change, code, param in (
            ({"colour": "red"}, "field_unknown", "colour"),
            ({"amount": -100}, "field_invalid", "amount"),
            ({"amount": 0}, "field_invalid", "amount"),
            ({"amount": 1.5}, "field_invalid", "amount"),
            ({"amount": "100"}, "field_invalid", "amount"),
            ({"amount": True}, "field_invalid", "amount"),
            ({"currency": "XYZ"}, None, "currency"),
            ({"product": "gold_bars"}, "product_unknown", "product"),
            ({"client_ip": "not an address"}, "field_invalid", "client_ip"),
            ({"subject": "card 4111 1111 1111 1111".replace(" 1", "1")}, "card_number", "subject"),
            ({"notify_url": "file:///etc/passwd"}, "field_invalid", "notify_url"),
        ):
            answer = await desk.call("POST", "/v1/orders", {**good, **change})
            assert answer.status in (400, 422), (change, answer)
            assert code is None or answer.code == code, (change, answer)
            assert answer.body["error"]["param"] == param, (change, answer)
        for body in (
            "",
            "[]",
            "{",
            '{"a":1,"a":2}',
            "nul\x00l",
            "\ud83d".encode("utf-16", "surrogatepass").hex(),
        ):
            answer = await desk.call("POST", "/v1/orders", body)
            assert 400 <= answer.status < 500, (body, answer)
        big = await desk.call("POST", "/v1/orders", json.dumps({**good, "subject": "x" * 70_000}))
        assert (big.status, big.code) == (413, "body_too_large")
        missing = await desk.call("GET", "/v1/orders/P0000000000000000000")
        assert (missing.status, missing.code) == (404, "order_not_found")


async def test_one_merchant_sees_nothing_of_another(desk: DemoDesk) -> None:
    created = await desk.create(merchant_no="M1002", amount=900)
    assert created.status == 201
    answer = await desk.call("GET", f"/v1/orders/{created.body['order_no']}")
    assert (answer.status, answer.code) == (404, "order_not_found")


async def test_forged_and_altered_callbacks_are_answered_and_change_nothing(desk: DemoDesk) -> None:
    before, created = await desk.suspense(), await desk.create(amount=7700)
    trade_no = created.body["pay"]["value"].rsplit("/", 1)[1]
    async with nothing_moves(desk):
        forged = await desk.supplier(
            "callback", {"trade_no": trade_no, "sign": "wrong", "overrides": {"status": "SUCCESS"}}
        )
        assert (forged.body["status"], forged.body["body"]) == (400, "fail")
        url = f"{desk.ready['desk']}/callbacks/A000000000000000000"
        async with desk.http.post(url, data={"status": "SUCCESS"}) as answer:
            assert answer.status == 404
        altered = await desk.supplier(
            "callback",
            {
                "trade_no": trade_no,
                "sign": "valid",
                "overrides": {"status": "SUCCESS", "paid_amount": "1.00"},
            },
        )
        assert altered.body["body"] == "success"
        await desk.suspense(other_than=before)
        await desk.lists_suspense(created.body["order_no"])
        assert (await desk.order(created.body["order_no"]))["status"] == "pending"


async def test_control_listeners_answer_nothing_without_their_token(desk: DemoDesk) -> None:
    for control in (desk.ready["telegram"]["control"], desk.ready["supplier"]["control"]):
        base = control.rsplit("/", 1)[0]
        for path in ("", "/", "/transcript?chat_id=1", "/pay", "/wrong-token/transcript?chat_id=1"):
            async with desk.http.get(base + path) as answer:
                assert (answer.status, await answer.read()) == (404, b"")


async def test_telegram_without_its_secret_is_not_believed(desk: DemoDesk) -> None:
    async with desk.http.get(desk.ready["telegram"]["control"] + "/state") as answer:
        url = (await answer.json())["webhook"]["url"]
    async with desk.http.post(url, json={"update_id": 1}) as answer:
        assert answer.status == 401
