"""Adjustments: corrections with a reason, in the merchant's favour or to its charge."""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts.adjustments import Correction
from core.accounts.vouchers import MAX_REMARK_CHARS, Cause, VoucherReceipt
from core.delivery.outbox import Bill
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import ANONYMOUS_ADMIN_ID
from tests.core.support import ADMIN, CHAT, FINANCE, OPERATOR, OWNER, SPRUCE_STAFF, Desk, facts


async def adjust(
    desk: Desk, minor: int, message_id: int, *, user_id: int = FINANCE, **more: Any
) -> VoucherReceipt:
    reason, currency = more.pop("reason", " wrong fee "), more.pop("currency", "CNY")
    correction = Correction(Money(minor, currency), reason, **more)
    return await desk.runtime.accounts.adjustments.record(
        await desk.actor(user_id), desk.merchant, correction, Cause(CHAT, message_id, 1)
    )


async def test_an_adjustment_moves_payable_and_is_undone_exactly(desk: Desk) -> None:
    receipt = await adjust(desk, -2000, 1, proof_file_id="picture")
    assert (receipt.minor, receipt.remark, receipt.proof) == (-2000, "wrong fee", True)
    assert (receipt.before_minor, receipt.after_minor) == (0, 2000)
    assert receipt.record_no == f"{desk.merchant.merchant_no}-1"
    assert await desk.balances() == {"adjust": 2000, "payable": -2000}
    put_out = await facts(desk.runtime, CHAT)
    assert any(isinstance(fact, Bill) and fact.reply_to is None for fact in put_out)
    assert await adjust(desk, -2000, 1) == receipt
    owner = await desk.actor(OWNER)
    undo, adjustment_id = desk.runtime.accounts.adjustments.undo, receipt.voucher_id
    undone = await undo(owner, desk.merchant, adjustment_id, Cause(CHAT, 2, 0))
    assert (undone.minor, undone.before_minor, undone.after_minor) == (2000, 2000, 0)
    assert undone.reverses_no == receipt.record_no
    assert await undo(owner, desk.merchant, adjustment_id, Cause(CHAT, 2, 0)) == undone
    with pytest.raises(Refusal, match="already undone"):
        await undo(owner, desk.merchant, adjustment_id, Cause(CHAT, 3, 0))
    assert await desk.balances() == {}
    row = await desk.runtime.system.store.fetchrow(
        "SELECT kind, proof_file_id, original_minor, conversion_rate FROM voucher WHERE seq = 1"
    )
    assert tuple(row or ()) == ("adjustment", "picture", -2000, None)
    await desk.sound()


async def test_what_cannot_be_adjusted_writes_nothing(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"minor": 5, "reason": " \n"}, "reason_missing"),
        ({"minor": 0}, "amount_invalid"),
        ({"minor": 5, "currency": "USD"}, "amount_invalid"),
        ({"minor": 10**10 + 1}, "amount_over_limit"),
        ({"minor": 5, "user_id": OPERATOR}, "not_permitted"),
        ({"minor": 5, "user_id": SPRUCE_STAFF}, "not_permitted"),
        ({"minor": 5, "user_id": ANONYMOUS_ADMIN_ID}, "anonymous_admin"),
    ]
    for more, code in cases:
        with pytest.raises(Refusal) as error:
            await adjust(desk, message_id=1, **more)
        assert error.value.code == code
    assert await desk.balances() == {}
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM cause") == 0
    receipt = await adjust(desk, 5, 1, user_id=ADMIN, reason="y" * 500)
    assert len(receipt.remark) == MAX_REMARK_CHARS
    with pytest.raises(Refusal) as error:
        await desk.runtime.accounts.adjustments.undo(
            await desk.actor(OPERATOR), desk.merchant, receipt.voucher_id,
            Cause(CHAT, 2, 0),
        )  # fmt: skip
    assert error.value.code == "not_permitted"
