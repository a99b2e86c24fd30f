"""What is true of the supplier in whatever dialect it is spoken to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.process import ConfigError
from sandbox.supplier.app import start
from tests.sandbox.supplier.peer import Platform, Receiver, config
from tests.sandbox.supplier.tongues import ACCOUNTS, TONGUES, Said, Tongue

pytestmark = pytest.mark.parametrize("dialect", list(TONGUES))
OPERATIONS = ("create", "query", "close", "refund", "refund_query", "balance")


@pytest.fixture
def tongue(desk: Platform, dialect: str) -> Tongue:
    return TONGUES[dialect](desk.http, desk.ready, desk.notify)


async def ask(tongue: Tongue, operation: str) -> Said:
    """Any operation about A1 and its refund R1."""
    if operation == "create":
        return await tongue.create("A1")
    facts = {"out_trade_no": "A1", "out_refund_no": "R1", "refund_amount": "1.00"}
    return await tongue.ask(operation, facts)


async def paid(desk: Platform, tongue: Tongue, number: str, outcome: str = "paid") -> None:
    order = await tongue.create(number)
    await desk.pay(order.facts, outcome)


async def test_an_order_lives(desk: Platform, tongue: Tongue) -> None:
    first = await tongue.create("A1")
    assert first.code == "0"
    assert first["pay_url"] == f"{desk.base}/pay/{first['trade_no']}"
    again = await tongue.create("A1")
    assert {**again.facts, "nonce": "", "sign": ""} == {**first.facts, "nonce": "", "sign": ""}
    assert (first.status, again.status) == (
        (201, 200) if tongue.name == "hmac_json" else (200, 200)
    )
    assert (await tongue.create("A1", amount="12.35")).code == "1009"
    waiting = await tongue.query("A1")
    assert (waiting["status"], waiting["amount"]) == ("WAIT", "12.34")
    assert waiting["trade_no"] == first["trade_no"]
    assert (await tongue.ask("close", {"out_trade_no": "A1"}))["status"] == "CLOSED"
    for operation in ("query", "close"):
        missing = await tongue.ask(operation, {"out_trade_no": "NONE"})
        assert (missing.code, missing.status) == ("1404", tongue.http_error.get("1404", 200))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "0.00"}, "1002"),
        ({"amount": "50000.01"}, "1005"),
        ({"pay_type": "cash"}, "1003"),
        ({"subject": "two\nlines"}, "1002"),
        ({"notify_url": "ftp://127.0.0.1/"}, "1002"),
        ({"out_trade_no": "A" * 33}, "1002"),
    ],
)
async def test_what_cannot_be_opened_is_refused(
    tongue: Tongue, changes: dict[str, str], code: str
) -> None:
    refused = await tongue.create("A1", **changes)
    assert refused.code == code
    assert refused.status == (400 if tongue.name == "hmac_json" else 200)
    assert (await tongue.query("A1")).code == "1404"


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_only_who_signs_now_is_heard(desk: Platform, tongue: Tongue, operation: str) -> None:
    facts = {"out_trade_no": "A1", "out_refund_no": "R1", "refund_amount": "1.00"}
    if operation == "create":
        facts |= {"pay_type": "alipay_qr", "amount": "1.00", "subject": "x", "client_ip": "::1"}
        facts["notify_url"] = desk.notify
    for sign in ("0" * 32, "签", "AAAA", ""):
        assert (await tongue.ask(operation, facts, sign=sign)).code == "1001"
    old = await tongue.ask(operation, facts, at=str(int(time.time()) - 301))
    assert old.code == "1002"
    assert "timestamp" in old["msg"]
    assert (await tongue.query("A1")).code == "1404"


async def test_an_account_has_one_dialect(desk: Platform, tongue: Tongue) -> None:
    """Another account's number is unknown here, whatever it is signed with."""
    for name, mch_id in ACCOUNTS.items():
        if name == tongue.name:
            continue
        if tongue.name == "hmac_json":
            headers = {"X-Key-Id": mch_id, "X-Timestamp": "1", "X-Signature": "0"}
            async with desk.http.get(f"{desk.base}/v1/balance", headers=headers) as answer:
                assert answer.status == 400
                assert "X-Signature" not in answer.headers
                assert (await answer.json())["error"]["code"] == "bad_signature"
        elif tongue.name == "rsa":
            form = {"app_id": mch_id, "method": "account.balance", "sign": "AA=="}
            async with desk.http.post(f"{desk.base}/openapi", data=form) as answer:
                told = (await answer.json())["account_balance_response"]
                assert told["sub_code"] == "SIGN.INVALID"
        else:
            form = {"mch_id": mch_id, "sign": "0"}
            async with desk.http.post(f"{desk.base}/gateway/balance", data=form) as answer:
                assert (await answer.json())["code"] == "1001"


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"{", b'{"a":1,"a":2}', b"a=1&a=2", b"x=1&" * 99, b"[" * 60_000],
)
async def test_what_cannot_be_read_is_refused(desk: Platform, tongue: Tongue, body: bytes) -> None:
    path = {"md5_form": "/gateway/create", "hmac_json": "/v1/payments", "rsa": "/openapi"}
    async with desk.http.post(desk.base + path[tongue.name], data=body) as answer:
        assert answer.status == (400 if tongue.name == "hmac_json" else 200)
        assert b"must" in await answer.read() or b"missing" in await answer.read()


@pytest.mark.parametrize(
    ("outcome", "paid_amount", "status"),
    [
        ("paid", "12.34", "SUCCESS"),
        ("less", "11.34", "SUCCESS"),
        ("more", "13.34", "SUCCESS"),
        ("twice", "12.34", "SUCCESS"),
        ("fail", "", "FAIL"),
        ("delay", "12.34", "SUCCESS"),
    ],
)
async def test_what_the_payer_did_is_told(
    desk: Platform, tongue: Tongue, receiver: Receiver, outcome: str, paid_amount: str, status: str
) -> None:
    order = await tongue.create("A1")
    receiver.answers = [(500, "busy")]
    receipt = await desk.pay(order.facts, outcome, delay_s=0.05)
    told = 2 if outcome == "twice" else 1
    await receiver.heard(told + 1)
    said = [tongue.read(*raw) for raw in receiver.raw]
    assert {one["trade_no"] for one in said if one} == set(receipt["trade_nos"])
    for one in said:
        assert one is not None
        assert (one["out_trade_no"], one["status"], one["amount"]) == ("A1", status, "12.34")
        assert (one["mch_id"], one.facts.get("paid_amount", "")) == (tongue.mch_id, paid_amount)
    found = await tongue.query("A1")
    assert (found["status"], found.facts.get("paid_amount", "")) == (status, paid_amount)
    assert [one["state"] for one in await desk.settled({"out_trade_no": "A1"})] == (
        ["delivered"] * told
    )


async def test_a_lost_callback_is_found_by_a_query(
    desk: Platform, tongue: Tongue, receiver: Receiver
) -> None:
    await paid(desk, tongue, "A1", "lose_callback")
    assert (await tongue.query("A1"))["status"] == "SUCCESS"
    assert [one["state"] for one in await desk.callbacks({"out_trade_no": "A1"})] == ["lost"]
    assert receiver.raw == []


async def test_forged_and_spoiled_callbacks(
    desk: Platform, tongue: Tongue, receiver: Receiver
) -> None:
    await tongue.create("A1")
    await desk.ask("callback", {"out_trade_no": "A1", "sign": "wrong"})
    changes = {"paid_amount": "99.00", "mch_id": "880099"}
    await desk.ask("callback", {"out_trade_no": "A1", "overrides": changes})
    await desk.ask("callback", {"out_trade_no": "A1", "overrides": {"sign": "x"}})
    await desk.ask("callback", {"out_trade_no": "A1", "overrides": {"paid_amount": None}})
    forged, changed, replaced, unsaid = (tongue.read(*raw) for raw in receiver.raw)
    assert forged is None
    assert changed is not None
    assert (changed["paid_amount"], changed["mch_id"]) == ("99.00", "880099")
    assert replaced is None
    assert unsaid is not None
    assert "paid_amount" not in unsaid.facts
    receiver.answers = [(400, "no"), (400, "no")]
    for kind in ("refuse", "garbage"):
        await desk.fault(operation="callback", kind=kind)
    await paid(desk, tongue, "A2")
    await receiver.heard(7)
    assert tongue.read(*receiver.raw[4]) is None
    assert b"nginx" in receiver.raw[5][1]
    assert tongue.read(*receiver.raw[6]) is not None


@pytest.mark.parametrize(
    "answer", [(200, "success"), (204, ""), (200, "ok"), (302, ""), (500, "success")]
)
async def test_when_a_callback_is_delivered(
    desk: Platform, tongue: Tongue, receiver: Receiver, answer: tuple[int, str]
) -> None:
    taken = answer[0] < 300 if tongue.name == "hmac_json" else answer == (200, "success")
    receiver.answers = [answer]
    await paid(desk, tongue, "A1")
    [callback] = await desk.settled({"out_trade_no": "A1"})
    assert callback["state"] == "delivered"
    assert len(callback["tries"]) == (1 if taken else 2)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_faults_spoil_every_operation(desk: Platform, tongue: Tongue, operation: str) -> None:
    if operation != "create":
        await paid(desk, tongue, "A1")
    if operation == "refund_query":
        await ask(tongue, "refund")
    await desk.fault(operation=operation, kind="refuse", code="1005")
    assert (await ask(tongue, operation)).code == "1005"
    for kind in ("500", "garbage"):
        await desk.fault(operation=operation, kind=kind)
        with pytest.raises((ValueError, KeyError, aiohttp.ContentTypeError)):
            await ask(tongue, operation)
    # A GET that was cut off is sent once more by the client itself.
    await desk.fault(operation=operation, kind="timeout", delay_s=0.01, times=2)
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(tongue, operation)
    await desk.fault(operation=operation, kind="clear")
    await desk.fault(operation="any", kind="late", delay_s=0.05)
    began = time.monotonic()
    assert (await ask(tongue, operation)).code == "0"
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("after", [False, True])
async def test_a_fault_comes_before_or_after_the_work(
    desk: Platform, tongue: Tongue, after: bool
) -> None:
    for operation, name in (("create", "query"), ("refund", "refund_query")):
        await desk.fault(operation=operation, kind="timeout", delay_s=0.01, after=after)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(tongue, operation)
        assert ((await ask(tongue, name)).code == "0") == after
        if operation == "create":
            await paid(desk, tongue, "A1")


async def test_refunds_happen_once_and_never_beyond_what_was_paid(
    desk: Platform, tongue: Tongue
) -> None:
    await tongue.create("A1")
    assert (await tongue.refund("A1", "R0", "1.00")).code == "1006"
    await paid(desk, tongue, "A1", "less")
    first = await tongue.refund("A1", "R1", "10.00")
    assert (first["refund_status"], first["refund_amount"]) == ("SUCCEEDED", "10.00")
    again = await tongue.refund("A1", "R1", "10.00")
    assert again["refund_no"] == first["refund_no"]
    assert (await tongue.refund("A1", "R1", "9.00")).code == "1009"
    assert (await tongue.refund("A1", "R2", "1.35")).code == "1007"
    assert (await tongue.refund("A1", "R2", "1.34")).code == "0"
    found = await tongue.ask("refund_query", {"out_refund_no": "R2"})
    assert (found["out_trade_no"], found["refund_status"]) == ("A1", "SUCCEEDED")
    for refused, code in (
        (await tongue.ask("refund_query", {"out_refund_no": "R9"}), "1405"),
        (await tongue.refund("NONE", "R9", "1.00"), "1404"),
        (await tongue.refund("A1", "R" * 33, "1.00"), "1002"),
        (await tongue.refund("A1", "R9", "0.00"), "1002"),
    ):
        assert refused.code == code
    assert (await tongue.query("A1"))["status"] == "SUCCESS"
    await paid(desk, tongue, "A2")
    assert (await tongue.refund("A2", "R1", "10.00")).code == "1009"


async def test_a_refund_ends_as_it_was_told_to(desk: Platform, tongue: Tongue) -> None:
    await paid(desk, tongue, "A1")
    await desk.ask("refund_outcome", {"outcome": "fail"})
    assert (await tongue.refund("A1", "R1", "12.34"))["refund_status"] == "FAILED"
    await desk.ask("refund_outcome", {"outcome": "delay", "delay_s": 600})
    for number in ("R2", "R3"):
        assert (await tongue.refund("A1", number, "4.00"))["refund_status"] == "PROCESSING"
    assert (await tongue.refund("A1", "R4", "5.00")).code == "1007"
    status, told = await desk.ask("refund_outcome", {"outcome": "fail", "out_refund_no": "R2"})
    assert (status, told["status"]) == (200, "FAILED")
    await desk.ask("refund_outcome", {"outcome": "delay", "delay_s": 0, "out_refund_no": "R3"})
    found = await tongue.ask("refund_query", {"out_refund_no": "R3"})
    assert found["refund_status"] == "SUCCEEDED"
    over = await desk.ask("refund_outcome", {"outcome": "succeed", "out_refund_no": "R3"})
    assert over[0] == 409
    await desk.ask("refund_outcome", {"outcome": "succeed"})
    assert (await tongue.refund("A1", "R5", "8.34"))["refund_status"] == "SUCCEEDED"
    async with desk.http.get(f"{desk.control}/orders") as response:
        [order] = (await response.json())["orders"]
    assert [one["status"] for one in order["refunds"]] == [
        "FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED"
    ]  # fmt: skip
    async with desk.http.get(order["pay_url"] + "?lang=en") as response:
        page = await response.text()
    assert page.count('data-testid="refund"') == 4
    assert "Refunded" in page
    assert "¥8.34" in page


async def test_the_balance_is_paid_less_fees_less_refunded(desk: Platform, tongue: Tongue) -> None:
    assert (await tongue.ask("balance", {}))["balance"] == "0.00"
    await paid(desk, tongue, "A1", "twice")
    await paid(desk, tongue, "A2", "fail")
    assert (await tongue.ask("balance", {}))["balance"] == "24.54"
    await tongue.refund("A1", "R1", "20.00")
    await desk.ask("refund_outcome", {"outcome": "delay"})
    await tongue.refund("A1", "R2", "4.00")
    await desk.ask("refund_outcome", {"outcome": "fail"})
    await tongue.refund("A1", "R3", "0.60")
    assert (await tongue.ask("balance", {}))["balance"] == "0.54"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"outcome": "explode"}, 400, "outcome"),
        ({}, 400, "outcome"),
        ({"outcome": "delay", "delay_s": -1}, 400, "delay_s"),
        ({"outcome": "fail", "out_refund_no": "NONE"}, 404, "number"),
        ({"outcome": "fail", "refund_no": "R1"}, 400, "refund_no"),
    ],
)
async def test_bad_refund_outcomes_are_named(
    desk: Platform, dialect: str, body: dict[str, Any], status: int, word: str
) -> None:
    answered, told = await desk.ask("refund_outcome", body)
    assert answered == status
    assert word in told["error"]


@pytest.mark.parametrize(
    "changes",
    [
        {"dialect": "soap"},
        {"dialect": 7},
        {"dialect": "rsa"},
        {"dialect": "rsa", "public_key": "nonsense"},
        {"dialect": "hmac_json", "key": ""},
        {"fee_ppm": -1},
        {"fee_ppm": "6000"},
        {"fee_ppm": True},
        {"fee_ppm": 1_000_001},
    ],
)
async def test_bad_accounts_are_named(
    tmp_path: Path, dialect: str, changes: dict[str, Any]
) -> None:
    account = {"mch_id": "1", "key": "k", "name": "N", **changes}
    with pytest.raises(ConfigError, match=f"config.*{list(changes)[-1]}|public_key"):
        async with start(config(tmp_path, accounts=[account])):
            pass
