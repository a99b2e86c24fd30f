"""Suppliers' callbacks: what is not believed books nothing, what is replayed changes nothing."""

from __future__ import annotations

import pytest

from core.connectors import Callback
from core.kernel.errors import Refusal
from tests.core.support import Desk


async def stored(desk: Desk) -> list[tuple[str, str | None]]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT state, outcome FROM supplier_callback ORDER BY received_at"
    )
    return [(row["state"], row["outcome"]) for row in rows]


async def test_a_true_callback_is_stored_answered_and_acted_on(desk: Desk) -> None:
    opened = await desk.open()
    await desk.told(opened)
    assert await stored(desk) == [("waiting", None)]
    assert (await desk.order(opened)).state == "pending"
    assert await desk.runtime.trade.callbacks.act_due(10) == 1
    assert (await desk.order(opened)).state == "paid"
    assert await stored(desk) == [("done", "order")]
    assert await desk.runtime.trade.callbacks.act_due(10) == 0


async def test_a_replay_changes_nothing(desk: Desk) -> None:
    opened = await desk.open()
    await desk.pay(opened)
    before, balances = await desk.order(opened), await desk.balances()
    assert opened.attempt is not None
    answer = await desk.supplier.forge(opened.attempt.attempt_no)
    assert (answer["status"], answer["body"].strip()) == (200, "success")
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "order")]
    assert (await desk.order(opened), await desk.balances()) == (before, balances)
    await desk.sound()


async def test_what_is_forged_is_never_acted_on(desk: Desk) -> None:
    opened, other = await desk.open(), await desk.open()
    assert opened.attempt is not None
    assert other.attempt is not None
    number = opened.attempt.attempt_no
    wrong = await desk.supplier.forge(number, sign="wrong")
    assert (wrong["status"], wrong["body"].strip()) == (400, "fail")
    # a true signature, but about another attempt than its address
    astray = await desk.supplier.forge(number, overrides={"out_trade_no": other.attempt.attempt_no})
    assert astray["status"] == 400
    # a true signature of another account's key would name another mch_id
    foreign = await desk.supplier.forge(number, overrides={"mch_id": "880002"})
    assert foreign["status"] == 400
    assert await stored(desk) == []
    assert await desk.runtime.trade.callbacks.act_due(10) == 0
    assert await desk.balances() == {}
    assert (await desk.order(opened)).version == opened.order.version


@pytest.mark.parametrize("attempt_no", ["", "nonsense", "A" * 20, "A20001" + "0" * 14])
async def test_an_unknown_attempt_is_refused_without_a_word(desk: Desk, attempt_no: str) -> None:
    callback = Callback("POST", "", {}, b"status=SUCCESS", "203.0.113.9")
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.callbacks.receive(attempt_no, callback, request_id="x")
    assert error.value.code == "callback_unknown"
    assert await stored(desk) == []


async def test_an_orders_number_is_no_attempt(desk: Desk) -> None:
    opened = await desk.open()
    unwritten = desk.runtime.system.ids.number("attempt", "live", desk.merchant.tag)
    callback = Callback("POST", "", {}, b"", "203.0.113.9")
    for number in (opened.order.order_no, unwritten):
        with pytest.raises(Refusal) as error:
            await desk.runtime.trade.callbacks.receive(number, callback, request_id="x")
        assert error.value.code == "callback_unknown"


async def test_another_amount_under_a_true_signature_is_a_discrepancy(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    await desk.supplier.forge(opened.attempt.attempt_no, overrides={"paid_amount": "1.00"})
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "short")]
    assert (await desk.order(opened)).state == "pending"
    assert "payable" not in await desk.balances()
    await desk.sound()


async def test_anything_but_money_is_asked_about(desk: Desk) -> None:
    """A signed failure alone ends nothing: the supplier says by itself that it still waits."""
    opened = await desk.open()
    assert opened.attempt is not None
    await desk.supplier.forge(
        opened.attempt.attempt_no, overrides={"status": "FAIL", "paid_amount": ""}
    )
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "asked: pending")]
    assert (await desk.order(opened)).state == "pending"
