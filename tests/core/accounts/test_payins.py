"""Pay-ins: what a supplier paid of what it owes us, in the desk's own books."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.accounts.vouchers import USDT, Advance, Cause, VoucherReceipt
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.suppliers import Supplier
from tests.core.support import (
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    SUPPLIER_CHAT,
    SUPPLIER_STAFF,
    Desk,
    balances,
    facts,
)


async def supplier(desk: Desk, number: str = "S01") -> Supplier:
    return await desk.runtime.parties.suppliers.by_no(number)


async def pay_in(
    desk: Desk, minor: int, message_id: int, *, user_id: int = FINANCE, **more: Any
) -> VoucherReceipt:
    advance = Advance(more.pop("amount", Money(minor, "CNY")), "wire", **more)
    return await desk.runtime.accounts.payins.record(
        await desk.actor(user_id, SUPPLIER_CHAT), await supplier(desk), advance,
        Cause(SUPPLIER_CHAT, message_id, 1),
    )  # fmt: skip


async def test_a_payin_lowers_what_the_supplier_owes(desk: Desk, neighbour: Desk) -> None:
    owed = 0
    for shop in (desk, neighbour):
        opened = await shop.open()
        await shop.see(opened, 10000)
        owed -= sum(v for k, v in (await shop.balances()).items() if k == "due/S01")
    assert owed > 0
    receipt = await pay_in(desk, 5000, 1, proof_file_id="slip")
    assert (receipt.record_no, receipt.holder_no) == ("S01-1", "S01")
    assert (receipt.before_minor, receipt.after_minor) == (owed, owed - 5000)
    assert await pay_in(desk, 5000, 1) == receipt
    house = await balances(desk.runtime, HOUSE)
    assert house == {"bank": -5000, "supplier/S01/settled": 5000}
    back = await pay_in(desk, -1000, 2)
    assert (back.record_no, back.after_minor) == ("S01-2", owed - 4000)
    said = [f for f in await facts(desk.runtime, SUPPLIER_CHAT) if isinstance(f, Say)]
    assert [say.screen for say in said] == ["paid_in", "paid_in"]
    actor, payin_id = await desk.actor(FINANCE, SUPPLIER_CHAT), receipt.voucher_id
    undo, whose = desk.runtime.accounts.payins.undo, await supplier(desk)
    undone = await undo(actor, whose, payin_id, Cause(SUPPLIER_CHAT, 3, 0))
    assert (undone.minor, undone.after_minor) == (-5000, owed + 1000)
    assert await undo(actor, whose, payin_id, Cause(SUPPLIER_CHAT, 3, 0)) == undone
    with pytest.raises(Refusal, match="already undone"):
        await undo(actor, whose, payin_id, Cause(SUPPLIER_CHAT, 4, 0))
    with pytest.raises(Refusal, match="not found"):
        await undo(
            await desk.actor(FINANCE, OPS_CHAT), await supplier(desk, "S02"), payin_id,
            Cause(OPS_CHAT, 5, 0),
        )  # fmt: skip
    with pytest.raises(Refusal, match="No supplier S02"):  # of which nobody hears here
        await undo(actor, await supplier(desk, "S02"), payin_id, Cause(SUPPLIER_CHAT, 5, 0))
    page = await desk.runtime.accounts.vouchers.page(
        whose.id, "payin", (date(2000, 1, 1), date(2100, 1, 1)), 1
    )
    assert (page.count, page.sum_minor, page.lines[1].proof) == (2, -1000, True)
    await desk.sound()


async def test_twenty_at_once_have_numbers_of_their_own(desk: Desk) -> None:
    receipts = await asyncio.gather(*(pay_in(desk, 100, n) for n in range(1, 21)))
    assert {r.record_no for r in receipts} == {f"S01-{n}" for n in range(1, 21)}
    assert sorted(r.after_minor for r in receipts) == [-100 * n for n in range(20, 0, -1)]


async def test_usdt_is_kept_and_booked_as_what_it_came_to(desk: Desk) -> None:
    receipt = await pay_in(
        desk, 0, 1, amount=Money(100_000_000, USDT), conversion_rate=Decimal("7.2")
    )
    assert (receipt.minor, receipt.original_minor) == (72000, 100_000_000)
    assert await balances(desk.runtime, HOUSE) == {"bank": -72000, "supplier/S01/settled": 72000}
    assert await balances(desk.runtime, HOUSE, currency=USDT) == {}
    await desk.sound()


async def test_a_payin_is_of_the_suppliers_own_day(desk: Desk) -> None:
    """Opened where it is due, even days later; the desk's day may be another one."""
    noon = desk.clock.go_to_noon()
    desk.clock.advance(3 * 86_400)
    receipt = await pay_in(desk, 100, 1)
    whose = await supplier(desk)
    assert receipt.day == whose.day_cut.day_of(desk.clock.now())
    assert receipt.day == (noon + timedelta(days=3)).date()
    await desk.runtime.system.store.execute(
        "UPDATE business_day SET day = day + 400 WHERE holder_id = $1 AND closed_at IS NULL",
        whose.id,
    )
    assert (await pay_in(desk, 100, 2)).day > noon.date() + timedelta(399)


async def test_who_may_not_and_what_is_none_moves_nothing(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"minor": 5, "user_id": OPERATOR}, "not_permitted"),
        ({"minor": 5, "user_id": SUPPLIER_STAFF}, "not_permitted"),
        ({"minor": 0}, "amount_invalid"),
        ({"minor": 5, "amount": Money(5, "USD")}, "amount_invalid"),
        ({"minor": -(10**10) - 1}, "amount_over_limit"),
    ]
    for more, code in cases:
        with pytest.raises(Refusal) as error:
            await pay_in(desk, message_id=1, **more)
        assert error.value.code == code
    receipt = await pay_in(desk, 5, 1)
    with pytest.raises(Refusal) as error:
        await desk.runtime.accounts.payins.undo(
            await desk.actor(OPERATOR, SUPPLIER_CHAT), await supplier(desk),
            receipt.voucher_id, Cause(SUPPLIER_CHAT, 2, 0),
        )  # fmt: skip
    assert error.value.code == "not_permitted"
    assert await balances(desk.runtime, HOUSE) == {"bank": -5, "supplier/S01/settled": 5}
