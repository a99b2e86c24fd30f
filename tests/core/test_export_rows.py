"""Rows of files are of the right order, refund and person, and name no other supplier's numbers."""

from __future__ import annotations

from core.bills import Days
from core.exports import MovementRow, Paper, TakingRow
from core.money import Money
from core.orders import Opened
from tests.core.support import FINANCE, OPS_CHAT, Desk
from tests.core.test_restored import complete, reverse


async def takings(desk: Desk, supplier_no: str) -> list[TakingRow]:
    runtime = desk.runtime
    supplier = await runtime.channels.supplier_by_no(supplier_no)
    day = await runtime.bills.open_day(supplier.id)
    paper = Paper("excel", "s", supplier.id, Days.one(day))
    async with runtime.exports.supplier(paper) as reading:
        return [row async for chunk in reading.takings() for row in chunk]


async def at_both(desk: Desk) -> tuple[Opened, dict[str, str]]:
    """An order that one supplier refused and the other took; its attempt at each of them."""
    await desk.supplier.fault("create", "refuse", times=1)
    opened = await desk.open()
    rows = await desk.runtime.store.fetch("SELECT supplier_no, attempt_no FROM attempt")
    numbers = {row["supplier_no"]: row["attempt_no"] for row in rows}
    assert sorted(numbers) == ["S01", "S02"]
    return opened, numbers


async def test_a_completion_that_another_supplier_confirms_shows_each_its_own(desk: Desk) -> None:
    desk.clock.go_to_noon()
    opened, numbers = await at_both(desk)
    assert opened.attempt is not None
    mine = opened.attempt.supplier_no  # completed there, reported by the other one
    (theirs,) = numbers.keys() - {mine}
    await complete(desk, opened)
    seen = await desk.see(opened, 10_000, attempt_no=numbers[theirs], upstream_no="U-theirs")
    assert seen.meaning == "confirmation"
    assert [(r.kind, r.attempt_no, r.upstream_no, r.amount_minor)
            for r in await takings(desk, mine)] == [
        ("completed", numbers[mine], "", 10_000), ("confirmation", numbers[mine], "", -10_000)
    ]  # fmt: skip
    assert [(r.kind, r.attempt_no, r.upstream_no, r.amount_minor)
            for r in await takings(desk, theirs)] == [
        ("confirmation", numbers[theirs], "U-theirs", 10_000)
    ]  # fmt: skip


async def movements(desk: Desk) -> list[MovementRow]:
    runtime = desk.runtime
    day = Days.one(await runtime.bills.open_day(desk.merchant.id))
    paper = Paper("excel", "m", desk.merchant.id, day, staff=True)
    async with runtime.exports.merchant(paper) as reading:
        found = [row async for chunk in reading.movements() for row in chunk]
        assert sum(row.minor for row in found) == reading.bill.other_minor
    return found


async def test_each_movement_is_of_its_own_refund_order_and_decision(desk: Desk) -> None:
    desk.clock.go_to_noon()
    runtime, merchant_id = desk.runtime, desk.merchant.id
    orders = [await desk.open(10_000) for _ in range(2)]
    expected = []
    for nth, opened in enumerate(orders):
        await desk.see(opened, 10_000)
        for part in range(2):
            number = f"R{nth}-{part}"
            refund = await runtime.refunds.reserve(
                desk.app, merchant_id, opened.order.id, number, Money(100 + part, "CNY"),
                fee_returned=False,
            )  # fmt: skip
            expected.append(("refund_reserved", -100 - part, opened.order.order_no, number, "", ""))
            if part:
                await runtime.refunds.release(merchant_id, refund.id, "refused")
                expected.append(("refund_released", 101, opened.order.order_no, number, "", ""))
            else:  # what the merchant bears was taken when it was reserved
                await runtime.refunds.settle(merchant_id, refund.id, cost_returned=False)
    await desk.see(orders[0], 10_000, upstream_no="twice")
    (item,) = (await runtime.discrepancies.open_ones(None)).items
    await runtime.discrepancies.resolve(
        await desk.actor(FINANCE, OPS_CHAT), merchant_id, item.id, "credit_merchant", "theirs",
        left_minor=10_000, request_id="r",
    )  # fmt: skip
    by_hand = await desk.open(10_000)
    await complete(desk, by_hand)
    await reverse(desk, by_hand)
    await complete(desk, by_hand)
    rows = [
        (r.kind, r.minor, r.order_no, r.record_no, r.reason, r.actor_name)
        for r in await movements(desk)
    ]
    number = by_hand.order.order_no
    assert rows[:-3] == expected
    assert rows[-3][:5] == ("credited", 9880, orders[0].order.order_no, "", "theirs")
    assert rows[-2:] == [
        ("completion_reversed", -9880, number, "", "seen at the bank", "Lin"),
        ("restored", 9880, number, "", "seen at the bank", "Lin"),
    ]
