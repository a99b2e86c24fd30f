"""What happens while an order is decided and written: the market moves, its caller gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from core.connectors import Accepted, CreateReading, Pay
from core.kernel.errors import Refusal
from core.supply.channels import Choice, Routing
from core.system.store import Store
from core.trade.district import build_creation
from core.trade.orders import Attempt, Creation, Order, SupplierCalls, find_key, get_attempts
from core.trade.orders.openings import FIRST_QUESTION, LONGEST_WAIT
from tests.core.support import Desk, books_of, wanted
from tests.core.trade.orders.test_new_orders import count
from tests.demo import eventually

_WAITS = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
               WHERE NOT l.granted AND l.locktype = 'transactionid'
                 AND a.datname = current_database())
"""
BOUND_S = 20.0
PATIENCE_S = 0.5


class Takes:
    """Routing with which something happens each time when room is taken on a channel."""

    def __init__(self, routing: Routing, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._routing = routing
        self._meanwhile = meanwhile
        self.took = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._routing, name)

    async def take(self, *asked: Any) -> Choice:
        choice = await self._routing.take(*asked)
        self.took += 1
        await self._meanwhile()
        return choice


class Answers(SupplierCalls):
    """Suppliers that have to be called, and accept at once."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.news = asyncio.Event()

    async def handed_over(self, order: Order, attempt: Attempt) -> Pay | None:
        return None

    async def create(self, order: Order, attempt: Attempt) -> CreateReading:
        self.called.append(attempt.attempt_no)
        self.news.set()
        return Accepted(f"U{attempt.attempt_no}", Pay("url", "https://pay.example/1"))


class Slow:
    """A store whose writes of new orders pass a door. passes: what happens on the way."""

    def __init__(self, store: Store, passes: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._passes = passes
        self.begun = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def fetch(self, sql: str, *args: Any) -> Any:
        if "open_orders" in sql:
            self.begun.set()
            await self._passes()
        return await self._store.fetch(sql, *args)


def creation_with(
    desk: Desk, calls: SupplierCalls, *, store: object = None, routing: object = None
) -> Creation:
    runtime = desk.runtime
    return build_creation(
        replace(runtime.system, store=cast(Store, store or runtime.system.store)),
        books_of(runtime),
        cast(Routing, routing or runtime.supply.routing),
        calls,
        runtime.trade.payments,
    )


async def rest(desk: Desk, channel_no: str) -> None:
    """The channel failed, and its pause is over: one order tries it."""
    await desk.runtime.system.store.execute(
        "UPDATE channel SET paused_at = $2, paused_until = $3, paused_why = 'failed', pauses = 1,"
        " priority = -1 WHERE channel_no = $1",
        channel_no,
        desk.clock.now() - timedelta(minutes=2),
        desk.clock.now() - timedelta(minutes=1),
    )


async def version_of(desk: Desk) -> int:
    return int(await desk.runtime.system.store.fetchval("SELECT version FROM market"))


async def attempts_of(desk: Desk, merchant_order_no: str) -> list[Attempt]:
    store = desk.runtime.system.store
    key = await find_key(store, desk.merchant.id, desk.app.id, merchant_order_no)
    return await get_attempts(store, desk.merchant.id, key.order_id) if key else []


async def test_a_rested_channel_that_is_switched_off_meanwhile_takes_no_order(desk: Desk) -> None:
    await rest(desk, "C01")

    async def off() -> None:
        sql = "UPDATE channel SET state = 'off' WHERE channel_no = 'C01' AND state = 'on'"
        await desk.runtime.system.store.execute(sql)

    calls = Answers()
    routing = Takes(desk.runtime.supply.routing, off)
    creation = creation_with(desk, calls, routing=routing)
    opened = await creation.open(desk.app, wanted(), request_id="one")
    assert opened.attempt is not None
    assert (opened.attempt.channel_no == "C01", routing.took) == (False, 2)
    assert ("C01", "off") in [(one.channel_no, one.code) for one in opened.attempt.reasons]
    assert calls.called == [opened.attempt.attempt_no]


async def test_a_rested_channel_is_taken_at_the_cost_that_it_has_by_then(desk: Desk) -> None:
    await rest(desk, "C01")

    async def dearer() -> None:
        await desk.runtime.system.store.execute(
            "INSERT INTO channel_tariff (id, channel_id, valid_from, tiers, actor, at)"
            ' SELECT gen_random_uuid(), t.channel_id, t.valid_from, \'[{"from": 0, "ppm": 77}]\','
            " 't', now() FROM channel_tariff t JOIN channel c ON c.id = t.channel_id"
            " WHERE c.channel_no = 'C01' LIMIT 1"
        )

    creation = creation_with(desk, Answers(), routing=Takes(desk.runtime.supply.routing, dearer))
    # Each try finds it dearer once more, but to the same cost.
    opened = await creation.open(desk.app, wanted(), request_id="one")
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C01"
    assert opened.attempt.cost.of(1_000_000) == 77


async def test_a_merchant_without_credit_tries_no_rested_channel(desk: Desk) -> None:
    await rest(desk, "C01")
    store = desk.runtime.system.store
    await store.execute(
        "INSERT INTO balance (merchant_id, mode, currency, account, minor)"
        " VALUES ($1, 'live', 'CNY', 'payable', 1)",
        desk.merchant.id,
    )
    await store.execute("UPDATE merchant SET credit_line_minor = 0 WHERE id = $1", desk.merchant.id)
    before = await version_of(desk)
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert error.value.code == "credit_line_reached"
    assert await version_of(desk) == before


async def test_an_order_that_is_decided_in_vain_may_be_asked_for_again(desk: Desk) -> None:
    async def change() -> None:
        await desk.runtime.system.store.execute("UPDATE supplier SET name = name || '!'")

    calls, asked = Answers(), wanted()
    creation = creation_with(desk, calls, routing=Takes(desk.runtime.supply.routing, change))
    with pytest.raises(TimeoutError, match="in vain"):
        await creation.open(desk.app, asked, request_id="one")
    assert await count(desk, "orders") == await count(desk, "order_key") == 0
    assert calls.called == []
    opened = await creation_with(desk, calls).open(desk.app, asked, request_id="two")
    assert opened.order.state == "pending"


async def test_who_gives_up_while_its_order_is_written_has_it_sent(desk: Desk) -> None:
    await desk.open()
    store, calls, asked = desk.runtime.system.store, Answers(), wanted()
    creation = creation_with(desk, calls)
    async with asyncio.timeout(BOUND_S):
        async with desk.day_held_alone():
            with pytest.raises(TimeoutError):
                await store.in_time(creation.open(desk.app, asked, request_id="one"), PATIENCE_S)
            assert calls.called == []
        await calls.news.wait()
        again = await creation.open(desk.app, asked, request_id="again")
    assert (again.order.state, again.again) == ("pending", True)
    assert again.attempt is not None
    assert calls.called == [again.attempt.attempt_no], "there is no doubt about it"


async def test_who_gives_up_in_line_has_nothing_written(desk: Desk) -> None:
    await desk.open()
    door, calls, left = asyncio.Event(), Answers(), wanted()
    store = Slow(desk.runtime.system.store, door.wait)
    creation = creation_with(desk, calls, store=store)
    async with asyncio.timeout(BOUND_S):
        first = asyncio.create_task(creation.open(desk.app, wanted(), request_id="first"))
        await store.begun.wait()
        with pytest.raises(TimeoutError):
            await desk.runtime.system.store.in_time(
                creation.open(desk.app, left, request_id="left"), PATIENCE_S
            )
        door.set()
        opened = await first
        await creation.open(desk.app, wanted(), request_id="next")
    assert opened.order.state == "pending"
    assert await attempts_of(desk, left.merchant_order_no) == []


async def test_what_waited_too_long_for_its_write_is_not_sent_any_more(desk: Desk) -> None:
    """Somebody may ask about it by then, and be told that it does not exist."""
    await desk.open()
    calls, asked = Answers(), wanted()

    async def wait() -> None:
        desk.clock.advance((LONGEST_WAIT + timedelta(seconds=1)).total_seconds())

    creation = creation_with(desk, calls, store=Slow(desk.runtime.system.store, wait))
    opened = await creation.open(desk.app, asked, request_id="one")
    first, second = await attempts_of(desk, asked.merchant_order_no)
    assert (first.state, first.unsent, second.state) == ("rejected", True, "accepted")
    assert calls.called == [second.attempt_no]
    assert opened.order.state == "pending"
    assert first.sent_at is not None
    assert FIRST_QUESTION > LONGEST_WAIT


async def test_who_writes_what_a_lost_batch_still_writes_has_written_it(desk: Desk) -> None:
    """The answer to a batch was lost, and it goes on at the database: the key waits for it."""
    await desk.open()
    store, calls, asked = desk.runtime.system.store, Answers(), wanted()
    lost, written = asyncio.Event(), asyncio.Event()
    commits: list[asyncio.Task[None]] = []

    class Loses(Slow):
        async def fetch(self, sql: str, *args: Any) -> Any:
            if "open_orders" not in sql or commits:
                return await super().fetch(sql, *args)

            async def go_on() -> None:
                async with store.transaction() as tx:
                    await tx.fetch(sql, *args)
                    lost.set()
                    await written.wait()

            commits.append(asyncio.create_task(go_on()))
            await lost.wait()
            raise ConnectionError("the answer is lost")

    async def waits() -> None:
        """It is committed once the one that is written alone waits for its key."""
        commits.append(asyncio.create_task(commit()))

    async def commit() -> None:
        async def waits() -> bool:
            return bool(await store.fetchval(_WAITS))

        await eventually(waits, what="the one that is written alone waits")
        written.set()

    creation = creation_with(desk, calls, store=Loses(store, waits))
    async with asyncio.timeout(BOUND_S):
        opened = await creation.open(desk.app, asked, request_id="one")
        await asyncio.gather(*commits)
    assert (opened.order.state, opened.again) == ("pending", False)
    assert opened.attempt is not None
    assert calls.called == [opened.attempt.attempt_no]
    assert await count(desk, "orders") == 2
