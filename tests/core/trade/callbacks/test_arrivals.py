"""A payment is booked where its callback comes; what cannot be is stored, and left to the hands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.connectors import Callback
from core.trade.callbacks import QUEUE
from core.trade.orders import Opened
from tests.conftest import Servers
from tests.core.support import Desk, owner, pay_link
from tests.core.trade.callbacks.test_callbacks import stored
from tests.core.trade.callbacks.test_queue import Kept
from tests.demo import eventually


async def told(desk: Desk) -> Opened:
    """An order is paid, and the desk is told of it."""
    opened = await desk.open()
    heard = len(desk.entrance.heard)
    await desk.supplier.pay(pay_link(opened), "paid")
    await desk.entrance.wait(heard + 1)
    return opened


async def calls(desk: Desk, count: int) -> list[tuple[str, Callback]]:
    """What is said of so many orders that were paid; nothing of it is stored any more."""
    await desk.told(*[await desk.open() for _ in range(count)])
    rows = await desk.runtime.system.store.fetch(
        "DELETE FROM supplier_callback RETURNING attempt_no, query, headers, body"
    )
    return [
        (row["attempt_no"], Callback("POST", row["query"], row["headers"], row["body"], "::1"))
        for row in rows
    ]


async def receive(desk: Desk, some: Sequence[tuple[str, Callback]]) -> set[bytes]:
    """All of them at once; what was answered."""
    receive = desk.runtime.trade.callbacks.receive
    replies = await asyncio.gather(*(receive(*call, request_id="x") for call in some))
    return {reply.body.strip() for reply in replies}


async def test_a_payment_is_booked_before_its_callback_is_answered(desk: Desk) -> None:
    woken: list[bool] = []
    callbacks = desk.runtime.trade.callbacks
    assert await callbacks.take_due(5) == []
    callbacks.open(lambda: woken.append(True))
    opened = await told(desk)
    assert (await desk.order(opened)).state == "paid"
    assert await stored(desk) == [("done", "order")]
    row = await desk.runtime.system.store.fetchrow("SELECT * FROM supplier_callback")
    assert row is not None
    assert row["body"]
    assert (row["tries"], row["held_by"], row["lease_until"]) == (1, None, None)
    assert woken == []
    assert await callbacks.take_due(5) == []
    await desk.sound()


async def test_those_of_one_merchant_are_booked_together(desk: Desk) -> None:
    """The first may go alone, and those that come meanwhile go at one instant."""
    some = await calls(desk, 6)
    assert await receive(desk, some) == {b"success"}
    assert await stored(desk) == [("done", "order")] * 6
    booked = await desk.runtime.system.store.fetch("SELECT DISTINCT booked_at FROM ledger_event")
    assert len(booked) <= 2
    assert (await desk.balances())["payable"] == 6 * 9880
    await desk.sound()


async def test_twins_that_come_at_once_are_one_payment(desk: Desk) -> None:
    (call,) = await calls(desk, 1)
    assert await receive(desk, [call] * 8) == {b"success"}
    assert await stored(desk) == [("done", "order")]
    assert (await desk.balances())["payable"] == 9880
    await desk.sound()


async def test_what_is_not_just_what_is_waited_for_is_left_to_the_hands(desk: Desk) -> None:
    woken: list[bool] = []
    opened = await desk.open()
    assert opened.attempt is not None
    callbacks = desk.runtime.trade.callbacks
    callbacks.open(lambda: woken.append(True))
    await desk.supplier.forge(opened.attempt.attempt_no, overrides={"paid_amount": "1.00"})
    assert woken == [True]
    assert await stored(desk) == [("waiting", None)]
    (job,) = await callbacks.take_due(5)
    assert await callbacks.take_due(5) == [], "it is given out once"
    await job()
    assert await stored(desk) == [("done", "short")]


async def test_who_holds_the_day_alone_is_not_waited_for(
    desk: Desk, servers: Servers, database: str
) -> None:
    some = await calls(desk, 2)
    callbacks = desk.runtime.trade.callbacks
    async with owner(servers, database) as connection, connection.transaction():
        await connection.execute("SELECT hold_day($1, true)", desk.merchant.id)
        assert await receive(desk, some) == {b"success"}
        assert await stored(desk) == [("waiting", None)] * 2
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")] * 2
    await desk.sound()


async def test_whose_orders_are_locked_is_stored_and_holds_up_nobody_else(
    desk: Desk, neighbour: Desk, servers: Servers, database: str
) -> None:
    stuck, (other,) = await calls(desk, 2), await calls(neighbour, 1)
    callbacks = desk.runtime.trade.callbacks
    async with owner(servers, database) as connection:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM orders WHERE merchant_id = $1 FOR UPDATE", desk.merchant.id
            )
            waiting = asyncio.create_task(receive(desk, stuck))
            assert await receive(neighbour, [other]) == {b"success"}
            assert await stored(desk) == [("done", "order")]
            assert await waiting == {b"success"}
        assert await stored(desk) == [("done", "order")] + [("waiting", None)] * 2
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")] * 3
    await desk.sound()


async def test_a_process_without_hands_books_where_it_comes_as_well(desk: Desk) -> None:
    opened = await told(desk)
    assert (await desk.order(opened)).state == "paid"
    assert await stored(desk) == [("done", "order")]
    await desk.sound()


async def test_what_a_dead_process_held_is_taken_when_its_lease_ends(desk: Desk) -> None:
    callbacks = desk.runtime.trade.callbacks
    await desk.told(await desk.open())
    # As it is where a process that took it is gone.
    await desk.runtime.system.store.execute(
        "UPDATE supplier_callback SET held_by = gen_random_uuid(), lease_until = $1, tries = 1",
        desk.clock.now() + QUEUE.lease,
    )
    desk.clock.advance(QUEUE.lease.total_seconds() - 1)
    assert await callbacks.act_due(5) == 0
    desk.clock.advance(2)
    assert await callbacks.act_due(5) == 1
    assert await stored(desk) == [("done", "order")]


async def test_whoever_gives_up_while_it_is_written_has_it_booked_all_the_same(
    desk: Desk, servers: Servers, database: str
) -> None:
    opened = await desk.open()
    await desk.told(opened)
    callback, callbacks = await Kept(desk).callback(), desk.runtime.trade.callbacks
    assert opened.attempt is not None
    async with owner(servers, database) as connection:
        await connection.execute("DELETE FROM supplier_callback")
        async with connection.transaction():
            await connection.execute("LOCK TABLE supplier_callback IN SHARE MODE")
            call = callbacks.receive(opened.attempt.attempt_no, callback, request_id="x")
            with pytest.raises(TimeoutError):
                await desk.runtime.system.store.in_time(call, 0.3)

    async def acted_on() -> bool:
        await callbacks.act_due(5)
        return await stored(desk) == [("done", "order")]

    await eventually(acted_on, what="it is booked, or acted on by itself")
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()
