"""What arrives from Telegram: kept once, acted on in order per chat, parked when it cannot be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from core.delivery.inbox import BACK_OFF_S, QUEUE
from core.runtime import Runtime
from core.system.leases.queue import take
from tests.core.support import SetClock

BOT, CHAT, OTHER = 7, -1, -2


async def test_a_redelivery_writes_nothing(runtime: Runtime) -> None:
    woken = []
    runtime.delivery.inbox.on_news(lambda: woken.append(True))
    assert await runtime.delivery.inbox.put(BOT, 1, CHAT, {"text": "你好"})
    assert not await runtime.delivery.inbox.put(BOT, 1, CHAT, {"text": "other"})
    assert await runtime.delivery.inbox.put(BOT + 1, 1, CHAT, {})
    assert len(woken) >= 2
    (first, *_) = await runtime.delivery.inbox.take(10)
    assert first.body == {"text": "你好"}
    await runtime.delivery.inbox.done(first)
    assert not await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    assert await runtime.delivery.inbox.backlog() == 1


async def test_what_was_said_in_private_is_emptied_when_it_is_done(
    runtime: Runtime, clock: SetClock
) -> None:
    """Together with what groups said, which is kept for some days."""
    inbox, person = runtime.delivery.inbox, 5
    for update_id, chat_id in ((1, CHAT), (2, person), (3, OTHER), (4, person + 1)):
        await inbox.put(BOT, update_id, chat_id, {"text": str(update_id)})
    taken = await inbox.take(10)
    lost = next(one for one in taken if one.update_id == 4)
    clock.advance(QUEUE.lease.total_seconds() + 1)
    again = {one.update_id: one for one in await inbox.take(10)}
    await asyncio.gather(
        inbox.done(lost), *(inbox.done(again[update_id]) for update_id in (1, 2, 3))
    )
    rows = await runtime.system.store.fetch("SELECT update_id, state, body FROM telegram_update")
    assert {row["update_id"]: (row["state"], row["body"]) for row in rows} == {
        1: ("done", {"text": "1"}), 2: ("done", {}), 3: ("done", {"text": "3"}),
        4: ("waiting", {"text": "4"}),
    }  # fmt: skip
    assert not await inbox.put(BOT, 2, person, {"text": "2"}), "it is known still"


async def test_each_chat_in_order_and_one_at_a_time(runtime: Runtime, clock: SetClock) -> None:
    for update_id, chat_id in ((3, CHAT), (4, CHAT), (5, OTHER)):
        await runtime.delivery.inbox.put(BOT, update_id, chat_id, {})
    taken = await runtime.delivery.inbox.take(10)
    assert {(t.chat_id, t.update_id) for t in taken} == {(CHAT, 3), (OTHER, 5)}
    assert await runtime.delivery.inbox.take(10) == []
    clock.advance(QUEUE.lease.total_seconds() + 1)
    again = {t.chat_id: t for t in await runtime.delivery.inbox.take(10)}
    assert (again[CHAT].update_id, again[CHAT].tries) == (3, 2)
    await runtime.delivery.inbox.done(again[CHAT])
    assert [t.update_id for t in await runtime.delivery.inbox.take(10)] == [4]


async def test_what_fails_waits_longer_each_time_and_is_parked_at_last(
    runtime: Runtime, clock: SetClock
) -> None:
    await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    await runtime.delivery.inbox.put(BOT, 2, CHAT, {})
    for tries, again_s in enumerate((*BACK_OFF_S, 0), start=1):
        (arrived,) = await runtime.delivery.inbox.take(10)
        assert (arrived.update_id, arrived.tries) == (1, tries)
        parked = await runtime.delivery.inbox.failed(runtime.system.store, arrived, "boom")
        assert parked == (tries == QUEUE.most_tries)
        if not parked:
            clock.advance(again_s - 0.5)
            assert await runtime.delivery.inbox.take(10) == [], "its chat waits with it"
            clock.advance(0.5)
    (arrived,) = await runtime.delivery.inbox.take(10)
    assert arrived.update_id == 2


async def test_other_chats_do_not_wait_with_it(runtime: Runtime) -> None:
    await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    (arrived,) = await runtime.delivery.inbox.take(10)
    await runtime.delivery.inbox.failed(runtime.system.store, arrived, "boom")
    await runtime.delivery.inbox.put(BOT, 2, OTHER, {})
    assert [t.update_id for t in await runtime.delivery.inbox.take(10)] == [2]


async def test_who_lost_it_has_no_say_in_it(runtime: Runtime, clock: SetClock) -> None:
    await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    await runtime.system.store.execute(
        "UPDATE telegram_update SET tries = $1", QUEUE.most_tries - 1
    )
    (former,) = await runtime.delivery.inbox.take(10)
    clock.advance(QUEUE.lease.total_seconds() + 1)
    (holder,) = await runtime.delivery.inbox.take(10)
    await runtime.delivery.inbox.done(former)
    assert not await runtime.delivery.inbox.failed(runtime.system.store, former, "boom")
    assert await runtime.delivery.inbox.backlog() == 1
    await runtime.delivery.inbox.done(holder)
    assert not await runtime.delivery.inbox.failed(runtime.system.store, holder, "boom")
    assert await runtime.system.store.fetchval("SELECT state FROM telegram_update") == "done"


async def test_a_lease_that_is_renewed_goes_on(runtime: Runtime, clock: SetClock) -> None:
    await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    (former,) = await runtime.delivery.inbox.take(10)
    for _ in range(3):
        clock.advance(QUEUE.lease.total_seconds() - 1)
        assert await runtime.delivery.inbox.renew(former)
        assert await runtime.delivery.inbox.take(10) == []
    clock.advance(QUEUE.lease.total_seconds() + 1)
    (holder,) = await runtime.delivery.inbox.take(10)
    assert not await runtime.delivery.inbox.renew(former), "somebody else has it"
    assert await runtime.delivery.inbox.renew(holder)
    await runtime.delivery.inbox.done(holder)
    assert not await runtime.delivery.inbox.renew(holder)


async def test_what_can_never_be_acted_on_is_parked_at_once(runtime: Runtime) -> None:
    for update_id in (1, 2):
        await runtime.delivery.inbox.put(BOT, update_id, CHAT, {})
    (arrived,) = await runtime.delivery.inbox.take(10)
    assert await runtime.delivery.inbox.park(runtime.system.store, arrived, "unreadable")
    assert not await runtime.delivery.inbox.park(runtime.system.store, arrived, "unreadable")
    assert [t.update_id for t in await runtime.delivery.inbox.take(10)] == [2]


async def test_the_order_is_that_of_arrival_whatever_clocks_and_numbers_say(
    runtime: Runtime, clock: SetClock
) -> None:
    """update_id may begin anew, and two instances' clocks may differ."""
    for update_id in (9, 3, 7):
        await runtime.delivery.inbox.put(BOT, update_id, CHAT, {})
    await runtime.system.store.execute(
        "UPDATE telegram_update SET received_at = received_at - interval '5 s' WHERE update_id = 7"
    )
    for update_id in (9, 3, 7):
        (arrived,) = await runtime.delivery.inbox.take(10)
        assert arrived.update_id == update_id
        await runtime.delivery.inbox.done(arrived)


async def test_lanes_of_a_chat_go_side_by_side(runtime: Runtime) -> None:
    for update_id, lane in ((1, 0), (2, 1), (3, 0), (4, 1)):
        await runtime.delivery.inbox.put(BOT, update_id, CHAT, {}, lane=lane)
    first, second = await runtime.delivery.inbox.take(10)
    assert {first.update_id, second.update_id} == {1, 2}
    assert await runtime.delivery.inbox.take(10) == []
    for arrived in (first, second):
        await runtime.delivery.inbox.done(arrived)
    assert {t.update_id for t in await runtime.delivery.inbox.take(10)} == {3, 4}


async def test_a_long_backlog_is_not_walked_through(runtime: Runtime) -> None:
    """Of 5,000 updates that wait in two chats, a take of both chats reads a few."""
    await runtime.system.store.execute(
        "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, due_at, received_at)"
        " SELECT $1, n, -1 - n % 2, '{}', now() - interval '1 day', now() - interval '1 day'"
        " FROM generate_series(1, 5000) n",
        BOT,
    )
    await runtime.system.store.execute("ANALYZE telegram_update")
    now = datetime.now(UTC)
    async with runtime.system.store.transaction() as tx:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {take(QUEUE)}"
        told = await tx.fetchval(explain, now, now + QUEUE.lease, UUID(int=1), 10, -2, 0)
    read = list(_read(json.loads(told)[0]["Plan"]))
    assert read
    assert sum(read) < 20, told


def _read(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each part of a plan found in the table."""
    if plan.get("Relation Name") == "telegram_update":
        yield plan["Actual Rows"] * plan["Actual Loops"]
        yield plan.get("Rows Removed by Filter", 0) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from _read(part)


async def test_what_was_done_is_forgotten_after_a_week(runtime: Runtime, clock: SetClock) -> None:
    await runtime.delivery.inbox.put(BOT, 1, CHAT, {})
    await runtime.delivery.inbox.put(BOT, 2, OTHER, {})
    for arrived in await runtime.delivery.inbox.take(1):
        await runtime.delivery.inbox.done(arrived)
    assert await runtime.delivery.inbox.forget_old() == 0
    clock.advance(7 * 86400 + 1)
    assert await runtime.delivery.inbox.forget_old() == 1
    assert await runtime.delivery.inbox.backlog() == 1
