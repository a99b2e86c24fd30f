from __future__ import annotations

import time
from pathlib import Path

import aiohttp
import pytest

from sandbox.process import ConfigError
from sandbox.supplier.app import start
from tests.sandbox.supplier.peer import MCH_ID, Platform, Receiver, config


async def test_create_and_query(platform: Platform) -> None:
    order = await platform.create()
    assert order["code"] == "0"
    assert order["pay_url"] == f"{platform.base}/pay/{order['trade_no']}"
    assert 1790 < int(order["expires_at"]) - time.time() <= 1800
    state = await platform.call("query", out_trade_no=order["out_trade_no"])
    assert (state["status"], state["amount"]) == ("WAIT", "12.34")
    assert state["trade_no"] == order["trade_no"]
    assert "paid_amount" not in state


async def test_same_content_is_the_same_order(platform: Platform) -> None:
    first = await platform.create()
    number = first["out_trade_no"]
    again = await platform.create(out_trade_no=number, nonce="other")
    assert again == first
    conflict = await platform.create(out_trade_no=number, amount="12.35")
    assert conflict["code"] == "1009"


async def test_the_merchants_name_is_content(platform: Platform) -> None:
    name = "店" * 128
    first = await platform.create(merchant_name=name)
    number = first["out_trade_no"]
    assert first["code"] == "0"
    assert await platform.create(out_trade_no=number, merchant_name=name) == first
    for other in ("云杉商城", "", None):
        conflict = await platform.create(out_trade_no=number, merchant_name=other)
        assert conflict["code"] == "1009"


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"amount": "12.3"}, "1002", "amount"),
        ({"amount": "-1.00"}, "1002", "amount"),
        ({"amount": "0.00"}, "1002", "amount"),
        ({"amount": "1e3"}, "1002", "amount"),
        ({"amount": None}, "1002", "amount"),
        ({"out_trade_no": "A" * 33}, "1002", "out_trade_no"),
        ({"subject": ""}, "1002", "subject"),
        ({"subject": "two\nlines"}, "1002", "subject"),
        ({"subject": "x" * 129}, "1002", "subject"),
        ({"merchant_name": "two\nlines"}, "1002", "merchant_name"),
        ({"merchant_name": "x" * 129}, "1002", "merchant_name"),
        ({"notify_url": "ftp://127.0.0.1/"}, "1002", "notify_url"),
        ({"return_url": "javascript:alert(1)"}, "1002", "return_url"),
        ({"client_ip": None}, "1002", "client_ip"),
        ({"timestamp": "1"}, "1002", "timestamp"),
        ({"timestamp": "soon"}, "1002", "timestamp"),
        ({"nonce": None}, "1002", "nonce"),
        ({"mch_id": None}, "1002", "mch_id"),
        ({"pay_type": "cash"}, "1003", "pay_type"),
        ({"pay_type": "wechat_qr"}, "1004", "closed"),
        ({"pay_type": "bank_web", "amount": "9.99"}, "1005", "10.00 to 20.00"),
    ],
)
async def test_refusals(
    platform: Platform, changes: dict[str, str | None], code: str, word: str
) -> None:
    if "mch_id" in changes:
        form = {"out_trade_no": "X"}
        async with platform.http.post(f"{platform.base}/gateway/create", data=form) as response:
            answer = await response.json()
    else:
        answer = await platform.create(**changes)
    assert answer["code"] == code
    assert word in answer["msg"]


async def test_bad_signature_is_refused_for_every_operation(platform: Platform) -> None:
    order = await platform.create()
    number = order["out_trade_no"]
    for operation in ("create", "query", "close"):
        answer = await platform.call(operation, out_trade_no=number, sign="0" * 32)
        assert answer["code"] == "1001"
    assert (await platform.call("query", out_trade_no=number))["status"] == "WAIT"


async def test_unknown_account_is_refused_unsigned(platform: Platform) -> None:
    answer = await platform.call("query", mch_id="nobody", out_trade_no="X")
    assert answer["code"] == "1001"
    assert "sign" not in answer


@pytest.mark.parametrize("body", [b"a=1&a=2", b"\xff\xfe", b"a=%ff", b"novalue", b"x=1&" * 99])
async def test_unreadable_bodies_are_refused(platform: Platform, body: bytes) -> None:
    async with platform.http.post(f"{platform.base}/gateway/create", data=body) as response:
        assert response.status == 200
        assert (await response.json())["code"] == "1002"


async def test_close(platform: Platform) -> None:
    order = await platform.create()
    closed = await platform.call("close", out_trade_no=order["out_trade_no"])
    assert closed["status"] == "CLOSED"
    status, answer = await platform.ask("pay", {"url": order["pay_url"], "outcome": "paid"})
    assert status == 409
    assert "CLOSED" in answer["error"]
    paid = await platform.create()
    await platform.pay(paid, "paid")
    late = await platform.call("close", out_trade_no=paid["out_trade_no"])
    assert (late["status"], late["paid_amount"]) == ("SUCCESS", "12.34")


async def test_unknown_order(platform: Platform) -> None:
    for operation in ("query", "close"):
        assert (await platform.call(operation, out_trade_no="NONE"))["code"] == "1404"
    assert (await platform.call("query"))["code"] == "1002"


async def test_accounts_do_not_see_each_other(tmp_path: Path, receiver: Receiver) -> None:
    other = {"mch_id": "880002", "key": "k2", "name": "B"}
    settings = config(tmp_path)
    settings["accounts"].append(other)
    async with start(settings) as ready, aiohttp.ClientSession() as http:
        platform = Platform(http, ready, receiver.url)
        order = await platform.create()
        answer = await platform.call("query", mch_id="880002", out_trade_no=order["out_trade_no"])
        assert answer["code"] == "1001"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"accounts": []}, "accounts"),
        ({"accounts": [{"mch_id": MCH_ID, "key": "", "name": "x"}]}, "key"),
        ({"callback_delays_s": []}, "callback_delays_s"),
        ({"callback_delays_s": [-1]}, "callback_delays_s"),
        ({"control_token": "short"}, "control_token"),
        ({"host": "192.0.2.1"}, "host"),
        ({"expires_in_s": 0}, "expires_in_s"),
        ({"pay_types": [{"code": "x", "min": "2.00", "max": "1.00"}]}, "pay_types"),
    ],
)
async def test_bad_configuration_is_named(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    with pytest.raises(ConfigError, match=word):
        async with start(config(tmp_path, **changes)):
            pass


async def test_a_home_has_one_process(tmp_path: Path) -> None:
    async with start(config(tmp_path)):
        with pytest.raises(ConfigError, match="already uses"):
            async with start(config(tmp_path)):
                pass
