"""Each row of the posting table with its exact numbers; every event sums to zero."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books import (
    BusinessDay,
    Event,
    Posting,
    Postings,
    Took,
    adjusted,
    assert_balanced,
    completed_from_suspense,
    confirmed,
    credited,
    paid,
    paid_in,
    prepaid,
    prepaid_converted,
    refund_reserved,
    refund_settled,
    rerated,
    returned_to_payer,
    reversal,
    unmatched,
)
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.system.store import Tx
from core.trade.orders import ByHand, Opened, Order, get_attempts
from core.trade.refunds import Refund
from tests.core.support import FINANCE, OPS_CHAT, Desk, complete_from, completing, nothing

ORDER = Money(10000, "CNY")
COST = {9900: 64, 10000: 65, 10100: 66}
minors = st.integers(1, 10**12)


def moved(postings: Postings) -> dict[str, int]:
    return {p.account: p.minor for p in postings}


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def test_paid() -> None:
    assert moved(paid(ORDER, fee_minor=120, cost_minor=65, supplier_no="S01")) == {
        "due/S01": -9935,
        "cost/S01": -65,
        "fees": 120,
        "payable": 9880,
    }


def test_prepaid_and_taken_back() -> None:
    assert moved(prepaid(cny(100000))) == {"prepaid": -100000, "paid_out": 100000}
    assert prepaid(cny(-100000)) == reversal(prepaid(cny(100000)))


def test_prepaid_in_another_currency() -> None:
    postings = prepaid_converted(Money(100_000_000, "USDT"), cny(72000))
    assert set(postings) == {
        Posting("paid_out", "USDT", 100_000_000),
        Posting("fx", "USDT", -100_000_000),
        Posting("fx", "CNY", 72000),
        Posting("prepaid", "CNY", -72000),
    }


@pytest.mark.parametrize(
    ("seen_minor", "due_minor"), [(9900, -9836), (10100, -10034), (10000, -9935)]
)
def test_unmatched(seen_minor: int, due_minor: int) -> None:
    cost = COST[seen_minor]
    assert moved(unmatched(cny(seen_minor), cost_minor=cost, supplier_no="S01")) == {
        "due/S01": due_minor,
        "cost/S01": -cost,
        "suspense/S01": seen_minor,
    }


def test_completed_from_too_little_and_from_too_much() -> None:
    short = completed_from_suspense(ORDER, {("S01", "C01"): 9900}, fee_minor=120)
    assert moved(short) == {"suspense/S01": -9900, "shortfall": -100, "fees": 120, "payable": 9880}
    over = completed_from_suspense(ORDER, {("S01", "C01"): 10000}, fee_minor=120)
    assert moved(over) == {"suspense/S01": -10000, "fees": 120, "payable": 9880}


def test_a_duplicate_goes_to_the_payer_or_to_the_merchant() -> None:
    assert moved(returned_to_payer(ORDER, supplier_no="S01")) == {
        "suspense/S01": -10000,
        "due/S01": 10000,
    }
    assert moved(credited(ORDER, fee_minor=120, supplier_no="S01")) == {
        "suspense/S01": -10000,
        "fees": 120,
        "payable": 9880,
    }


def test_a_refund_with_the_fee_kept() -> None:
    reserved = refund_reserved(cny(5000), fee_back_minor=0)
    assert moved(reserved) == {"payable": -5000, "reserved": 5000}
    settled = refund_settled(cny(5000), cost_back_minor=0, supplier_no="S01")
    assert moved(settled) == {"reserved": -5000, "due/S01": 5000}
    assert moved(reversal(reserved)) == {"payable": 5000, "reserved": -5000}


def test_a_refund_with_the_fee_returned() -> None:
    reserved = refund_reserved(cny(5000), fee_back_minor=60)
    assert moved(reserved) == {"payable": -4940, "fees": -60, "reserved": 5000}
    settled = refund_settled(cny(5000), cost_back_minor=33, supplier_no="S01")
    assert moved(settled) == {"reserved": -5000, "due/S01": 4967, "cost/S01": 33}


def test_corrections_and_what_a_supplier_paid_in() -> None:
    assert moved(adjusted(cny(500))) == {"payable": 500, "adjust": -500}
    assert moved(rerated(cny(30))) == {"fees": 30, "payable": -30}
    assert moved(paid_in(cny(100000), supplier_no="S01")) == {
        "supplier/S01/settled": 100000,
        "bank": -100000,
    }


def goes_to(supplier_no: str, channel_no: str, cost_minor: int, minor: int = 10000) -> set[Posting]:
    """From channel C01 of S01, at a cost of 0.65."""
    postings = confirmed(
        "CNY", assumed=Took("S01", "C01", 10000, 65),
        seen=Took(supplier_no, channel_no, minor, cost_minor),
    )  # fmt: skip
    assert_balanced(postings)
    assert set(reversal(reversal(postings))) == set(postings)
    return set(postings)


def test_confirmed_by_another_supplier_on_another_channel_or_at_another_cost() -> None:
    left = {Posting("due/S01", "CNY", 9935, "C01"), Posting("cost/S01", "CNY", 65, "C01")}
    assert goes_to("S02", "C03", 70) - left == {
        Posting("due/S02", "CNY", -9930, "C03"), Posting("cost/S02", "CNY", -70, "C03")
    }  # fmt: skip
    assert goes_to("S01", "C02", 65) - left == {
        Posting("due/S01", "CNY", -9935, "C02"), Posting("cost/S01", "CNY", -65, "C02")
    }  # fmt: skip
    assert goes_to("S01", "C01", 70) == {
        Posting("due/S01", "CNY", 5, "C01"), Posting("cost/S01", "CNY", -5, "C01")
    }  # fmt: skip
    assert goes_to("S01", "C01", 65) == set()


def test_confirmed_elsewhere_with_less_or_more() -> None:
    left = {Posting("due/S01", "CNY", 9935, "C01"), Posting("cost/S01", "CNY", 65, "C01")}
    assert goes_to("S02", "C03", 69, 9900) - left == {
        Posting("due/S02", "CNY", -9831, "C03"), Posting("cost/S02", "CNY", -69, "C03"),
        Posting("shortfall", "CNY", -100),
    }  # fmt: skip
    assert goes_to("S02", "C03", 71, 10100) - left == {
        Posting("due/S02", "CNY", -10029, "C03"), Posting("cost/S02", "CNY", -71, "C03"),
        Posting("suspense/S02", "CNY", 100),
    }  # fmt: skip


def test_a_completed_order_whose_money_differs() -> None:
    """After it, the accounts are as if the short (or long) payment had been there before."""
    for seen_minor in (9900, 10100):
        first = paid(ORDER, fee_minor=120, cost_minor=65, supplier_no="S01")
        took = Took("S01", "C01", seen_minor, COST[seen_minor])
        later = confirmed("CNY", assumed=Took("S01", "C01", ORDER.minor, 65), seen=took)
        known = unmatched(cny(seen_minor), cost_minor=COST[seen_minor], supplier_no="S01")
        used = {("S01", "C01"): min(seen_minor, ORDER.minor)}
        completed = completed_from_suspense(ORDER, used, fee_minor=120)
        assert _sums(first + later) == _sums(known + completed)


@given(minors, minors, st.data())
def test_every_event_sums_to_zero(amount: int, seen: int, data: st.DataObject) -> None:
    fee = data.draw(st.integers(0, amount))
    cost = data.draw(st.integers(0, amount))
    seen_cost = data.draw(st.integers(0, seen))
    order = cny(amount)
    events = (
        paid(order, fee_minor=fee, cost_minor=cost, supplier_no="S01"),
        unmatched(cny(seen), cost_minor=seen_cost, supplier_no="S01"),
        completed_from_suspense(order, {("S01", "C01"): min(seen, amount)}, fee_minor=fee),
        *(
            confirmed(
                "CNY",
                assumed=Took("S01", "C01", amount, cost),
                seen=Took(supplier_no, channel_no, seen, seen_cost),
            )
            for supplier_no, channel_no in (("S01", "C01"), ("S01", "C02"), ("S02", "C03"))
        ),
        prepaid(order),
        returned_to_payer(order, supplier_no="S01"),
        credited(order, fee_minor=fee, supplier_no="S01"),
        refund_reserved(order, fee_back_minor=fee),
        refund_settled(order, cost_back_minor=cost, supplier_no="S01"),
        adjusted(order),
        adjusted(-order),
        rerated(-order),
        paid_in(order, supplier_no="S01"),
        prepaid_converted(Money(seen, "USDT"), order),
    )
    for postings in events:
        sums: Counter[str] = Counter()
        for posting in postings:
            sums[posting.currency] += posting.minor
        assert not any(sums.values())
        assert all(posting.minor for posting in postings)
        assert len({(p.account, p.currency, p.channel_no) for p in postings}) == len(postings)
        assert not any(_sums(postings + reversal(postings)).values())


@given(minors, st.data())
def test_the_merchant_is_credited_the_same_however_an_order_is_paid(
    amount: int, data: st.DataObject
) -> None:
    fee = data.draw(st.integers(0, amount))
    used = {("S01", "C01"): data.draw(st.integers(0, amount))}
    order = cny(amount)
    in_time = paid(order, fee_minor=fee, cost_minor=0, supplier_no="S01")
    by_hand = completed_from_suspense(order, used, fee_minor=fee)
    for account in ("payable", "fees"):
        assert _sums(in_time)[account] == _sums(by_hand)[account]


def test_what_does_not_balance_is_a_bug() -> None:
    with pytest.raises(Bug):
        assert_balanced([Posting("payable", "CNY", 1), Posting("fees", "JPY", -1)])


def _sums(postings: Postings) -> Counter[str]:
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.account] += posting.minor
    return Counter({account: minor for account, minor in sums.items() if minor})


# ── the same rows through the verbs that book them: what each moves in the balances ──


async def by_hand(desk: Desk, opened: Opened) -> Order:
    return await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", OPS_CHAT),
        request_id="c", also=nothing,
    )  # fmt: skip


async def resolve(desk: Desk, how: str) -> None:
    """Resolve the newest discrepancy."""
    actor = await desk.actor(FINANCE, OPS_CHAT)
    newest = (await desk.runtime.trade.discrepancies.open_ones([desk.merchant.id])).items[-1]
    if how == "complete":
        await complete_from(desk.runtime, newest, actor, "by test")
        return
    await desk.runtime.trade.discrepancies.resolve(
        actor, desk.merchant.id, newest.id, how, "by test", left_minor=newest.left_minor,
    )  # fmt: skip


async def reserve(desk: Desk, opened: Opened, refund_no: str, fee_returned: bool) -> Refund:
    return await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, opened.order.id, refund_no, cny(5000),
        fee_returned=fee_returned,
    )  # fmt: skip


class Moves:
    """What the balances did since the last look."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[str, int] = {}

    async def look(self) -> dict[str, int]:
        now = await self._desk.balances()
        accounts = now.keys() | self._seen.keys()
        moves = {a: now.get(a, 0) - self._seen.get(a, 0) for a in sorted(accounts)}
        self._seen = now
        return {account: minor for account, minor in moves.items() if minor}


PAID = {"due/S01": -9935, "cost/S01": -65, "fees": 120, "payable": 9880}


async def test_orders_move_the_balances_as_the_table_says(desk: Desk) -> None:
    moves = Moves(desk)
    await desk.see(await desk.open(), 10000)
    assert await moves.look() == PAID  # paid
    late = await desk.open(expires_in_s=60)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    await desk.see(late, 10000)
    assert await moves.look() == PAID  # late
    completed = await desk.open()
    await by_hand(desk, completed)
    assert await moves.look() == PAID  # completed
    await desk.see(completed, 10000)
    assert await moves.look() == {}  # confirmed by the same supplier

    short = await desk.open()
    await desk.see(short, 9900)
    assert await moves.look() == {"due/S01": -9836, "cost/S01": -64, "suspense/S01": 9900}
    await by_hand(desk, short)
    assert await moves.look() == {
        "suspense/S01": -9900, "shortfall": -100, "fees": 120, "payable": 9880,
    }  # fmt: skip
    over = await desk.open()
    await desk.see(over, 10100)
    assert await moves.look() == {"due/S01": -10034, "cost/S01": -66, "suspense/S01": 10100}
    await resolve(desk, "complete")
    assert await moves.look() == {"suspense/S01": -10000, "fees": 120, "payable": 9880}
    await resolve(desk, "refund_payer")
    assert await moves.look() == {"suspense/S01": -100, "due/S01": 100}

    twice = await desk.open()
    await desk.see(twice, 10000, upstream_no="U1")
    await moves.look()
    await desk.see(twice, 10000, upstream_no="U2")
    assert await moves.look() == {"due/S01": -9935, "cost/S01": -65, "suspense/S01": 10000}
    await resolve(desk, "refund_payer")
    assert await moves.look() == {"suspense/S01": -10000, "due/S01": 10000}
    await desk.see(twice, 10000, upstream_no="U3")
    await moves.look()
    await resolve(desk, "credit_merchant")
    assert await moves.look() == {"suspense/S01": -10000, "fees": 120, "payable": 9880}
    await desk.sound()


async def test_another_supplier_confirms_a_completion_in_the_balances(desk: Desk) -> None:
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()  # refused by S01, taken by S02
    attempts = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    moves = Moves(desk)
    await by_hand(desk, opened)
    t_paid = {"due/S02": -9930, "cost/S02": -70, "fees": 120, "payable": 9880}
    assert await moves.look() == t_paid
    seen = await desk.see(opened, 10000, attempt_no=attempts[0].attempt_no, upstream_no="U9")
    assert seen.meaning == "confirmation"
    # The table's row with S for S02 and T for S01: each with its own cost.
    assert await moves.look() == {
        "due/S02": 9930, "cost/S02": 70, "due/S01": -9935, "cost/S01": -65,
    }  # fmt: skip
    order = await desk.order(opened)
    assert (order.paid_attempt_no, order.cost_minor) == (attempts[0].attempt_no, 65)
    await desk.sound()


async def test_refunds_and_corrections_move_the_balances_as_the_table_says(desk: Desk) -> None:
    moves, refunds = Moves(desk), desk.runtime.trade.refunds
    await desk.see(await desk.open(), 10000)  # earns what a refund with its fee kept costs
    for fee_returned, cost_returned, reserved, settled in (
        (False, False, {"payable": -5000, "reserved": 5000},
         [{"reserved": -5000, "due/S01": 5000}] * 2),
        (True, True, {"payable": -4940, "fees": -60, "reserved": 5000},
         # the last refund takes the remainder: 65 = 33 + 32
         [{"reserved": -5000, "due/S01": 4967, "cost/S01": 33},
          {"reserved": -5000, "due/S01": 4968, "cost/S01": 32}]),
    ):  # fmt: skip
        opened = await desk.open()
        await desk.see(opened, 10000)
        await moves.look()
        for part, expected in enumerate(settled):
            number = f"R{fee_returned}{part}"
            failing, lasting = [f"{number}-{n}" for n in (1, 2)]
            refund = await reserve(desk, opened, failing, fee_returned)
            assert await moves.look() == reserved
            await refunds.release(desk.merchant.id, refund.id, "refused")
            assert await moves.look() == {a: -m for a, m in reserved.items()}
            refund = await reserve(desk, opened, lasting, fee_returned)
            assert await moves.look() == reserved
            await refunds.settle(desk.merchant.id, refund.id, cost_returned=cost_returned)
            assert await moves.look() == expected
        assert (await desk.order(opened)).state == "refunded"

    ledger = desk.runtime.ledger

    async def adjust(tx: Tx, day: BusinessDay) -> None:
        await ledger.book(tx, day, Event("a", "adjusted", "live", adjusted(cny(500))))

    async def pay_in(tx: Tx, day: BusinessDay) -> None:
        event = Event("p", "paid_in", "live", paid_in(cny(100000), supplier_no="S01"))
        await ledger.book(tx, day, event)

    await ledger.in_open_day(desk.merchant.id, adjust)
    assert await moves.look() == {"payable": 500, "adjust": -500}
    await ledger.in_open_day(HOUSE, pay_in)
    rows = await desk.runtime.system.store.fetch(
        "SELECT account, minor FROM balance WHERE merchant_id = $1", HOUSE
    )
    assert {row["account"]: row["minor"] for row in rows} == {
        "bank": -100000, "supplier/S01/settled": 100000,
    }  # fmt: skip
