"""Decisions about orders, purely: what a repeated create means, what seen money means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books import assert_balanced
from core.kernel.errors import Bug, Contradiction
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.trade.orders import Attempt, OpenOrder, Order, Terms
from core.trade.orders.decisions import (
    InSuspense,
    complete,
    differences,
    next_attempt_of,
    settle,
    uses_of,
)
from tests.core.support import wanted
from texts.tariffs import parse_tariff

AT = datetime(2026, 11, 10, 4, tzinfo=UTC)
ID = UUID(int=1)
AMOUNT = Money(10000, "CNY")


def order(**changes: Any) -> Order:
    base = Order(
        merchant_id=ID, id=ID, created_at=AT, order_no="P1", app_id=ID, mode="live",
        merchant_order_no="T1", terms=Terms("alipay_qr", Rate(12000), ID, 120), amount=AMOUNT,
        subject="tea",
        notify_url=None, return_url=None, client_ip="203.0.113.7", payer_id="",
        metadata={}, state="pending",
        version=2, live_attempt_no="A1",
        cost_minor=None,
        paid_attempt_no=None, paid_how=None, paid_late=False, supplier_open=False, disputed=False,
        created_day=date(2026, 11, 10), expires_at=AT, paid_at=None, paid_day=None,
    )  # fmt: skip
    return replace(base, **changes)


def attempt(**changes: Any) -> Attempt:
    base = Attempt(
        merchant_id=ID, attempt_no="A1", order_id=ID, seq=1, supplier_id=ID, supplier_no="S01",
        channel_id=ID, channel_no="C01", channel_day=date(2026, 11, 10), document_id=ID,
        supplier_code="alipay_qr", amount=AMOUNT, cost=Tariff.flat(Rate(6500)),
        state="accepted", upstream_no="U1", pay=None, said="", created_at=AT, sent_at=AT, asked=0,
        not_found_at=None,
    )  # fmt: skip
    return replace(base, **changes)


def moved(postings: Any) -> dict[str, int]:
    assert_balanced(postings)
    return {p.account: p.minor for p in postings}


def on_channels(postings: Any) -> dict[tuple[str, str], int]:
    assert_balanced(postings)
    return {(p.account, p.channel_no): p.minor for p in postings}


COMPLETED = order(state="paid", paid_how="completed", paid_attempt_no="A1", cost_minor=65)
OTHER = attempt(
    attempt_no="A2", seq=2, supplier_no="S02", supplier_id=UUID(int=2), channel_no="C03",
    cost=Tariff.flat(Rate(7000)),
)  # fmt: skip


def seen(minor: int) -> Money:
    return Money(minor, "CNY")


@pytest.mark.parametrize("state", ["created", "pending", "failed", "expired", "closed"])
def test_the_exact_amount_pays_from_every_unsettled_state(state: str) -> None:
    settlement = settle(order(state=state), attempt(), AMOUNT, paid_by=None, reported=False)
    assert (settlement.meaning, settlement.move, settlement.cost_minor) == ("order", "pay", 65)
    assert settlement.late == (state in ("failed", "expired", "closed"))
    assert settlement.discrepancy is None


@pytest.mark.parametrize(("minor", "kind"), [(9999, "short"), (10001, "over"), (1, "short")])
def test_another_amount_pays_nothing(minor: int, kind: str) -> None:
    settlement = settle(order(), attempt(), seen(minor), paid_by=None, reported=False)
    assert (settlement.meaning, settlement.move, settlement.discrepancy) == (kind, None, kind)
    assert moved(settlement.postings)["suspense/S01"] == minor


TIERED = parse_tariff("1%; >=1000: 0.5%", "CNY")


@pytest.mark.parametrize(
    ("asked", "minor", "cost"), [(100_000, 99_999, 1000), (99_999, 100_000, 500)]
)
def test_the_tier_of_what_was_seen_decides_its_cost(asked: int, minor: int, cost: int) -> None:
    wants, by = order(amount=seen(asked)), attempt(amount=seen(asked), cost=TIERED)
    settlement = settle(wants, by, seen(minor), paid_by=None, reported=False)
    assert (settlement.cost_minor, moved(settlement.postings)["cost/S01"]) == (cost, -cost)
    held = InSuspense(UUID(int=9), by, minor, minor)
    assert complete(wants, by, uses_of(wants, [held])).cost_minor == cost
    completed = replace(COMPLETED, amount=seen(asked))
    first = settle(completed, by, seen(minor), paid_by=by, reported=False)
    assert first.cost_minor == cost
    assumed = moved(complete(wants, by, ()).postings)["cost/S01"]
    assert assumed + moved(first.postings)["cost/S01"] == -cost


@pytest.mark.parametrize("state", ["paid", "partially_refunded", "refunded"])
def test_money_for_a_settled_order_is_a_duplicate(state: str) -> None:
    settled = order(state=state, paid_how="reported", paid_attempt_no="A1", cost_minor=65)
    settlement = settle(settled, OTHER, AMOUNT, paid_by=attempt(), reported=True)
    assert (settlement.meaning, settlement.discrepancy) == ("duplicate", "duplicate")
    assert moved(settlement.postings) == {"due/S02": -9930, "cost/S02": -70, "suspense/S02": 10000}


def test_the_first_report_confirms_a_completion() -> None:
    settlement = settle(COMPLETED, attempt(), AMOUNT, paid_by=attempt(), reported=False)
    assert (settlement.meaning, settlement.postings) == ("confirmation", ())


def test_the_second_report_after_a_completion_is_a_duplicate() -> None:
    settlement = settle(COMPLETED, attempt(), AMOUNT, paid_by=attempt(), reported=True)
    assert settlement.meaning == "duplicate"


def test_another_supplier_confirms_a_completion() -> None:
    settlement = settle(COMPLETED, OTHER, AMOUNT, paid_by=attempt(), reported=False)
    assert settlement.meaning == "confirmation"
    assert on_channels(settlement.postings) == {
        ("due/S01", "C01"): 9935,
        ("cost/S01", "C01"): 65,
        ("due/S02", "C03"): -9930,
        ("cost/S02", "C03"): -70,
    }


@pytest.mark.parametrize(("rate", "cost_minor"), [(6500, 65), (7000, 70)])
def test_another_channel_of_one_supplier_confirms_a_completion(rate: int, cost_minor: int) -> None:
    second = attempt(attempt_no="A2", channel_no="C02", cost=Tariff.flat(Rate(rate)))
    settlement = settle(COMPLETED, second, AMOUNT, paid_by=attempt(), reported=False)
    assert settlement.cost_minor == cost_minor
    assert on_channels(settlement.postings) == {
        ("due/S01", "C01"): 9935,
        ("cost/S01", "C01"): 65,
        ("due/S01", "C02"): cost_minor - 10000,
        ("cost/S01", "C02"): -cost_minor,
    }


def test_a_completion_is_confirmed_on_its_channel_at_another_cost() -> None:
    dearer = attempt(attempt_no="A2", cost=Tariff.flat(Rate(7000)))
    settlement = settle(COMPLETED, dearer, AMOUNT, paid_by=attempt(), reported=False)
    assert moved(settlement.postings) == {"due/S01": 5, "cost/S01": -5}


@pytest.mark.parametrize(
    ("minor", "discrepancy", "expected"),
    [
        (9900, None, {"due/S01": 99, "cost/S01": 1, "shortfall": -100}),
        (10100, "over", {"due/S01": -99, "cost/S01": -1, "suspense/S01": 100}),
    ],
)
def test_a_completed_order_whose_money_differs(
    minor: int, discrepancy: str | None, expected: dict[str, int]
) -> None:
    settlement = settle(COMPLETED, attempt(), seen(minor), paid_by=attempt(), reported=False)
    assert (settlement.meaning, settlement.discrepancy) == ("confirmation", discrepancy)
    assert moved(settlement.postings) == expected


@pytest.mark.parametrize(
    ("minor", "discrepancy", "expected"),
    [
        (9900, None, {("due/S02", "C03"): -9831, ("cost/S02", "C03"): -69,
                      ("shortfall", ""): -100}),
        (10100, "over", {("due/S02", "C03"): -10029, ("cost/S02", "C03"): -71,
                         ("suspense/S02", ""): 100}),
    ],
)  # fmt: skip
def test_another_supplier_confirms_a_completion_with_another_amount(
    minor: int, discrepancy: str | None, expected: dict[tuple[str, str], int]
) -> None:
    settlement = settle(COMPLETED, OTHER, seen(minor), paid_by=attempt(), reported=False)
    assert (settlement.meaning, settlement.discrepancy) == ("confirmation", discrepancy)
    assert settlement.cost_minor == -expected["cost/S02", "C03"]
    left = {("due/S01", "C01"): 9935, ("cost/S01", "C01"): 65}
    assert on_channels(settlement.postings) == {**left, **expected}


@given(st.sampled_from([attempt(), OTHER]), st.integers(1, 30_000), st.integers(0, 65))
def test_the_first_report_moves_the_whole_order_to_where_its_money_is(
    by: Attempt, minor: int, cost_back_minor: int
) -> None:
    """Whichever attempt it names and whatever its amount: all that was assumed is taken back, and
    the supplier owes what it saw, once."""
    settlement = settle(
        COMPLETED, by, seen(minor), paid_by=attempt(), reported=False,
        cost_back_minor=cost_back_minor,
    )  # fmt: skip
    assert settlement.meaning == "confirmation"
    there: Counter[str] = Counter()
    assumed = complete(order(), attempt(), ())
    for posting in (*assumed.postings, *settlement.postings):
        there[posting.account] += posting.minor
    assert there["payable"] == 9880
    given = cost_back_minor if by is OTHER else 0
    owed = {"S01": 0, "S02": 0, by.supplier_no: minor}
    for supplier_no, owed_minor in owed.items():
        took = -there[f"due/{supplier_no}"] - there[f"cost/{supplier_no}"]
        assert took == owed_minor
    assert there["cost/S01"] == (-by.cost.of(minor) if by is not OTHER else -given)
    assert there["shortfall"] == min(0, minor - 10_000)
    assert settlement.held_minor == max(0, minor - 10_000)


@pytest.mark.parametrize(("minor", "meaning"), [(10000, "order"), (9900, "short"), (10100, "over")])
def test_money_for_a_disputed_order_is_as_for_an_unpaid_one(minor: int, meaning: str) -> None:
    disputed = replace(COMPLETED, disputed=True)
    settlement = settle(disputed, attempt(), seen(minor), paid_by=attempt(), reported=False)
    exact = minor == 10000
    assert (settlement.meaning, settlement.move) == (meaning, "restore" if exact else None)
    assert settlement.late == exact
    again = complete(disputed, attempt(), ())
    assert (again.meaning, again.move, again.late) == ("completed", "restore", True)


def test_a_completion_with_nothing_in_suspense() -> None:
    settlement = complete(order(state="expired"), attempt(), ())
    assert (settlement.move, settlement.late) == ("complete", True)
    assert moved(settlement.postings)["due/S01"] == -9935


@pytest.mark.parametrize(
    ("seen_minor", "left_minor", "shortfall"),
    [(9900, 9900, -100), (10100, 10100, 0), (10100, 10000, 0), (10100, 9000, -1000)],
)
def test_a_completion_takes_what_is_left_in_suspense(
    seen_minor: int, left_minor: int, shortfall: int
) -> None:
    held = InSuspense(UUID(int=9), OTHER, seen_minor, left_minor)
    settlement = complete(order(), attempt(), uses_of(order(), [held]))
    postings = moved(settlement.postings)
    assert postings["payable"] == 9880
    assert postings["suspense/S02"] == -min(left_minor, 10000)
    assert postings.get("shortfall", 0) == shortfall
    assert settlement.cost_minor == OTHER.cost.of(seen_minor)  # as it was booked when seen


def test_what_is_in_suspense_is_used_until_the_order_is_paid() -> None:
    def taken(*left_minor: int) -> list[int]:
        held = [
            InSuspense(UUID(int=n), attempt(), minor, minor) for n, minor in enumerate(left_minor)
        ]
        return [use.minor for use in uses_of(order(), held)]

    assert taken() == []
    assert taken(6000, 4000, 500) == [6000, 4000]
    assert taken(6000, 5000) == [6000, 4000]
    assert taken(100, 10000) == [10000]  # the right amount alone, though it came later
    assert taken(12000, 3000) == [10000]
    assert taken(3000, 15000, 12000) == [10000]  # one suffices: no patchwork
    one, two = (
        InSuspense(UUID(int=1), attempt(), 6000, 6000),
        InSuspense(UUID(int=2), OTHER, 3000, 3000),
    )
    settlement = complete(order(), attempt(), uses_of(order(), [one, two]))
    postings = moved(settlement.postings)
    assert (postings["suspense/S01"], postings["suspense/S02"]) == (-6000, -3000)
    assert postings["shortfall"] == -1000
    assert settlement.cost_minor == attempt().cost.of(6000) + OTHER.cost.of(3000)


def test_another_currency_is_a_contradiction() -> None:
    with pytest.raises(Contradiction) as error:
        settle(order(), attempt(), Money(10000, "JPY"), paid_by=None, reported=False)
    assert error.value.kind == "other_currency"


def test_what_cannot_be_is_a_bug() -> None:
    with pytest.raises(Bug):
        settle(COMPLETED, attempt(), AMOUNT, paid_by=None, reported=False)
    with pytest.raises(Bug):
        next_attempt_of([])


def test_a_completion_is_booked_on_the_attempt_that_can_be_paid() -> None:
    rejected = attempt(attempt_no="A0", state="rejected")
    unknown = attempt(attempt_no="A3", state="unknown")
    closed = attempt(attempt_no="A4", state="closed")
    assert next_attempt_of([rejected, unknown, closed]) is unknown
    assert next_attempt_of([rejected, closed]) is closed


def test_circumstances_of_a_call_are_not_its_content() -> None:
    asked = wanted(merchant_order_no="T1", subject="tea")
    assert differences(order(), asked) == []
    elsewhere: OpenOrder = replace(asked, client_ip="198.51.100.1", expires_in_s=5)
    assert differences(order(), elsewhere) == []
    other = replace(asked, amount=seen(1), metadata=(("a", "b"),), return_url="http://x/")
    assert differences(order(), other) == ["amount", "return_url", "metadata"]
