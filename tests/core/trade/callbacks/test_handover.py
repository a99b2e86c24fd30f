"""What a process is told it acts on itself; what it cannot act on is for others, in time."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.connectors import Event
from core.kernel.money import Money
from core.system.lanes import Lane
from core.system.leases import Held
from core.trade.callbacks.handover import LEASE, MOST_OF_LANE, Handover
from core.trade.callbacks.queue import TakenCallback
from tests.conftest import Servers
from tests.core.support import Desk, owner, pay_link
from tests.core.trade.callbacks.test_callbacks import stored
from tests.core.trade.callbacks.test_queue import Kept
from tests.demo import eventually


def nobody() -> None:
    """Hands that are never told anything."""


async def told(desk: Desk) -> None:
    """An order is paid, and the desk is told of it."""
    opened = await desk.open()
    heard = len(desk.entrance.heard)
    await desk.supplier.pay(pay_link(opened), "paid")
    await desk.entrance.wait(heard + 1)


async def holders(desk: Desk) -> set[bool]:
    """Whether rows of the queue are held."""
    rows = await desk.runtime.system.store.fetch("SELECT held_by FROM supplier_callback")
    return {row["held_by"] is not None for row in rows}


async def test_its_hands_are_told_and_its_row_is_held_from_the_first(desk: Desk) -> None:
    woken: list[bool] = []
    callbacks = desk.runtime.trade.callbacks
    assert await callbacks.take_due(5) == []
    callbacks.open(lambda: woken.append(True))
    await told(desk)
    assert woken == [True]
    assert await holders(desk) == {True}
    (job,) = await callbacks.take_due(5)
    assert await callbacks.take_due(5) == [], "it is given out once"
    await job()
    assert await stored(desk) == [("done", "order")]
    await desk.sound()


async def test_without_hands_it_waits_for_whoever_looks(desk: Desk) -> None:
    await told(desk)
    assert await holders(desk) == {False}
    assert await desk.runtime.trade.callbacks.act_due(5) == 1


async def test_what_was_not_begun_is_given_back_at_the_end(desk: Desk) -> None:
    callbacks = desk.runtime.trade.callbacks
    callbacks.open(nobody)
    await told(desk)
    await callbacks.close()
    assert await holders(desk) == {False}
    rows = await desk.runtime.system.store.fetch("SELECT tries FROM supplier_callback")
    assert [row["tries"] for row in rows] == [0]
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")]


async def test_what_comes_to_hands_too_late_is_given_back(desk: Desk) -> None:
    callbacks = desk.runtime.trade.callbacks
    callbacks.open(nobody)
    await told(desk)
    desk.clock.advance(LEASE.total_seconds() - 1)
    (job,) = await callbacks.take_due(5)
    await job()
    assert await stored(desk) == [("waiting", None)]
    assert await holders(desk) == {False}
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")]


async def test_what_a_dead_process_held_is_taken_when_its_lease_ends(desk: Desk) -> None:
    callbacks = desk.runtime.trade.callbacks
    await callbacks.take_due(5)
    await desk.runtime.system.store.execute("DELETE FROM supplier_callback")
    await told(desk)
    # As it is where a process that was told of it is gone.
    await desk.runtime.system.store.execute(
        "UPDATE supplier_callback SET held_by = gen_random_uuid(), lease_until = $1, tries = 1",
        desk.clock.now() + LEASE,
    )
    assert await callbacks.act_due(5) == 0
    desk.clock.advance(LEASE.total_seconds() + 1)
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")]


async def test_whoever_gives_up_while_it_is_written_leaves_it_to_these_hands(
    desk: Desk, servers: Servers, database: str
) -> None:
    opened = await desk.open()
    await desk.supplier.pay(pay_link(opened), "paid")
    await desk.entrance.wait(1)
    callback, callbacks = await Kept(desk).callback(), desk.runtime.trade.callbacks
    assert opened.attempt is not None
    async with owner(servers, database) as connection:
        await connection.execute("DELETE FROM supplier_callback")
        callbacks.open(nobody)
        async with connection.transaction():
            await connection.execute("LOCK TABLE supplier_callback IN SHARE MODE")
            call = callbacks.receive(opened.attempt.attempt_no, callback, request_id="x")
            with pytest.raises(TimeoutError):
                await desk.runtime.system.store.in_time(call, 0.3)
    jobs = await eventually(lambda: callbacks.take_due(5), what="it is handed over")
    await jobs[0]()
    assert await stored(desk) == [("done", "order")]


def test_there_is_room_for_so_many_of_a_lane_where_there_are_hands() -> None:
    handover, lane, now = Handover(), Lane(UUID(int=1), UUID(int=2)), datetime.now(UTC)
    assert not handover.has_room(lane)
    handover.open(nobody)
    event = Event("A", "U", "paid", Money(1, "CNY"), hearsay=False)
    for place in range(MOST_OF_LANE):
        assert handover.has_room(lane)
        held = Held((UUID(int=1), UUID(int=place), now), UUID(int=place), 1)
        handover.put(lane, TakenCallback(UUID(int=1), UUID(int=place), event, 1, "", "", held, now))
    assert not handover.has_room(lane)
    assert handover.has_room(Lane(UUID(int=3), UUID(int=2)))
    first = handover.take(lane, 2)
    assert [told.id.int for told in first] == [0, 1], "in the order in which they came"
    assert handover.has_room(lane)
    assert len(handover.close()) == MOST_OF_LANE - 2
    assert handover.lanes() == []
    assert not handover.has_room(lane)
