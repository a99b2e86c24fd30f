"""Prepayments: once per cause, undone by exact reversal, with a receipt that stays the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from core.accounts.vouchers import Advance, Cause, VoucherReceipt
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.runtime import Runtime
from core.system.store import Store
from tests.conftest import Servers
from tests.core.support import (
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    SPRUCE_STAFF,
    SUPPORT,
    SetClock,
    balances,
    facts,
    owner,
    set_setting,
)


class Till:
    """Somebody who records prepayments of a merchant (M1001 in its group)."""

    def __init__(self, runtime: Runtime, merchant: Merchant, chat_id: int = CHAT) -> None:
        self.runtime = runtime
        self.merchant = merchant
        self.chat_id = chat_id

    async def record(
        self, minor: int, message_id: int, *, line: int = 1, user_id: int = OPERATOR, **more: Any
    ) -> VoucherReceipt:
        actor = await self.runtime.people.access.actor(user_id, "x", self.chat_id, private=False)
        advance = Advance(more.pop("amount", Money(minor, "CNY")), "advance", **more)
        return await self.runtime.accounts.prepayments.record(
            actor, self.merchant, advance, Cause(CHAT, message_id, line)
        )

    async def undo(
        self, receipt: VoucherReceipt, message_id: int, *, user_id: int = OPERATOR
    ) -> VoucherReceipt:
        actor = await self.runtime.people.access.actor(user_id, "x", self.chat_id, private=False)
        prepayment_id = receipt.voucher_id
        return await self.runtime.accounts.prepayments.undo(
            actor, self.merchant, prepayment_id, Cause(CHAT, message_id, 1)
        )

    async def balances(self, currency: str = "CNY") -> dict[str, int]:
        return await balances(self.runtime, self.merchant.id, currency=currency)

    async def rows(self) -> int:
        """How many rows everything a prepayment writes has."""
        tables = ("voucher", "cause", "audit", "ledger_event", "ledger_entry", "balance")
        return sum([await _count(self.runtime.system.store, table) for table in tables])


async def _count(store: Store, table: str) -> int:
    return int(await store.fetchval(f"SELECT count(*) FROM {table}"))


@pytest.fixture
def till(runtime: Runtime, shop: tuple[Merchant, App]) -> Till:
    return Till(runtime, shop[0])


async def test_the_same_cause_answers_the_same_receipt(till: Till) -> None:
    first = await till.record(100000, 1)
    again = await till.record(100000, 1)
    other_text = await till.record(999, 1)
    assert first == again == other_text
    assert (first.before_minor, first.after_minor) == (0, 100000)
    assert first.record_no == "M1001-1"
    second = await till.record(-30000, 1, line=2)
    assert (second.record_no, second.after_minor) == ("M1001-2", 70000)
    assert await till.balances() == {"prepaid": -70000, "paid_out": 70000}
    said = [f.screen for f in await facts(till.runtime, CHAT) if hasattr(f, "screen")]
    assert said == ["prepaid", "prepaid"]
    assert (await till.runtime.reports.verify.whole()).differences == ()


async def test_the_same_cause_at_once_is_booked_once(till: Till) -> None:
    receipts = await asyncio.gather(*(till.record(100000, 1) for _ in range(5)))
    assert all(receipt == receipts[0] for receipt in receipts)
    assert await till.balances() == {"prepaid": -100000, "paid_out": 100000}
    assert await _count(till.runtime.system.store, "audit") == 1


async def test_an_undo_is_the_exact_negation_and_comes_once(till: Till) -> None:
    receipt = await till.record(100000, 1)
    undone = await till.undo(receipt, 2)
    assert (undone.minor, undone.reverses_no) == (-100000, "M1001-1")
    assert await till.undo(receipt, 2) == undone
    assert await till.balances() == {}
    with pytest.raises(Refusal) as error:
        await till.undo(receipt, 3)
    assert error.value.code == "already_undone"
    with pytest.raises(Refusal) as error:
        await till.undo(undone, 4)
    assert error.value.code == "record_not_found"
    assert await _count(till.runtime.system.store, "voucher") == 2
    assert (await till.runtime.reports.verify.whole()).differences == ()


async def test_two_undos_at_once_are_one(till: Till) -> None:
    receipt = await till.record(100000, 1)
    results = await asyncio.gather(
        *(till.undo(receipt, 10 + i) for i in range(4)), return_exceptions=True
    )
    codes = [r.code for r in results if isinstance(r, Refusal)]
    assert codes == ["already_undone"] * 3
    assert await till.balances() == {}


async def test_an_undo_has_its_time(till: Till, clock: SetClock) -> None:
    receipt = await till.record(100000, 1)
    clock.advance(30 * 60 + 1)
    with pytest.raises(Refusal) as error:
        await till.undo(receipt, 2)
    assert (error.value.code, error.value.facts["limit_min"]) == ("undo_too_late", "30")


async def test_a_converted_prepayment_keeps_amount_and_rate(till: Till) -> None:
    usdt = Money(100_000_000, "USDT")
    receipt = await till.record(0, 1, amount=usdt, conversion_rate=Decimal("7.2"))
    assert (receipt.minor, receipt.currency) == (72000, "CNY")
    assert (receipt.original_minor, receipt.conversion_rate) == (100_000_000, "7.2")
    assert await till.balances() == {"fx": 72000, "prepaid": -72000}
    assert await till.balances("USDT") == {"fx": -100_000_000, "paid_out": 100_000_000}
    undone = await till.undo(receipt, 2)
    assert (undone.original_minor, undone.conversion_rate) == (-100_000_000, "7.2")
    assert await till.balances() == await till.balances("USDT") == {}
    assert (await till.runtime.reports.verify.whole()).differences == ()


@pytest.mark.parametrize(
    ("amount", "rate"),
    [
        (Money(0, "CNY"), None),
        (Money(100, "USDT"), None),
        (Money(1, "USDT"), Decimal("0.001")),
        (Money(100, "USD"), Decimal("7.2")),
    ],
)
async def test_what_is_no_advance_is_refused(
    till: Till, amount: Money, rate: Decimal | None
) -> None:
    with pytest.raises(Refusal) as error:
        await till.record(0, 1, amount=amount, conversion_rate=rate)
    assert error.value.code == "amount_invalid"
    assert await till.rows() == 0


async def test_what_left_as_usdt_is_booked_as_what_was_said(till: Till) -> None:
    receipt = await till.record(70000, 1, conversion_rate=Decimal("7.2"), proof_file_id="slip")
    assert (receipt.minor, receipt.conversion_rate, receipt.proof) == (70000, "7.2", True)
    assert (receipt.original_minor, receipt.original_currency) == (97_222_222, "USDT")
    assert await till.balances() == {"fx": 70000, "prepaid": -70000}
    assert await till.balances("USDT") == {"fx": -97_222_222, "paid_out": 97_222_222}
    row = await till.runtime.system.store.fetchrow(
        "SELECT minor, original_minor, conversion_rate, proof_file_id FROM voucher"
    )
    assert tuple(row or ()) == (70000, 97_222_222, "7.2", "slip")
    await till.undo(receipt, 2)
    assert await till.balances() == await till.balances("USDT") == {}
    assert (await till.runtime.reports.verify.whole()).differences == ()


async def test_one_word_moves_so_much_and_no_more(till: Till) -> None:
    await set_setting(till.runtime, "prepay_second", None)
    before = await till.rows()
    for minor, more in (
        (10**10 + 1, {}),
        (-(10**10) - 1, {}),
        (0, {"amount": Money(15 * 10**12, "USDT"), "conversion_rate": Decimal(7)}),
        (10**10, {"conversion_rate": Decimal("0.5")}),
    ):
        with pytest.raises(Refusal) as error:
            await till.record(minor, 1, **more)
        assert error.value.code == "amount_over_limit"
        assert error.value.facts["limit"].startswith("100,000,000.00")
    assert await till.rows() == before
    assert (await till.record(10**10, 1)).after_minor == 10**10


@pytest.mark.parametrize(
    ("currency", "minor", "usdt_minor"), [("JPY", 700, 97_222_222), ("KWD", 700_005, 97_222_917)]
)
async def test_currencies_with_other_decimals(
    runtime: Runtime, currency: str, minor: int, usdt_minor: int
) -> None:
    merchant = await runtime.parties.merchants.open(
        "M1009", "Other", currency=currency, reviewed=True
    )
    till = Till(runtime, merchant, OPS_CHAT)
    receipt = await till.record(0, 1, amount=Money(minor, currency), conversion_rate=Decimal("7.2"))
    assert (receipt.minor, receipt.original_minor) == (minor, usdt_minor)
    assert await till.balances(currency) == {"fx": minor, "prepaid": -minor}
    other = await till.record(0, 2, amount=Money(100_000, "USDT"), conversion_rate=Decimal(5))
    assert other.minor == {"JPY": 1, "KWD": 500}[currency]  # 0.5 yen goes up
    assert (await till.record(0, 3, amount=Money(-5, currency))).minor == -5
    await till.undo(receipt, 4)
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_records_at_once_have_numbers_of_their_own(till: Till) -> None:
    receipts = await asyncio.gather(*(till.record(100, 1, line=i) for i in range(1, 13)))
    assert sorted(r.record_no for r in receipts) == sorted(f"M1001-{i}" for i in range(1, 13))
    by_number = sorted(receipts, key=lambda r: int(r.record_no.partition("-")[2]))
    assert [r.after_minor for r in by_number] == [100 * i for i in range(1, 13)]
    assert (await till.runtime.reports.verify.whole()).differences == ()


async def test_records_are_later_than_those_before_them_whatever_the_clocks_say(
    till: Till, clock: SetClock
) -> None:
    receipt = await till.record(10000, 1)
    with clock.behind(60):
        await till.record(5000, 2)
        await till.undo(receipt, 3)
    rows = await till.runtime.system.store.fetch("SELECT minor FROM voucher ORDER BY at")
    assert [row["minor"] for row in rows] == [10000, 5000, -10000]
    assert (await till.runtime.reports.verify.whole()).differences == ()


async def test_who_may_not_moves_nothing(till: Till) -> None:
    receipt = await till.record(100000, 1, user_id=FINANCE)
    before = await till.rows()
    for user_id, code in (
        (SUPPORT, "not_permitted"),
        (SPRUCE_STAFF, "not_permitted"),
        (424242, "not_permitted"),
        (ANONYMOUS_ADMIN_ID, "anonymous_admin"),
    ):
        with pytest.raises(Refusal) as error:
            await till.record(5, 2, user_id=user_id)
        assert error.value.code == code
        with pytest.raises(Refusal) as error:
            await till.undo(receipt, 3, user_id=user_id)
        assert error.value.code == code
    assert await till.rows() == before


async def test_a_record_of_another_merchant_is_not_found(till: Till, runtime: Runtime) -> None:
    receipt = await till.record(100000, 1)
    other = Till(runtime, await runtime.parties.merchants.by_no("M1002"), OPS_CHAT)
    for wrong in (receipt, replace(receipt, voucher_id=uuid4())):
        with pytest.raises(Refusal) as error:
            await other.undo(wrong, 2)
        assert error.value.code == "record_not_found"


async def test_a_number_is_not_given_twice_where_a_record_is_gone(
    till: Till, servers: Servers, database: str
) -> None:
    for message_id in (1, 2):
        await till.record(100, message_id)
    async with owner(servers, database) as connection:
        await connection.execute("DELETE FROM voucher WHERE record_no = 'M1001-1'")
    assert (await till.record(100, 3)).record_no == "M1001-3"


async def test_merchants_count_their_records_apart(till: Till, runtime: Runtime) -> None:
    other = Till(runtime, await runtime.parties.merchants.by_no("M1002"), OPS_CHAT)
    await till.record(100, 1)
    assert (await other.record(100, 2)).record_no == "M1002-1"
    assert (await till.record(100, 3)).record_no == "M1001-2"


async def test_an_undo_reads_the_month_of_what_it_undoes_alone(
    till: Till, clock: SetClock, servers: Servers, database: str
) -> None:
    """However many months the books have: the others are not even touched."""
    receipt = await till.record(100, 1)
    other_month = clock.now().replace(day=1) + timedelta(days=70)
    async with owner(servers, database) as connection, connection.transaction():
        await connection.execute(
            f"LOCK TABLE ledger_entry_{other_month:%Y_%m} IN ACCESS EXCLUSIVE MODE"
        )
        async with asyncio.timeout(10):
            await till.undo(receipt, 2)
    assert await till.balances() == {}
