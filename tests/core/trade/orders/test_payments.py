"""Money's moment: what a supplier saw is booked once, in numbers of the posting table."""

from __future__ import annotations

import asyncio

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.trade.orders import AlarmDiscrepancy, ByHand, PaymentSeen, get_attempts
from tests.core.support import ADMIN, FINANCE, OPS_CHAT, Desk, completing, nothing
from texts.tariffs import parse_tariff

PAID = {"cost/S01": -65, "due/S01": -9935, "fees": 120, "payable": 9880}


async def test_paid_in_time(desk: Desk) -> None:
    opened = await desk.open()
    await desk.pay(opened)
    order = await desk.order(opened)
    assert (order.state, order.paid_how, order.paid_late) == ("paid", "reported", False)
    assert (order.agreed.fee_minor, order.cost_minor) == (120, 65)
    assert opened.attempt is not None
    assert order.paid_attempt_no == opened.attempt.attempt_no
    assert await desk.balances() == PAID
    attempts = await get_attempts(desk.runtime.system.store, desk.merchant.id, order.id)
    assert [a.state for a in attempts] == ["paid"]
    await desk.sound()


async def test_money_is_booked_and_told_of_whatever_reference_data_reads_as(desk: Desk) -> None:
    opened = await desk.open(notify_url=None)
    store = desk.runtime.system.store
    await store.execute("UPDATE app SET secrets_sealed = '', notify_url = 'https://shop.example/n'")
    assert (await desk.see(opened, 10000)).meaning == "order"
    told = await store.fetch("SELECT type, url FROM notification")
    assert [tuple(row) for row in told] == [("order.paid", "https://shop.example/n")]
    await desk.sound()


async def test_the_same_payment_again_changes_nothing(desk: Desk) -> None:
    opened = await desk.open()
    first = await desk.see(opened, 10000)
    again = await desk.see(opened, 10000)
    assert (first.meaning, again.meaning) == ("order", "redelivery")
    assert await desk.balances() == PAID
    assert (await desk.order(opened)).version == first.order.version
    await desk.sound()


async def test_ten_reports_at_once_are_booked_once(desk: Desk) -> None:
    opened = await desk.open()
    settled = await asyncio.gather(*(desk.see(opened, 10000) for _ in range(10)))
    assert sorted(s.meaning for s in settled) == ["order"] + ["redelivery"] * 9
    assert await desk.balances() == PAID


@pytest.mark.parametrize(
    ("seen_minor", "kind", "expected"),
    [
        (9900, "short", {"cost/S01": -64, "due/S01": -9836, "suspense/S01": 9900}),
        (10100, "over", {"cost/S01": -66, "due/S01": -10034, "suspense/S01": 10100}),
    ],
)
async def test_another_amount_waits_in_suspense(
    desk: Desk, seen_minor: int, kind: str, expected: dict[str, int]
) -> None:
    opened = await desk.open()
    settled = await desk.see(opened, seen_minor)
    assert settled.meaning == kind
    assert (await desk.order(opened)).state == "pending"
    assert await desk.balances() == expected
    row = await desk.runtime.system.store.fetchrow("SELECT * FROM discrepancy")
    assert row is not None
    assert (row["kind"], row["asked_minor"], row["seen_minor"]) == (kind, 10000, seen_minor)
    assert row["left_minor"] == seen_minor
    (alarm,) = await desk.alarms(AlarmDiscrepancy)
    shown = alarm.trouble(AlarmDiscrepancy)
    assert (shown.merchant_no, shown.count) == (desk.merchant.merchant_no, 1)
    assert shown.left == (Money(seen_minor, "CNY"),)
    await desk.sound()


@pytest.mark.parametrize(
    ("asked", "minor", "cost"), [(100_000, 99_999, 1000), (99_999, 100_000, 500)]
)
async def test_the_supplier_charges_by_the_tier_of_what_it_took(
    desk: Desk, asked: int, minor: int, cost: int
) -> None:
    channels = desk.runtime.supply.channels
    channel = await channels.costs("C01")
    tariff = parse_tariff("1%; >=1000: 0.5%", "CNY")
    await channels.set_cost(channel.id, tariff, actor="test")
    opened = await desk.open(asked)
    # What is charged later does not count for an attempt that is there.
    await channels.set_cost(channel.id, channel.cost, actor="test")
    await desk.see(opened, minor)
    assert (await desk.balances())["cost/S01"] == -cost
    order = await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", ADMIN, "Li", OPS_CHAT),
        request_id="r", also=nothing,
    )  # fmt: skip
    assert order.cost_minor == cost
    await desk.sound()


async def test_exact_money_after_a_short_payment_pays_the_order(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 9900, upstream_no="U1")
    settled = await desk.see(opened, 10000, upstream_no="U2")
    assert settled.meaning == "order"
    assert (await desk.balances())["suspense/S01"] == 9900
    assert (await desk.balances())["payable"] == 9880
    await desk.sound()


async def test_paid_twice_at_the_supplier(desk: Desk) -> None:
    opened = await desk.open()
    await desk.pay(opened, "twice", callbacks=2)
    order = await desk.order(opened)
    assert order.state == "paid"
    assert await desk.balances() == {
        "cost/S01": -130,
        "due/S01": -19870,
        "fees": 120,
        "payable": 9880,
        "suspense/S01": 10000,
    }
    assert [a.facts["count"] for a in await desk.alarms(AlarmDiscrepancy)] == [1]
    kinds = await desk.runtime.system.store.fetch("SELECT kind FROM discrepancy")
    assert [row["kind"] for row in kinds] == ["duplicate"]
    await desk.sound()


async def test_what_follows_is_never_booked_before_its_cause(desk: Desk) -> None:
    """The second payment and its resolution are booked by an instance whose clock is behind, as
    whoever held the day first but waited for the order's lock would be."""
    opened = await desk.open()
    await desk.see(opened, 10000, upstream_no="U1")
    with desk.clock.behind(60):
        assert (await desk.see(opened, 10000, upstream_no="U2")).meaning == "duplicate"
        (item,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
        await desk.runtime.trade.discrepancies.resolve(
            await desk.actor(FINANCE, OPS_CHAT), desk.merchant.id, item.id, "credit_merchant",
            "theirs", left_minor=10000,
        )  # fmt: skip
    rows = await desk.runtime.system.store.fetch("SELECT kind FROM ledger_event ORDER BY booked_at")
    assert [row["kind"] for row in rows] == ["order", "duplicate", "credited"]
    times = await desk.runtime.system.store.fetchrow(
        "SELECT o.created_at, o.paid_at, d.at AS seen_at, r.at AS resolved_at"
        " FROM orders o JOIN discrepancy d ON d.order_id = o.id"
        " JOIN resolution r ON r.discrepancy_id = d.id"
    )
    assert times is not None
    assert list(times) == sorted(set(times))
    await desk.sound()


async def test_of_twins_the_first_is_the_order(desk: Desk) -> None:
    for _ in range(5):
        opened = await desk.open()
        await asyncio.gather(*(desk.see(opened, 10000, upstream_no=f"{opened.order.order_no}-{n}")
                               for n in range(4)))  # fmt: skip
        rows = await desk.runtime.system.store.fetch(
            "SELECT kind FROM ledger_event WHERE order_id = $1 ORDER BY booked_at", opened.order.id
        )
        assert [row["kind"] for row in rows] == ["order", *3 * ["duplicate"]]
    await desk.sound()


async def test_money_after_the_end_is_still_money(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    desk.clock.advance(61)
    assert await desk.runtime.trade.follow_up.expire_due(10) == 1
    assert (await desk.order(opened)).state == "expired"
    settled = await desk.see(opened, 10000)
    assert (settled.order.state, settled.order.paid_late) == ("paid", True)
    assert await desk.balances() == PAID
    await desk.sound()


async def test_a_report_may_outrun_our_own_answer(desk: Desk) -> None:
    await desk.supplier.fault("create", "garbage", after=True)
    opened = await desk.open()
    assert opened.order.state == "created"
    settled = await desk.see(opened, 10000, upstream_no="U7")
    assert settled.order.state == "paid"
    attempts = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    assert [(a.state, a.upstream_no) for a in attempts] == [("paid", "U7")]
    desk.clock.advance(30)
    await desk.runtime.trade.follow_up.ask_due(10)
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()


async def test_an_attempt_that_is_not_ours_is_refused(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    seen = PaymentSeen(
        desk.merchant.id, opened.order.order_no, "U1", Money(10000, "CNY"), "reported"
    )
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.payments.settle_payment(seen, request_id="see")
    assert error.value.code == "callback_unknown"
    assert await desk.balances() == {}


async def test_what_is_settled_is_told_in_one_transaction(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify", metadata=(("cart", "8841"),))
    await desk.see(opened, 10000)
    row = await desk.runtime.system.store.fetchrow("SELECT type, url, facts FROM notification")
    assert row is not None
    assert (row["type"], row["url"]) == ("order.paid", "http://127.0.0.1:9/notify")
    told = row["facts"]
    assert (told["amount"], told["fee"], told["net"]) == (10000, 120, 9880)
    assert (told["status"], told["manually_completed"]) == ("paid", False)
    assert told["metadata"] == {"cart": "8841"}
    assert told["merchant_order_no"] == opened.order.merchant_order_no


async def test_two_merchants_never_wait_for_each_other(desk: Desk, neighbour: Desk) -> None:
    ours, theirs = await desk.open(), await neighbour.open()
    release = asyncio.Event()
    held = asyncio.Event()

    async def hold() -> None:
        async with desk.runtime.system.store.transaction() as tx:
            for table in ("business_day", "orders", "attempt", "balance"):
                key = "holder_id" if table == "business_day" else "merchant_id"
                await tx.fetch(
                    f"SELECT 1 FROM {table} WHERE {key} = $1 FOR UPDATE", desk.merchant.id
                )
            held.set()
            await release.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    blocked = asyncio.create_task(desk.see(ours, 10000))
    try:
        async with asyncio.timeout(2):
            settled = await neighbour.see(theirs, 10000)
        assert settled.meaning == "order"
        assert not blocked.done()
    finally:
        release.set()
        await holding
    assert (await blocked).meaning == "order"
    await desk.sound()
