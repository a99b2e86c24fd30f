from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.sandbox.supplier.peer import Platform, Receiver, own_sign


@pytest.mark.parametrize(
    ("outcome", "paid_amount", "payments", "status"),
    [
        ("paid", "12.34", 1, "SUCCESS"),
        ("less", "11.34", 1, "SUCCESS"),
        ("more", "13.34", 1, "SUCCESS"),
        ("twice", "12.34", 2, "SUCCESS"),
        ("fail", "0.00", 1, "FAIL"),
    ],
)
async def test_outcomes_are_called_back(
    platform: Platform,
    receiver: Receiver,
    outcome: str,
    paid_amount: str,
    payments: int,
    status: str,
) -> None:
    order = await platform.create()
    answer = await platform.pay(order, outcome)
    assert answer["paid_amount"] == paid_amount
    assert len(set(answer["trade_nos"])) == payments
    assert answer["trade_nos"][0] == order["trade_no"]
    await receiver.heard(payments)
    assert {form["trade_no"] for form in receiver.forms} == set(answer["trade_nos"])
    for form in receiver.forms:
        assert form["sign"] == own_sign(form)
        assert form["out_trade_no"] == order["out_trade_no"]
        assert (form["status"], form["amount"]) == (status, "12.34")
        assert form.get("paid_amount", "0.00") == paid_amount
        assert ("paid_at" in form) == (status == "SUCCESS")
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert state["status"] == status
    assert state.get("paid_amount", "0.00") == paid_amount
    assert [one["state"] for one in await platform.settled(order)] == ["delivered"] * payments
    again, error = await platform.ask("pay", {"url": order["pay_url"], "outcome": "paid"})
    assert again == 409
    assert status in error["error"]


async def test_less_than_one_yuan_pays_half(platform: Platform) -> None:
    small = await platform.create(amount="1.00")
    assert (await platform.pay(small, "less"))["paid_amount"] == "0.50"
    least = await platform.create(amount="0.01")
    status, answer = await platform.ask("pay", {"url": least["pay_url"], "outcome": "less"})
    assert status == 409
    assert "less" in answer["error"]


async def test_lost_callback_is_never_sent(platform: Platform, receiver: Receiver) -> None:
    order = await platform.create()
    await platform.pay(order, "lose_callback")
    [callback] = await platform.callbacks(order)
    assert (callback["state"], callback["tries"]) == ("lost", [])
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert (state["status"], state["paid_amount"]) == ("SUCCESS", "12.34")
    later = await platform.create()
    await platform.pay(later, "paid")
    await receiver.heard(1)
    assert [form["out_trade_no"] for form in receiver.forms] == [later["out_trade_no"]]


async def test_delayed_callback_leaves_later(platform: Platform, receiver: Receiver) -> None:
    order = await platform.create()
    await platform.pay(order, "delay", delay_s=0.3)
    [callback] = await platform.callbacks(order)
    assert callback["state"] == "pending"
    orders = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert orders["status"] == "SUCCESS"
    [sent] = await platform.settled(order)
    assert sent["tries"][0]["at"] >= callback["next_at"]
    assert len(receiver.forms) == 1


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"url": "http://127.0.0.1:9/pay/x", "outcome": "steal"}, 400, "outcome"),
        ({"outcome": "paid"}, 400, "url"),
        ({"url": "https://example.com/pay/1", "outcome": "paid"}, 400, "this machine"),
        ({"url": "http://127.0.0.1:1/pay/x", "outcome": "paid"}, 422, "cannot be opened"),
        ({"url": "http://127.0.0.1:1/", "typo": 1}, 400, "typo"),
        ({"url": "http://127.0.0.1:1/", "delay_s": -1}, 400, "delay_s"),
    ],
)
async def test_pay_refusals(
    platform: Platform, body: dict[str, Any], status: int, word: str
) -> None:
    answered, answer = await platform.ask("pay", body)
    assert answered == status
    assert word in answer["error"]


async def test_unknown_pay_link(platform: Platform) -> None:
    status, answer = await platform.ask("pay", {"url": f"{platform.base}/pay/{'0' * 24}"})
    assert status == 404
    assert "error" in answer


@asynccontextmanager
async def cashier(order: dict[str, str]) -> AsyncIterator[str]:
    """A desk's cashier: /pay/page shows a page with the link, /pay/jump leads there."""

    async def jump(request: web.Request) -> web.Response:
        raise web.HTTPFound(order["pay_url"])

    async def page(request: web.Request) -> web.Response:
        link = order["pay_url"].replace(":", "&#58;", 1)
        html = (
            f'<a href="https://shop.example/pay/1">x</a><a class="go" href="{link}?lang=en">Pay</a>'
        )
        return web.Response(text=html, content_type="text/html")

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://192.0.2.1/pay/1")

    async def nothing(request: web.Request) -> web.Response:
        return web.Response(text="<p>choose a method</p>", content_type="text/html")

    async def loop(request: web.Request) -> web.Response:
        raise web.HTTPFound("/pay/loop")

    app = web.Application()
    for handler in (jump, page, away, nothing, loop):
        app.router.add_get(f"/pay/{handler.__name__}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/pay"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("way", ["jump", "page"])
async def test_pays_over_a_cashier(platform: Platform, way: str) -> None:
    order = await platform.create()
    async with cashier(order) as base:
        status, answer = await platform.ask("pay", {"url": f"{base}/{way}", "outcome": "paid"})
    assert status == 200
    assert answer["trade_nos"] == [order["trade_no"]]


@pytest.mark.parametrize(
    ("way", "status"), [("away", 400), ("nothing", 422), ("loop", 422), ("missing", 422)]
)
async def test_cashiers_that_lead_nowhere(platform: Platform, way: str, status: int) -> None:
    order = await platform.create()
    async with cashier(order) as base:
        answered, answer = await platform.ask("pay", {"url": f"{base}/{way}"})
    assert answered == status
    assert answer["error"]
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert state["status"] == "WAIT"


async def test_forged_and_changed_callbacks(platform: Platform, receiver: Receiver) -> None:
    order = await platform.create()
    receiver.answers = [(403, "no")]
    body = {"out_trade_no": order["out_trade_no"], "sign": "wrong"}
    assert await platform.ask("callback", body) == (200, {"status": 403, "body": "no"})
    forged = receiver.forms[-1]
    assert forged["sign"] != own_sign(forged)
    assert (forged["status"], forged["paid_amount"]) == ("SUCCESS", "12.34")
    changes = {"paid_amount": "99.00", "paid_at": None}
    status, answer = await platform.ask(
        "callback", {"trade_no": order["trade_no"], "overrides": changes}
    )
    assert (status, answer["status"]) == (200, 200)
    changed = receiver.forms[-1]
    assert changed["sign"] == own_sign(changed)
    assert changed["paid_amount"] == "99.00"
    assert "paid_at" not in changed
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert state["status"] == "WAIT"
    assert [one["state"] for one in await platform.callbacks(order)] == ["forced", "forced"]


async def test_control_exists_only_behind_its_token(platform: Platform) -> None:
    bare = platform.control.rsplit("/", 1)[0]
    for path in ("/orders", "/pay", "/wrong-token-0123456789/orders", "/"):
        async with platform.http.get(bare + path) as response:
            assert response.status == 404
    async with platform.http.post(
        f"{platform.base}/{platform.control.rsplit('/', 1)[1]}/pay"
    ) as on:
        assert on.status == 404
    rebound = {"Host": "evil.example"}
    async with platform.http.get(f"{platform.control}/orders", headers=rebound) as response:
        assert response.status == 404
    async with platform.http.get(f"{platform.control}/orders") as response:
        assert response.status == 200


async def test_orders_and_log_are_shown(platform: Platform) -> None:
    order = await platform.create(merchant_name="云杉商城")
    await platform.pay(order, "twice")
    async with platform.http.get(f"{platform.control}/orders") as response:
        [shown] = (await response.json())["orders"]
    assert (shown["subject"], shown["merchant_name"]) == ("绿茶 & Tea=1", "云杉商城")
    assert (shown["outcome"], len(shown["payments"])) == ("twice", 2)
    async with platform.http.get(f"{platform.control}/log") as response:
        [logged] = (await response.json())["log"]
    assert logged["operation"] == "create"
    assert order["trade_no"] in logged["answer"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
async def test_control_wants_an_object(platform: Platform, body: bytes) -> None:
    for verb in ("pay", "fault", "callback"):
        async with platform.http.post(f"{platform.control}/{verb}", data=body) as response:
            assert response.status == 400
            assert "JSON" in (await response.json())["error"]


async def test_callback_to_nobody_says_so(platform: Platform) -> None:
    order = await platform.create(notify_url="http://127.0.0.1:1/callback")
    status, answer = await platform.ask("callback", {"out_trade_no": order["out_trade_no"]})
    assert status == 502
    assert "did not answer" in answer["error"]


async def test_unknown_orders_have_no_callbacks(platform: Platform) -> None:
    assert (await platform.ask("callback", {"out_trade_no": "NONE"}))[0] == 404
    assert (await platform.ask("callback", {}))[0] == 400
    async with aiohttp.ClientSession() as http, http.get(f"{platform.control}/callbacks") as answer:
        assert answer.status == 400
