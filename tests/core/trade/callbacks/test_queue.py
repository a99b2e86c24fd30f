"""The queue of believed callbacks: twins make one row, and what fails is heard of in a minute."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg

from core.connectors import Callback
from core.people.alarms import Alarm
from core.trade.callbacks import MAX_TRIES, TOLD_AFTER
from tests.conftest import Servers
from tests.core.support import Desk, alarms
from tests.core.trade.callbacks.test_callbacks import stored


class Kept:
    """Every callback that the entrance heard, to be delivered again."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def callback(self) -> Callback:
        row = await self.desk.runtime.system.store.fetchrow("SELECT * FROM supplier_callback")
        assert row is not None
        return Callback("POST", row["query"], row["headers"], row["body"], "::1")


async def told(desk: Desk) -> list[Alarm]:
    return [alarm for alarm in await alarms(desk.runtime) if alarm.kind == "callback"]


async def test_twins_that_come_at_once_are_one_row(desk: Desk) -> None:
    opened, other = await desk.open(), await desk.open()
    assert opened.attempt is not None
    await desk.told(opened)
    callback = await Kept(desk).callback()
    await desk.runtime.system.store.execute("DELETE FROM supplier_callback")
    number = opened.attempt.attempt_no
    receive = desk.runtime.trade.callbacks.receive
    async with desk.day_held_alone():
        replies = await asyncio.gather(
            *(receive(number, callback, request_id="x") for _ in range(8))
        )
    assert {reply.body.strip() for reply in replies} == {b"success"}
    assert await stored(desk) == [("waiting", None)]
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "order")]
    assert (await desk.order(other)).state == "pending"


async def test_what_is_told_again_in_another_month_is_the_same_row(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    await desk.told(opened)
    callback = await Kept(desk).callback()
    number = opened.attempt.attempt_no
    await desk.runtime.trade.callbacks.act_due(10)
    for _ in range(2):
        desk.clock.advance(32 * 86_400)
        reply = await desk.runtime.trade.callbacks.receive(number, callback, request_id="x")
        assert reply.body.strip() == b"success"
        assert await desk.runtime.trade.callbacks.act_due(10) == 0
    assert await stored(desk) == [("done", "order")]


async def test_a_twin_waits_for_the_first_ones_commit(
    desk: Desk, servers: Servers, database: str
) -> None:
    """Two connections: the second write finds the first, whichever commits it."""
    opened = await desk.open()
    assert opened.attempt is not None
    await desk.told(opened)
    callback = await Kept(desk).callback()
    moved = await asyncpg.connect(servers.owner_dsn(database))
    try:
        async with desk.day_held_alone(), moved.transaction():
            # The same event under another id, not committed yet.
            await moved.execute("UPDATE supplier_callback SET id = $1", UUID(int=1))
            again = asyncio.create_task(
                desk.runtime.trade.callbacks.receive(
                    opened.attempt.attempt_no, callback, request_id="x"
                )
            )
            await asyncio.wait([again], timeout=0.2)
            assert not again.done()
        await again
    finally:
        await moved.close()
    assert await stored(desk) == [("waiting", None)]


async def test_what_fails_is_heard_of_within_a_minute_counts_up_and_ends(desk: Desk) -> None:
    opened = await desk.open()
    await desk.told(opened)
    store, began = desk.runtime.system.store, desk.clock.now()
    # The balance cannot take it: every try to book it is rolled back.
    await store.execute(
        "INSERT INTO balance (merchant_id, mode, currency, account, minor)"
        " VALUES ($1, 'live', 'CNY', 'payable', $2)",
        desk.merchant.id,
        2**63 - 1,
    )
    for _ in range(TOLD_AFTER - 1):
        assert await desk.runtime.trade.callbacks.act_due(10) == 1
        assert await told(desk) == []
        desk.clock.advance(21)
    assert await desk.runtime.trade.callbacks.act_due(10) == 1
    (alarm,) = await told(desk)
    assert desk.clock.now() - began < timedelta(seconds=70)
    assert (alarm.state, alarm.count, alarm.facts["given_up"]) == ("standing", 1, False)
    await store.execute("UPDATE supplier_callback SET tries = $1", MAX_TRIES - 2)
    for _ in range(2):
        desk.clock.advance(3600)
        assert await desk.runtime.trade.callbacks.act_due(10) == 1
    (alarm,) = await told(desk)
    assert alarm.count == 3
    assert (alarm.state, alarm.facts["given_up"], alarm.facts["tries"]) == (
        "standing", True, MAX_TRIES,
    )  # fmt: skip
    assert (await stored(desk))[0][0] == "parked"

    await store.execute("UPDATE balance SET minor = 0 WHERE account = 'payable'")
    assert opened.attempt is not None
    async with desk.day_held_alone():
        await desk.supplier.forge(opened.attempt.attempt_no)
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "order")]
    (alarm,) = await told(desk)
    assert alarm.state == "over"
    await desk.sound()
