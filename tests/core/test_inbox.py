"""What arrives from Telegram: kept once, acted on in order per chat, parked when it cannot be."""

from __future__ import annotations

from core.inbox import BACK_OFF_S, LEASE, MAX_TRIES
from core.runtime import Runtime
from tests.core.support import SetClock

BOT, CHAT, OTHER = 7, -1, -2


async def test_a_redelivery_writes_nothing(runtime: Runtime) -> None:
    woken = []
    runtime.inbox.on_news(lambda: woken.append(True))
    assert await runtime.inbox.put(BOT, 1, CHAT, {"text": "你好"})
    assert not await runtime.inbox.put(BOT, 1, CHAT, {"text": "other"})
    assert await runtime.inbox.put(BOT + 1, 1, CHAT, {})
    assert len(woken) >= 2
    (first, *_) = await runtime.inbox.take(10)
    assert first.body == {"text": "你好"}
    await runtime.inbox.done(first)
    assert not await runtime.inbox.put(BOT, 1, CHAT, {})
    assert await runtime.inbox.backlog() == 1


async def test_each_chat_in_order_and_one_at_a_time(runtime: Runtime, clock: SetClock) -> None:
    for update_id, chat_id in ((3, CHAT), (4, CHAT), (5, OTHER)):
        await runtime.inbox.put(BOT, update_id, chat_id, {})
    taken = await runtime.inbox.take(10)
    assert {(t.chat_id, t.update_id) for t in taken} == {(CHAT, 3), (OTHER, 5)}
    assert await runtime.inbox.take(10) == []
    clock.advance(LEASE.total_seconds() + 1)
    again = {t.chat_id: t for t in await runtime.inbox.take(10)}
    assert (again[CHAT].update_id, again[CHAT].tries) == (3, 2)
    await runtime.inbox.done(again[CHAT])
    assert [t.update_id for t in await runtime.inbox.take(10)] == [4]


async def test_what_fails_waits_longer_each_time_and_is_parked_at_last(
    runtime: Runtime, clock: SetClock
) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    await runtime.inbox.put(BOT, 2, CHAT, {})
    for tries, again_s in enumerate((*BACK_OFF_S, 0), start=1):
        (arrived,) = await runtime.inbox.take(10)
        assert (arrived.update_id, arrived.tries) == (1, tries)
        parked = await runtime.inbox.failed(runtime.store, arrived, "boom")
        assert parked == (tries == MAX_TRIES)
        if not parked:
            clock.advance(again_s - 0.5)
            assert await runtime.inbox.take(10) == [], "its chat waits with it"
            clock.advance(0.5)
    (arrived,) = await runtime.inbox.take(10)
    assert arrived.update_id == 2


async def test_other_chats_do_not_wait_with_it(runtime: Runtime) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    (arrived,) = await runtime.inbox.take(10)
    await runtime.inbox.failed(runtime.store, arrived, "boom")
    await runtime.inbox.put(BOT, 2, OTHER, {})
    assert [t.update_id for t in await runtime.inbox.take(10)] == [2]


async def test_who_lost_it_has_no_say_in_it(runtime: Runtime, clock: SetClock) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    await runtime.store.execute("UPDATE telegram_update SET tries = $1", MAX_TRIES - 1)
    (former,) = await runtime.inbox.take(10)
    clock.advance(LEASE.total_seconds() + 1)
    (holder,) = await runtime.inbox.take(10)
    await runtime.inbox.done(former)
    assert not await runtime.inbox.failed(runtime.store, former, "boom")
    assert await runtime.inbox.backlog() == 1
    await runtime.inbox.done(holder)
    assert not await runtime.inbox.failed(runtime.store, holder, "boom")
    assert await runtime.store.fetchval("SELECT state FROM telegram_update") == "done"


def test_a_lease_is_longer_than_the_longest_work() -> None:
    assert LEASE.total_seconds() > 2 * (2 * 13)


async def test_what_was_done_is_forgotten_after_a_week(runtime: Runtime, clock: SetClock) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    await runtime.inbox.put(BOT, 2, OTHER, {})
    for arrived in await runtime.inbox.take(1):
        await runtime.inbox.done(arrived)
    assert await runtime.inbox.forget_old() == 0
    clock.advance(7 * 86400 + 1)
    assert await runtime.inbox.forget_old() == 1
    assert await runtime.inbox.backlog() == 1
