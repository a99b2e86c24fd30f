"""Each row of the posting table with its exact numbers; every event sums to zero."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Bug
from core.ledger import (
    Posting,
    Postings,
    assert_balanced,
    completed_from_suspense,
    differed,
    paid,
    prepaid,
    prepaid_converted,
    reattributed,
    reversal,
    unmatched,
)
from core.money import Money

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
    short = completed_from_suspense(ORDER, held_minor=9900, fee_minor=120, supplier_no="S01")
    assert moved(short) == {"suspense/S01": -9900, "shortfall": -100, "fees": 120, "payable": 9880}
    over = completed_from_suspense(ORDER, held_minor=10100, fee_minor=120, supplier_no="S01")
    assert moved(over) == {"suspense/S01": -10000, "fees": 120, "payable": 9880}


def test_reattributed_to_another_supplier() -> None:
    postings = reattributed(ORDER, from_no="S01", from_cost_minor=65, to_no="S02", to_cost_minor=70)
    assert moved(postings) == {"due/S01": 9935, "cost/S01": 65, "due/S02": -9930, "cost/S02": -70}


def test_a_completed_order_whose_money_differs() -> None:
    """After it, the accounts are as if the short (or long) payment had been there before."""
    for seen_minor in (9900, 10100):
        first = paid(ORDER, fee_minor=120, cost_minor=65, supplier_no="S01")
        later = differed(
            ORDER,
            seen_minor=seen_minor,
            cost_minor=65,
            seen_cost_minor=COST[seen_minor],
            supplier_no="S01",
        )
        known = unmatched(cny(seen_minor), cost_minor=COST[seen_minor], supplier_no="S01")
        completed = completed_from_suspense(
            ORDER, held_minor=seen_minor, fee_minor=120, supplier_no="S01"
        )
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
        completed_from_suspense(order, held_minor=seen, fee_minor=fee, supplier_no="S01"),
        reattributed(
            order, from_no="S01", from_cost_minor=cost, to_no="S02", to_cost_minor=seen_cost
        ),
        differed(
            order, seen_minor=seen, cost_minor=cost, seen_cost_minor=seen_cost, supplier_no="S01"
        ),
        prepaid(order),
        prepaid_converted(Money(seen, "USDT"), order),
    )
    for postings in events:
        sums: Counter[str] = Counter()
        for posting in postings:
            sums[posting.currency] += posting.minor
        assert not any(sums.values())
        assert all(posting.minor for posting in postings)
        assert len({(p.account, p.currency) for p in postings}) == len(postings)
        assert not any(_sums(postings + reversal(postings)).values())


@given(minors, st.data())
def test_the_merchant_is_credited_the_same_however_an_order_is_paid(
    amount: int, data: st.DataObject
) -> None:
    fee = data.draw(st.integers(0, amount))
    held = data.draw(minors)
    order = cny(amount)
    in_time = paid(order, fee_minor=fee, cost_minor=0, supplier_no="S01")
    by_hand = completed_from_suspense(order, held_minor=held, fee_minor=fee, supplier_no="S01")
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
