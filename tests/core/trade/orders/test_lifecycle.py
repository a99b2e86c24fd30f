"""The tables of the lifecycles: every state is reached, and what is not listed cannot happen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from core.kernel.errors import Bug
from core.trade.orders import get_attempts, get_order
from core.trade.orders.lifecycle import (
    ATTEMPT_NEXT,
    LATE_FROM,
    ORDER_NEXT,
    SETTLED,
    attempt_after,
    attempt_states_for,
    order_after,
    order_states_for,
)
from core.trade.orders.moves import move_attempt, move_order
from tests.core.support import Desk

ORDER_STATES = {state for state, _ in ORDER_NEXT} | set(ORDER_NEXT.values())
ATTEMPT_STATES = {state for state, _ in ATTEMPT_NEXT} | set(ATTEMPT_NEXT.values())
MONEY = {"paid", "partially_refunded", "refunded"}


def reached(table: dict[tuple[str, str], str]) -> set[str]:
    known = {"created"}
    while True:
        more = known | {after for (state, _), after in table.items() if state in known}
        if more == known:
            return known
        known = more


def test_every_state_is_reached_from_the_first() -> None:
    assert reached(ORDER_NEXT) == ORDER_STATES
    assert reached(ATTEMPT_NEXT) == ATTEMPT_STATES
    assert len(ORDER_STATES) == len(ATTEMPT_STATES) == 8


def test_every_unsettled_order_can_still_be_paid_and_completed() -> None:
    unsettled = ORDER_STATES - SETTLED
    assert SETTLED == MONEY
    assert set(order_states_for("pay")) == set(order_states_for("complete")) == unsettled
    assert set(LATE_FROM) == unsettled - {"created", "pending"}


def test_money_is_never_unseen_again() -> None:
    """From a settled order only refunds lead on, and nothing leads back."""
    for state, move in product(SETTLED, {move for _, move in ORDER_NEXT}):
        assert order_after(state, move) in {None, *SETTLED}
    assert not [after for (state, _), after in ATTEMPT_NEXT.items() if state == "paid"]


def test_an_attempt_in_doubt_is_never_sent_again_as_new() -> None:
    assert attempt_states_for("send") == ["created"]
    for state in ("sent", "unknown", "rejected", "closed", "failed", "accepted"):
        assert attempt_after(state, "pay") == "paid"
    assert attempt_after("accepted", "reject") is None


def test_a_disputed_order_can_only_be_restored() -> None:
    for state, move in product(ORDER_STATES, {move for _, move in ORDER_NEXT}):
        legal = (state, move) in ORDER_NEXT
        assert (order_after(state, move) is not None) == (legal and move != "restore")
        assert (order_after(state, move, disputed=True) is not None) == (
            legal and move == "restore"
        )
    assert order_after("paid", "dispute") == order_after("paid", "restore", disputed=True) == "paid"


def test_an_unknown_move_is_a_bug() -> None:
    with pytest.raises(Bug):
        order_states_for("fly")
    assert order_after("created", "fly") is None


async def test_the_database_knows_the_same_states(desk: Desk) -> None:
    for table, states in (("orders", ORDER_STATES), ("attempt", ATTEMPT_STATES)):
        definition: str = await desk.runtime.system.store.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname = $1 AND contype = 'c'",
            f"{table}_state_check",
        )
        assert set(definition.split("'")[1::2]) == states


async def test_illegal_moves_are_refused_by_the_update_itself(desk: Desk) -> None:
    """A caller that believes in an old state changes nothing, whatever move it makes."""
    opened = await desk.open()
    await desk.see(opened, 10000)
    store, ids = desk.runtime.system.store, desk.runtime.system.ids
    now = desk.clock.now()
    order = await desk.order(opened)
    believed = [replace(order, state=state) for state in sorted(ORDER_STATES - SETTLED)]
    for stale, move in product(believed, {m for _, m in ORDER_NEXT}):
        if order_after(stale.state, move) is None or move.startswith("refund"):
            continue
        async with store.transaction() as tx:
            assert await move_order(tx, stale, move, at=now, actor="t", facts={}) is None
    # One that believes in the wrong flag changes nothing either.
    async with store.transaction() as tx:
        disputed = replace(order, disputed=True)
        assert await move_order(tx, disputed, "restore", at=now, actor="t", facts={}) is None
        assert await move_order(tx, disputed, "dispute", at=now, actor="t", facts={}) is None
    attempts = await get_attempts(store, order.merchant_id, order.id)
    others = sorted(ATTEMPT_STATES - {"paid"})
    for state, move in product(others, {m for _, m in ATTEMPT_NEXT}):
        guess = replace(attempts[0], state=state)
        async with store.transaction() as tx:
            assert not await move_attempt(tx, ids, guess, move, at=now, facts={})
    assert await get_order(store, order.merchant_id, order.id) == order
    assert await get_attempts(store, order.merchant_id, order.id) == attempts
    await desk.sound()


async def test_every_move_leaves_a_row(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 10000)
    rows = await desk.runtime.system.store.fetch(
        "SELECT version, state_from, move, state_to, actor FROM order_history ORDER BY version"
    )
    assert [tuple(row) for row in rows] == [
        (1, None, "open", "created", f"api:{desk.app.key_id}"),
        (2, "created", "accept", "pending", "supplier:S01"),
        (3, "pending", "pay", "paid", "supplier:S01"),
    ]
    rows = await desk.runtime.system.store.fetch(
        "SELECT state_from, move, state_to FROM attempt_history ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (None, "create", "created"),
        ("created", "send", "sent"),
        ("sent", "accept", "accepted"),
        ("accepted", "pay", "paid"),
    ]
