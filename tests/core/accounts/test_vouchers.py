"""What prepayments, adjustments and pay-ins share: numbers, causes, undoing, pages."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.adjustments import Correction
from core.accounts.vouchers import (
    MAX_MOVED,
    UNDO_WITHIN,
    USDT,
    Advance,
    Cause,
    VoucherReceipt,
    check_moved,
    convert,
    money_of,
)
from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, Money, exchange_back
from tests.core.support import CHAT, FINANCE, NORTHWIND_CHAT, OPS_CHAT, SUPPLIER_CHAT, Desk

FAR = (date(2000, 1, 1), date(2100, 1, 1))


def fen(minor: int) -> Money:
    return Money(minor, "CNY")


async def prepay(desk: Desk, minor: int, message_id: int, line: int = 1) -> VoucherReceipt:
    actor = await desk.actor(FINANCE)
    return await desk.runtime.accounts.prepayments.record(
        actor, desk.merchant, Advance(fen(minor), "r"), Cause(CHAT, message_id, line)
    )


async def adjust(desk: Desk, minor: int, message_id: int, line: int = 1) -> VoucherReceipt:
    actor = await desk.actor(FINANCE)
    return await desk.runtime.accounts.adjustments.record(
        actor, desk.merchant, Correction(fen(minor), "why"), Cause(CHAT, message_id, line)
    )


async def test_kinds_at_once_share_one_row_of_numbers(desk: Desk) -> None:
    """Different kinds lock different balances; their numbers come from one sequence."""
    verbs = [prepay, adjust] * 10
    receipts = await asyncio.gather(*(verb(desk, 100, n, n) for n, verb in enumerate(verbs, 1)))
    numbers = {receipt.record_no for receipt in receipts}
    assert numbers == {f"{desk.merchant.merchant_no}-{n}" for n in range(1, 21)}
    in_order = sorted(receipts, key=lambda r: int(r.record_no.partition("-")[2]))
    for former, receipt in pairwise(in_order):
        assert receipt.before_minor == former.after_minor
    assert in_order[-1].after_minor == 0
    await desk.sound()


async def test_the_same_causes_at_once_and_again_are_booked_once(desk: Desk) -> None:
    twins = await asyncio.gather(*(adjust(desk, -500, 1) for _ in range(5)))
    assert all(receipt == twins[0] for receipt in twins)
    assert await prepay(desk, 100, 1) == twins[0], "the line has moved its money"
    assert await desk.balances() == {"adjust": 500, "payable": -500}
    said = [say.screen for say in await desk.said()]
    assert said == ["adjusted"]
    store = desk.runtime.system.store
    assert await store.fetchval("SELECT count(*) FROM audit WHERE action = 'adjusted'") == 1
    assert await desk.runtime.accounts.vouchers.booked_lines(CHAT, 1) == {1: twins[0].record_no}
    assert await desk.runtime.accounts.vouchers.booked_lines(CHAT, 2) == {}


async def test_pages_are_newest_first_and_sum_up_all_of_them(desk: Desk, neighbour: Desk) -> None:
    vouchers, merchant_id = desk.runtime.accounts.vouchers, desk.merchant.id
    empty = await vouchers.page(merchant_id, "prepayment", FAR, 3)
    assert (empty.lines, empty.count, empty.sum_minor, empty.page, empty.pages) == ((), 0, 0, 1, 1)
    receipts = [await prepay(desk, 100 * n, n) for n in range(1, 13)]
    await adjust(desk, 7, 50)
    actor = await neighbour.actor(FINANCE, NORTHWIND_CHAT)
    await desk.runtime.accounts.prepayments.record(
        actor, neighbour.merchant, Advance(fen(9), ""), Cause(NORTHWIND_CHAT, 1, 1)
    )
    undone = receipts[4]
    await desk.runtime.accounts.prepayments.undo(
        await desk.actor(FINANCE), desk.merchant, undone.voucher_id, Cause(CHAT, 60, 0)
    )
    first = await vouchers.page(merchant_id, "prepayment", FAR, 1)
    second = await vouchers.page(merchant_id, "prepayment", FAR, 2)
    assert (first.count, first.pages, first.page, len(first.lines)) == (12, 2, 1, 10)
    assert first.sum_minor == second.sum_minor == 100 * (78 - 5)
    lines = first.lines + second.lines
    assert [line.record_no for line in lines] == [r.record_no for r in reversed(receipts)]
    assert [bool(line.undone_by) for line in reversed(lines)].index(True) == 4
    assert lines[0].id == receipts[-1].voucher_id
    assert await vouchers.page(merchant_id, "prepayment", FAR, 99) == second
    (adjusted,) = (await vouchers.page(merchant_id, "adjustment", FAR, 1)).lines
    assert (adjusted.minor, adjusted.remark, adjusted.proof) == (7, "why", False)
    await desk.sound()


async def test_an_undo_on_the_next_day_is_a_line_of_its_own_there(desk: Desk) -> None:
    vouchers, holder = desk.runtime.accounts.vouchers, desk.merchant.id
    desk.clock.go_to_noon()
    desk.clock.advance(11.9 * 3600)
    receipt = await prepay(desk, 500, 1)
    desk.clock.advance(20 * 60)
    actor = await desk.actor(FINANCE)
    await desk.runtime.accounts.prepayments.undo(
        actor, desk.merchant, receipt.voucher_id, Cause(CHAT, 2, 0)
    )
    day = receipt.day
    following = day + timedelta(days=1)
    before = await vouchers.page(holder, "prepayment", (day, day), 1)
    after = await vouchers.page(holder, "prepayment", (following, following), 1)
    both = await vouchers.page(holder, "prepayment", (day, following), 1)
    assert [(line.minor, bool(line.undone_by)) for line in before.lines] == [(500, True)]
    assert [(line.minor, bool(line.undone_by)) for line in after.lines] == [(-500, False)]
    assert [page.sum_minor for page in (before, after, both)] == [500, -500, 0]
    assert (both.count, both.lines) == (1, before.lines)


async def test_what_another_chat_does_not_see_is_not_found(desk: Desk) -> None:
    receipt = await prepay(desk, 500, 1)
    voucher_id = receipt.voucher_id
    find = desk.runtime.accounts.vouchers.find
    found = await find(await desk.actor(FINANCE, CHAT), voucher_id)
    assert (found.holder_id, found.kind.name) == (desk.merchant.id, "prepayment")
    assert (found.cause, found.receipt) == (Cause(CHAT, 1, 1), receipt)
    assert await find(await desk.actor(FINANCE, OPS_CHAT), voucher_id) == found
    for chat_id, wanted in ((NORTHWIND_CHAT, voucher_id), (SUPPLIER_CHAT, voucher_id)):
        with pytest.raises(Refusal, match="not found"):
            await find(await desk.actor(FINANCE, chat_id), wanted)
    with pytest.raises(Refusal, match="not found"):
        await find(await desk.actor(FINANCE), uuid4())


async def test_a_kind_undoes_its_own_only_and_in_time(desk: Desk) -> None:
    receipt = await adjust(desk, 500, 1)
    actor, adjustment_id = await desk.actor(FINANCE), receipt.voucher_id
    undo = desk.runtime.accounts.adjustments.undo
    with pytest.raises(Refusal, match="not found"):
        await desk.runtime.accounts.prepayments.undo(
            actor, desk.merchant, adjustment_id, Cause(CHAT, 2, 0)
        )
    desk.clock.advance(UNDO_WITHIN.total_seconds() + 1)
    with pytest.raises(Refusal, match="30 min"):
        await undo(actor, desk.merchant, adjustment_id, Cause(CHAT, 2, 0))
    assert await desk.balances() == {"adjust": -500, "payable": 500}


@given(
    st.sampled_from([c for c in EXPONENTS if c != USDT]),
    st.integers(-(10**16), 10**16),
    st.decimals(min_value="0.00000001", max_value=999999, places=8),
    st.booleans(),
)
def test_what_is_converted_agrees_to_the_smallest_unit(
    currency: str, minor: int, rate: Decimal, in_usdt: bool
) -> None:
    advance = Advance(Money(minor, USDT if in_usdt else currency), "", rate)
    try:
        found = convert(advance, currency)
    except Refusal:
        return
    assert (found.amount.currency, found.original.currency) == (currency, USDT)
    assert (found.original if in_usdt else found.amount) == advance.amount
    exact = found.original.decimal() * rate
    error = abs(found.amount.decimal() - exact)
    unit = Decimal(1).scaleb(-EXPONENTS[currency]) if in_usdt else rate.scaleb(-EXPONENTS[USDT])
    assert error * 2 <= unit * Decimal("1.000001")
    assert convert(Advance(-advance.amount, "", rate), currency).amount == -found.amount


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "usdt_minor"),
    [
        (70000, "CNY", "7.2", 97_222_222),
        (-70000, "CNY", "7.2", -97_222_222),
        (5, "CNY", "100000", 1),  # 0.0000005: half a unit goes up
        (4, "CNY", "100000", 0),
        (1, "JPY", "3", 333_333),
        (1, "KWD", "0.3", 3_333),
    ],
)
def test_what_left_as_usdt(minor: int, currency: str, rate: str, usdt_minor: int) -> None:
    assert exchange_back(Money(minor, currency), Decimal(rate), USDT) == Money(usdt_minor, USDT)


@pytest.mark.parametrize(
    ("text", "currency", "minor", "code"),
    [
        ("1000", "JPY", 1000, ""), ("0.5", "JPY", 0, "amount_invalid"),
        ("1.234", "KWD", 1234, ""), ("1.2345", "KWD", 0, "amount_invalid"),
        ("1.50", "CNY", 150, ""), ("1.005", "CNY", 0, "amount_invalid"),
        ("100000000", "KWD", 10**11, ""), ("-100000000.000", "KWD", -(10**11), ""),
        ("100000000.01", "CNY", 0, "amount_over_limit"),
        ("-99999999999999999999999", "USDT", 0, "amount_over_limit"),
    ],
)  # fmt: skip
def test_typed_amounts_have_the_currencys_decimals_and_a_limit(
    text: str, currency: str, minor: int, code: str
) -> None:
    if not code:
        assert money_of(Decimal(text), currency) == Money(minor, currency)
        return
    with pytest.raises(Refusal) as error:
        money_of(Decimal(text), currency)
    assert error.value.code == code
    if code == "amount_over_limit":
        assert error.value.facts["limit"].startswith(f"{MAX_MOVED:,}")


def test_nothing_and_too_much_cannot_be_moved() -> None:
    check_moved(Money(MAX_MOVED * 100, "CNY"), example="+1")
    for minor, code in ((0, "amount_invalid"), (-(MAX_MOVED * 100 + 1), "amount_over_limit")):
        with pytest.raises(Refusal) as error:
            check_moved(Money(minor, "CNY"), example="+1")
        assert error.value.code == code
    for advance, currency in (
        (Advance(fen(100), "", Decimal(7)), "USDT"),
        (Advance(fen(100), "", Decimal(7)), "JPY"),
        (Advance(Money(100, USDT), "", Decimal(7)), "USDT"),
        (Advance(Money(100, USDT), ""), "CNY"),
        (Advance(fen(1), "", Decimal(999999)), "CNY"),
    ):
        with pytest.raises(Refusal, match="not an amount"):
            convert(advance, currency)
