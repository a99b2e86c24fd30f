"""What merchants' servers are told is what the API's documents say, and what the API answers."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from core.delivery.outbox import News
from core.kernel.money import Money
from core.runtime import Runtime
from core.trade.notifications import body_of
from payapi.openapi import document
from payapi.wire import OrderView, RefundView
from tests.conftest import SUPPLIER_KEYS
from tests.payapi.client import Caller, order_of
from tests.payapi.test_callbacks import attempt_of, signed, told

Desk = tuple[Runtime, str]
DOCUMENT = document("https://desk.example")
ORDER_NEWS: list[News] = [name for name in get_args(News) if name.startswith("order.")]
NOTIFY = "http://127.0.0.1:1029/notify"


async def newest_body(runtime: Runtime) -> dict[str, Any]:
    """The body of the newest notification, as it is sent."""
    row = await runtime.system.store.fetchrow(
        "SELECT type, created_at, facts FROM notification ORDER BY created_at DESC LIMIT 1"
    )
    assert row is not None
    body: dict[str, Any] = json.loads(body_of(row["type"], row["created_at"], row["facts"]))
    return body


def faults(news: dict[str, Any]) -> list[str]:
    """What of it is not as its webhook in the OpenAPI document says."""
    described = DOCUMENT["webhooks"][news["type"]]["post"]["requestBody"]["content"]
    schema = {**described["application/json"]["schema"], "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(news)]


async def paid_order(caller: Caller, runtime: Runtime) -> dict[str, Any]:
    """An order whose supplier has called back; its notification waits."""
    order: dict[str, Any] = (await caller.create(notify_url=NOTIFY, metadata={"a": "1"})).json
    attempt = await attempt_of(runtime, order["order_no"])
    form = signed(told(attempt, "12.34"), SUPPLIER_KEYS["880001"])
    address = f"{caller.url}/callbacks/{attempt['attempt_no']}"
    async with caller.http.post(address, data=form) as response:
        assert await response.text() == "success"
    return order


@pytest.mark.parametrize("name", ORDER_NEWS)
async def test_news_of_an_order_holds_the_order_as_the_api_answers_it(
    caller: Caller, desk: Desk, name: News
) -> None:
    runtime, _ = desk
    order = (await caller.create(notify_url=NOTIFY, metadata={"cart": "8841"})).json
    state = {"paid_late": "paid", "disputed": "paid"}.get(name.split(".")[1], name.split(".")[1])
    await runtime.system.store.execute(
        "UPDATE orders SET state = $2, paid_late = $3, disputed = $4, paid_how = $5,"
        " paid_at = CASE WHEN $2 = 'paid' THEN now() END, paid_day = created_day, cost_minor = 0,"
        " paid_attempt_no = live_attempt_no WHERE order_no = $1",
        order["order_no"], state, name == "order.paid_late", name == "order.disputed",
        "completed" if name == "order.disputed" else "reported",
    )  # fmt: skip
    stands = await order_of(runtime, order["order_no"])
    async with runtime.system.store.transaction() as tx:
        await runtime.trade.payments.tell(tx, stands, name, request_id="r")
    news = await newest_body(runtime)
    assert faults(news) == []
    assert set(news) == {"type", "timestamp", "data"}
    assert news["type"] == name
    assert set(news["data"]) == set(OrderView.model_fields)
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert news["data"] == shown.json


async def test_a_payment_is_told_as_the_order_is_answered(caller: Caller, desk: Desk) -> None:
    order = await paid_order(caller, desk[0])
    news = await newest_body(desk[0])
    shown = await caller.call("GET", f"/v1/orders/{order['order_no']}")
    assert (news["type"], faults(news)) == ("order.paid", [])
    assert news["data"] == shown.json


@pytest.mark.parametrize("end", ["succeeded", "failed"])
async def test_news_of_a_refund_is_as_documented(caller: Caller, desk: Desk, end: str) -> None:
    runtime, _ = desk
    order = await paid_order(caller, runtime)
    stands = await order_of(runtime, order["order_no"])
    app = (await runtime.supply.market.now()).app(stands.app_id)
    refund = await runtime.trade.refunds.reserve(
        app, stands.merchant_id, stands.id, "RS-1", Money(500, "CNY"), fee_returned=False
    )
    if end == "succeeded":
        await runtime.trade.refunds.settle(stands.merchant_id, refund.id, cost_returned=False)
    else:
        await runtime.trade.refunds.release(stands.merchant_id, refund.id, "refused")
    news = await newest_body(runtime)
    assert (news["type"], faults(news)) == (f"refund.{end}", [])
    assert set(news["data"]) == set(RefundView.model_fields)
    assert (news["data"]["status"], news["data"]["amount"]) == (end, 500)
