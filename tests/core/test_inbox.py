"""What arrives from Telegram: kept once, acted on in order per chat, parked when it cannot be."""

from __future__ import annotations

from core.inbox import MAX_TRIES
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
    clock.advance(21)
    again = {t.chat_id: t for t in await runtime.inbox.take(10)}
    assert (again[CHAT].update_id, again[CHAT].tries) == (3, 2)
    await runtime.inbox.done(again[CHAT])
    assert [t.update_id for t in await runtime.inbox.take(10)] == [4]


async def test_what_fails_waits_and_is_parked_at_last(runtime: Runtime) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    await runtime.inbox.put(BOT, 2, CHAT, {})
    for tries in range(1, MAX_TRIES + 1):
        (arrived,) = await runtime.inbox.take(10)
        assert arrived.update_id == 1
        assert await runtime.inbox.failed(arrived, "boom") == (tries == MAX_TRIES)
    (arrived,) = await runtime.inbox.take(10)
    assert arrived.update_id == 2


async def test_what_was_done_is_forgotten_after_a_week(runtime: Runtime, clock: SetClock) -> None:
    await runtime.inbox.put(BOT, 1, CHAT, {})
    await runtime.inbox.put(BOT, 2, OTHER, {})
    for arrived in await runtime.inbox.take(1):
        await runtime.inbox.done(arrived)
    assert await runtime.inbox.forget_old() == 0
    clock.advance(7 * 86400 + 1)
    assert await runtime.inbox.forget_old() == 1
    assert await runtime.inbox.backlog() == 1
