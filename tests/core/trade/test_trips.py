"""How often the money path waits for the database, at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from bench.wire import Wire
from core.connectors import Callback
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import Desk, Entrance, SetClock
from tests.roundtrips import ROUNDS, counting, least

TOGETHER = 20
CREATE, CALLBACK, QUESTION = 3, 2, 2


@pytest.fixture
async def wire(servers: Servers, database: str) -> AsyncIterator[Wire]:
    async with counting(servers, database) as wire:
        yield wire


@pytest.fixture
async def runtime(
    servers: Servers, wire: Wire, clock: SetClock, entrance: Entrance
) -> AsyncIterator[Runtime]:
    """The business, whose questions are counted; few connections, each of which learns soon."""
    built = await build(
        Connections(wire.dsn, servers.valkey_url, pool=PoolSizes(2)),
        master_key=MASTER_KEY,
        public_url=entrance.url,
        allow_private_targets=True,
        clock=clock,
    )
    entrance.runtime = built
    entrance.heard.clear()
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
        entrance.runtime = None
        await built.close()


async def calls_of(desk: Desk, count: int) -> list[tuple[str, Callback]]:
    """What the supplier says of so many payments, as it came; nothing of it is stored any more."""
    opened = [await desk.open() for _ in range(count)]
    await desk.told(*opened)
    store = desk.runtime.system.store
    rows = await store.fetch("DELETE FROM supplier_callback RETURNING *")
    await desk.runtime.trade.callbacks.act_due(1)
    return [
        (row["attempt_no"], Callback("POST", row["query"], row["headers"], row["body"], "::1"))
        for row in rows
    ]


async def test_an_order_that_a_supplier_is_asked_to_take(desk: Desk, wire: Wire) -> None:
    assert await least(wire, [desk.open] * ROUNDS) <= CREATE


async def test_a_callback_until_it_is_booked(desk: Desk, wire: Wire) -> None:
    callbacks = desk.runtime.trade.callbacks
    calls = await calls_of(desk, ROUNDS)

    def booked(number: str, callback: Callback) -> Callable[[], Awaitable[object]]:
        async def work() -> None:
            await callbacks.receive(number, callback, request_id="one")
            assert await callbacks.take_due(5) == []

        return work

    assert await least(wire, [booked(*call) for call in calls]) <= CALLBACK
    await desk.sound()
    assert (await desk.balances())["payable"] == ROUNDS * 9880


async def test_many_callbacks_at_once(desk: Desk, wire: Wire) -> None:
    callbacks = desk.runtime.trade.callbacks
    calls = await calls_of(desk, 2 * TOGETHER)

    def booked(some: Sequence[tuple[str, Callback]]) -> Callable[[], Awaitable[object]]:
        async def work() -> None:
            await asyncio.gather(*(callbacks.receive(*call, request_id="many") for call in some))
            assert await callbacks.take_due(5) == []

        return work

    trips = await least(wire, [booked(calls[:TOGETHER]), booked(calls[TOGETHER:])])
    assert trips / TOGETHER < 1
    assert (await desk.balances())["payable"] == 2 * TOGETHER * 9880


async def test_many_questions_to_a_supplier_at_once(desk: Desk, wire: Wire) -> None:
    for _ in range(2 * TOGETHER):
        await desk.open()
    await desk.runtime.system.store.settle()
    desk.clock.advance(60)

    async def asked() -> None:
        assert await desk.runtime.trade.follow_up.ask_due(TOGETHER) == TOGETHER
        await desk.runtime.system.store.settle()

    assert await least(wire, [asked] * 2) / TOGETHER < QUESTION
