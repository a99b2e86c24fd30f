from __future__ import annotations

import time

import aiohttp
import pytest

from tests.sandbox.supplier.peer import Platform, Receiver, own_sign


async def test_timeout_does_nothing(platform: Platform) -> None:
    await platform.fault(operation="create", kind="timeout", delay_s=0.01)
    with pytest.raises(aiohttp.ClientConnectionError):
        await platform.create(out_trade_no="T1")
    assert (await platform.call("query", out_trade_no="T1"))["code"] == "1404"


async def test_timeout_after_the_work(platform: Platform) -> None:
    await platform.fault(operation="create", kind="timeout", delay_s=0.01, after=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await platform.create(out_trade_no="T2")
    state = await platform.call("query", out_trade_no="T2")
    assert state["status"] == "WAIT"
    assert (await platform.create(out_trade_no="T2"))["trade_no"] == state["trade_no"]


@pytest.mark.parametrize("after", [False, True])
async def test_500_and_garbage(platform: Platform, after: bool) -> None:
    for number, (kind, status) in enumerate([("500", 500), ("garbage", 200)]):
        out_trade_no = f"G{number}"
        await platform.fault(operation="create", kind=kind, after=after)
        form = {
            "mch_id": "880001",
            "pay_type": "alipay_qr",
            "out_trade_no": out_trade_no,
            "amount": "1.00",
            "subject": "x",
            "notify_url": platform.notify,
            "client_ip": "::1",
            "timestamp": str(int(time.time())),
            "nonce": "n",
        }
        form["sign"] = own_sign(form)
        async with platform.http.post(f"{platform.base}/gateway/create", data=form) as response:
            assert response.status == status
            assert b'"code"' not in await response.read()
        found = await platform.call("query", out_trade_no=out_trade_no)
        assert found["code"] == ("0" if after else "1404")


async def test_refuse_is_signed_and_counts_down(platform: Platform) -> None:
    await platform.fault(operation="any", kind="refuse", code="1005", times=2)
    assert (await platform.create())["code"] == "1005"
    assert (await platform.call("query", out_trade_no="X"))["code"] == "1005"
    assert (await platform.create())["code"] == "0"


async def test_late_is_true(platform: Platform) -> None:
    await platform.fault(operation="query", kind="late", delay_s=0.1)
    order = await platform.create()
    began = time.monotonic()
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert time.monotonic() - began >= 0.1
    assert state["status"] == "WAIT"


async def test_clear(platform: Platform) -> None:
    await platform.fault(operation="create", kind="500", times=5)
    await platform.fault(operation="close", kind="500")
    assert await platform.ask("fault", {"kind": "clear", "operation": "create"}) == (
        200,
        {"cleared": 1},
    )
    assert (await platform.create())["code"] == "0"
    assert (await platform.ask("fault", {"kind": "clear"}))[1] == {"cleared": 1}


@pytest.mark.parametrize(
    ("kind", "after", "reached"),
    [
        ("timeout", False, 1),
        ("timeout", True, 2),
        ("500", False, 1),
        ("500", True, 2),
        ("garbage", False, 2),
        ("refuse", False, 2),
        ("late", False, 1),
    ],
)
async def test_callbacks_survive_their_faults(
    platform: Platform, receiver: Receiver, kind: str, after: bool, reached: int
) -> None:
    if kind in ("garbage", "refuse"):
        receiver.answers = [(400, "bad")]
    await platform.fault(operation="callback", kind=kind, after=after, delay_s=0.01)
    order = await platform.create()
    await platform.pay(order, "paid")
    [callback] = await platform.settled(order)
    assert callback["state"] == "delivered"
    assert len(callback["tries"]) == (1 if kind == "late" else 2)
    assert len(receiver.forms) == reached
    assert receiver.forms[-1]["sign"] == own_sign(receiver.forms[-1])
    if kind == "refuse":
        assert receiver.forms[0]["sign"] != own_sign(receiver.forms[0])
    if after:
        assert receiver.forms[0] == receiver.forms[1]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"kind": "explode"}, "kind"),
        ({"kind": "500", "operation": "transfer"}, "operation"),
        ({"kind": "500", "times": 0}, "times"),
        ({"kind": "late", "delay_s": "1"}, "delay_s"),
        ({"kind": "late", "until": 1}, "until"),
    ],
)
async def test_bad_faults_are_named(platform: Platform, body: dict[str, object], word: str) -> None:
    status, answer = await platform.ask("fault", body)
    assert status == 400
    assert word in answer["error"]
