"""The books of refunds: reserved once, never more than the order, exact to the last cent."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books import BusinessDay, Event, prepaid
from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money, share
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.system.store import Tx
from core.trade.orders import ByHand, Opened
from core.trade.refunds import Refund
from tests.core.support import FINANCE, NORTHWIND_CHAT, SUPPORT, Desk, completing, nothing, wanted

PAID = {"cost/S01": -65, "due/S01": -9935, "fees": 120, "payable": 9880}


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.data())
def test_shares_of_all_parts_are_the_whole(whole: int, of: int, data: st.DataObject) -> None:
    """Each refund gives back what the share of all so far grew by: no cent is lost or added."""
    cuts = sorted(data.draw(st.lists(st.integers(0, whole), max_size=6)))
    shares = [share(cut, of, whole) for cut in [*cuts, whole]]
    assert shares == sorted(shares)
    assert shares[-1] == of
    assert all(abs(2 * (s * whole - of * c)) <= whole for s, c in zip(shares, cuts, strict=False))


def test_what_has_no_share_is_a_bug() -> None:
    for part, of, whole in ((2, 1, 1), (-1, 1, 1), (0, 1, 0), (1, -1, 1)):
        with pytest.raises(Bug):
            share(part, of, whole)


async def paid(desk: Desk, minor: int = 10000) -> Opened:
    opened = await desk.open(minor)
    await desk.see(opened, minor)
    return opened


async def reserve(desk: Desk, opened: Opened, refund_no: str, minor: int, **changes: Any) -> Refund:
    values: dict[str, Any] = {"currency": "CNY", "fee_returned": True} | changes
    return await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, opened.order.id, refund_no, Money(minor, values["currency"]),
        fee_returned=values["fee_returned"],
    )  # fmt: skip


async def code(call: Any) -> str:
    with pytest.raises(Refusal) as error:
        await call
    return error.value.code


async def moves(desk: Desk) -> list[tuple[str, str, str]]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT move, state_from, state_to FROM order_history WHERE move LIKE 'refund%'"
        " ORDER BY at, version"
    )
    return [(r["move"], r["state_from"], r["state_to"]) for r in rows]


async def test_parts_come_to_the_whole(desk: Desk) -> None:
    opened = await paid(desk)
    refunds = desk.runtime.trade.refunds
    backs, made = [], []
    for number, minor in enumerate((3333, 3333, 3334)):
        refund = await reserve(desk, opened, f"R{number}", minor)
        assert refund.state == "created"
        settled = await refunds.settle(desk.merchant.id, refund.id, cost_returned=True)
        again = await refunds.settle(desk.merchant.id, refund.id, cost_returned=True)
        assert again == settled
        made.append(refund.id)
        backs.append((settled.fee_back_minor, settled.cost_back_minor))
        await desk.sound()
    assert backs == [(40, 22), (40, 21), (40, 22)]
    assert (sum(f for f, _ in backs), sum(c for _, c in backs)) == (120, 65)
    assert await desk.balances() == {}
    assert await moves(desk) == [
        ("refund_part", "paid", "partially_refunded"),
        ("refund_part", "partially_refunded", "partially_refunded"),
        ("refund_rest", "partially_refunded", "refunded"),
    ]
    assert await code(reserve(desk, opened, "R9", 1)) == "order_state"
    assert await code(refunds.release(desk.merchant.id, made[-1], "no")) == "refund_state"


async def test_the_same_number_is_the_same_refund(desk: Desk) -> None:
    opened, other = await paid(desk), await paid(desk)
    made = await asyncio.gather(*(reserve(desk, opened, "R1", 5000) for _ in range(5)))
    assert len({r.id for r in made}) == 1
    assert (await desk.balances())["reserved"] == 5000
    for call in (
        reserve(desk, opened, "R1", 5001),
        reserve(desk, opened, "R1", 5000, fee_returned=False),
        reserve(desk, other, "R1", 5000),
    ):
        assert await code(call) == "refund_conflict"
    await desk.runtime.trade.refunds.settle(desk.merchant.id, made[0].id, cost_returned=False)
    assert (await reserve(desk, opened, "R1", 5000)).state == "succeeded"
    results = await asyncio.gather(
        *(reserve(desk, o, "R2", 100) for o in (opened, other)), return_exceptions=True
    )
    assert [r.code for r in results if isinstance(r, Refusal)] == ["refund_conflict"]
    await desk.sound()


async def test_never_more_than_the_order(desk: Desk) -> None:
    opened = await paid(desk)
    results = await asyncio.gather(
        *(reserve(desk, opened, f"R{i}", 4000) for i in range(5)), return_exceptions=True
    )
    assert len([r for r in results if isinstance(r, Refund)]) == 2
    assert {r.code for r in results if isinstance(r, Refusal)} == {"refund_over_amount"}
    with pytest.raises(Refusal) as error:
        await reserve(desk, opened, "R7", 2001)
    assert error.value.facts["left"] == "20.00 CNY"
    first = next(r for r in results if isinstance(r, Refund))
    released = await desk.runtime.trade.refunds.release(desk.merchant.id, first.id, " refused ")
    assert (released.state, released.why) == ("failed", "refused")
    again = await desk.runtime.trade.refunds.release(desk.merchant.id, first.id, "again")
    assert again == released
    ended = desk.runtime.trade.refunds.settle(desk.merchant.id, first.id, cost_returned=True)
    assert await code(ended) == "refund_state"
    assert (await reserve(desk, opened, "R8", 6000)).state == "created"  # room again
    assert (await desk.order(opened)).state == "paid"  # unknown ends nothing
    await desk.sound()


async def test_the_merchant_bears_what_its_orders_earned(desk: Desk) -> None:
    """With its fee kept, a whole refund costs more than the order brought."""
    opened = await paid(desk)
    assert await code(reserve(desk, opened, "R1", 10000, fee_returned=False)) == (
        "refund_not_covered"
    )
    assert await desk.balances() == PAID
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM refund") == 0

    async def advance(tx: Tx, day: BusinessDay) -> None:
        event = Event("p", "prepaid", "live", prepaid(Money(50000, "CNY")))
        await desk.runtime.ledger.book(tx, day, event)

    # A merchant that runs on a prepayment is refunded on: its orders earned the money.
    await desk.runtime.ledger.in_open_day(desk.merchant.id, advance)
    assert (await reserve(desk, opened, "R2", 9880, fee_returned=False)).fee_back_minor == 0
    assert await code(reserve(desk, opened, "R3", 1, fee_returned=False)) == "refund_not_covered"
    await desk.sound()


async def test_a_refund_that_costs_the_merchant_nothing(desk: Desk) -> None:
    opened = await paid(desk)
    await desk.runtime.system.store.execute(
        "UPDATE orders SET fee_minor = amount_minor"
    )  # a fee of 100 %
    refund = await reserve(desk, opened, "R1", 10000)
    assert refund.fee_back_minor == refund.amount.minor
    moved = {"fees": PAID["fees"] - 10_000, "reserved": 10_000}
    assert await desk.balances() == PAID | moved
    released = await desk.runtime.trade.refunds.release(desk.merchant.id, refund.id, "refused")
    assert released.state == "failed"
    assert await desk.balances() == PAID


async def test_what_cannot_be_refunded(desk: Desk) -> None:
    pending = await desk.open()
    assert await code(reserve(desk, pending, "R1", 1)) == "order_state"
    opened = await paid(desk)
    for refund_no, minor, currency in (
        ("", 1, "CNY"), ("R 1", 1, "CNY"), ("R" * 65, 1, "CNY"), ("退1", 1, "CNY"),
        ("R1", 0, "CNY"), ("R1", -5, "CNY"), ("R1", 1, "JPY"),
    ):  # fmt: skip
        assert await code(reserve(desk, opened, refund_no, minor, currency=currency)) == (
            "field_invalid"
        )
    refunds = desk.runtime.trade.refunds
    unknown = refunds.settle(desk.merchant.id, UUID(int=1), cost_returned=True)
    assert await code(unknown) == "record_not_found"
    assert await code(refunds.release(desk.merchant.id, UUID(int=1), "x")) == "record_not_found"
    assert await code(refunds.release(desk.merchant.id, UUID(int=1), " ")) == "reason_missing"

    by = ByHand("seen", 1004, "Wang", 1)
    done = await completing(desk.runtime).complete(
        desk.merchant.id, pending.order.id, None, by, request_id="c", also=nothing
    )
    await completing(desk.runtime).reverse(
        desk.merchant.id, pending.order.id, done.version, by, asked_by=1, request_id="r",
        also=nothing,
    )  # fmt: skip
    assert await code(reserve(desk, pending, "R1", 1)) == "order_state"  # disputed
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM refund") == 0
    await desk.sound()


async def test_it_goes_back_where_it_was_asked_for(desk: Desk) -> None:
    """The supplier that was to refund is the one that did, whoever turned out to have the money."""
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()  # S01 refuses, S02 takes it

    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip
    first = await reserve(desk, opened, "R1", 5000)
    attempt_no = await desk.runtime.system.store.fetchval(
        "SELECT attempt_no FROM attempt WHERE seq = 1"
    )
    seen = await desk.see(opened, 10000, attempt_no=attempt_no)
    assert seen.meaning == "confirmation"
    assert {a: m for a, m in (await desk.balances()).items() if "/" in a} == {
        "cost/S01": -65, "due/S01": -9935
    }  # fmt: skip
    settled = await desk.runtime.trade.refunds.settle(
        desk.merchant.id, first.id, cost_returned=True
    )
    assert settled.cost_back_minor == 0  # S02 charged nothing after all
    second = await reserve(desk, opened, "R2", 5000)
    settled = await desk.runtime.trade.refunds.settle(
        desk.merchant.id, second.id, cost_returned=True
    )
    assert settled.cost_back_minor == 33
    assert await desk.balances() == {"cost/S01": -32, "due/S01": -4968, "due/S02": 5000}
    await desk.sound()


async def test_who_may_ask_for_one(desk: Desk, neighbour: Desk) -> None:
    opened = await paid(desk)
    refunds, merchant_id, order_id = desk.runtime.trade.refunds, desk.merchant.id, opened.order.id
    hundred = Money(100, "CNY")
    for caller, expected in (
        (neighbour.app, "merchant_not_found"),
        (await desk.actor(SUPPORT), "not_permitted"),
        (await desk.actor(FINANCE, NORTHWIND_CHAT), "merchant_not_found"),
        (await desk.actor(ANONYMOUS_ADMIN_ID), "anonymous_admin"),
    ):
        call = refunds.reserve(caller, merchant_id, order_id, "R1", hundred, fee_returned=True)
        assert await code(call) == expected
    assert await desk.balances() == PAID
    made = [
        await refunds.reserve(caller, merchant_id, order_id, number, hundred, fee_returned=True)
        for caller, number in ((desk.app, "R1"), (await desk.actor(FINANCE), "R2"))
    ]
    assert [r.actor for r in made] == [f"api:{desk.app.key_id}", f"telegram:{FINANCE}"]


async def test_nobody_gets_back_what_nobody_paid(desk: Desk) -> None:
    """The supplier took 1.00 of an order that was completed: our shortfall is no payer's money."""
    opened = await desk.open()
    await desk.see(opened, 100)

    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip
    with pytest.raises(Refusal) as error:
        await reserve(desk, opened, "R1", 101)
    assert (error.value.code, error.value.facts["left"]) == ("refund_over_amount", "1.00 CNY")
    refund = await reserve(desk, opened, "R1", 100)
    settled = await desk.runtime.trade.refunds.settle(
        desk.merchant.id, refund.id, cost_returned=True
    )
    assert settled.cost_back_minor == 1  # all that was charged for it
    assert (await desk.order(opened)).state == "refunded"  # nothing else was ever paid
    await desk.sound()


async def two_suppliers(desk: Desk, first: int, second: int) -> Opened:
    """An order of 100.00 of which S02 saw so much, and S01 the rest; completed with both."""
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()
    await desk.see(opened, first)
    attempt_no = await desk.runtime.system.store.fetchval(
        "SELECT attempt_no FROM attempt WHERE seq = 1"
    )
    await desk.see(opened, second, attempt_no=attempt_no, upstream_no="U2")

    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("both", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip
    return opened


async def test_each_supplier_gives_back_what_it_took(desk: Desk) -> None:
    opened = await two_suppliers(desk, 6000, 4000)
    with pytest.raises(Refusal) as error:
        await reserve(desk, opened, "R1", 6001)
    assert (error.value.code, error.value.facts["left"]) == ("refund_over_amount", "60.00 CNY")
    for number, minor in (("R1", 6000), ("R2", 4000)):
        refund = await reserve(desk, opened, number, minor)
        await desk.runtime.trade.refunds.settle(desk.merchant.id, refund.id, cost_returned=True)
        await desk.sound()
    assert await desk.balances() == {}
    assert (await desk.order(opened)).state == "refunded"


async def test_the_cost_of_what_was_too_much_stays_with_it(desk: Desk) -> None:
    """250.00 for 100.00: of the cost of all, what falls to the 100.00 goes back with them."""
    opened = await desk.open()
    await desk.see(opened, 25000)

    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip
    refund = await reserve(desk, opened, "R1", 10000)
    settled = await desk.runtime.trade.refunds.settle(
        desk.merchant.id, refund.id, cost_returned=True
    )
    assert settled.cost_back_minor == 65  # of 163
    await desk.sound()


async def test_refunded_then_confirmed_elsewhere_is_as_confirmed_then_refunded(desk: Desk) -> None:
    async def live(first: str) -> dict[str, int]:
        before = await desk.balances()
        await desk.supplier.fault("create", "refuse")
        opened = await desk.open()

        await completing(desk.runtime).complete(
            desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
            request_id="c", also=nothing,
        )  # fmt: skip
        refund = await reserve(desk, opened, f"R-{first}", 10000)
        attempt_no = await desk.runtime.system.store.fetchval(
            "SELECT attempt_no FROM attempt WHERE order_id = $1 AND seq = 1", opened.order.id
        )
        steps = [
            lambda: desk.see(opened, 10000, attempt_no=attempt_no, upstream_no=f"U-{first}"),
            lambda: desk.runtime.trade.refunds.settle(
                desk.merchant.id, refund.id, cost_returned=True
            ),
        ]
        for step in steps if first == "confirm" else reversed(steps):
            await step()
        await desk.sound()
        after = await desk.balances()
        return {a: after.get(a, 0) - before.get(a, 0) for a in {*after, *before}}

    assert await live("confirm") == await live("refund")


async def test_test_and_live_are_apart(desk: Desk) -> None:
    """A test key refunds no live order, and a number of one app is none of another's."""
    made_apps = [
        await desk.runtime.parties.merchants.apps.open(
            desk.merchant, mode=mode, name="B", notify_url=None
        )
        for mode in ("test", "live")
    ]
    known = {app.id: app for app in await desk.runtime.parties.merchants.apps.of(desk.merchant)}
    test_app, other_app = (known[keys.app_id] for keys in made_apps)
    live = await paid(desk)
    refunds, hundred = desk.runtime.trade.refunds, Money(100, "CNY")
    for foreign in (test_app, other_app):
        call = refunds.reserve(
            foreign, desk.merchant.id, live.order.id, "R1", hundred, fee_returned=True
        )
        assert await code(call) == "order_not_found"
    assert await desk.balances() == PAID
    tried = await desk.runtime.trade.creation.open(test_app, wanted(), request_id="t")
    await desk.see(tried, 10000)
    made = [
        await refunds.reserve(app, desk.merchant.id, order_id, "R1", hundred, fee_returned=True)
        for app, order_id in ((test_app, tried.order.id), (desk.app, live.order.id))
    ]
    assert len({refund.id for refund in made}) == 2
    await desk.sound()
