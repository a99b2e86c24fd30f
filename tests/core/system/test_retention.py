"""What was said and heard goes in its time, in small steps; what it meant stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import asyncpg
import pytest

from core.kernel.wire import HttpRequest
from core.runtime import Runtime
from core.system.gateway import NeverSent
from core.system.retention import (
    BATCH,
    CALLBACK_WORDS,
    MOST_SLICES,
    NEWS_ANSWERS,
    SLICE,
    UPDATES,
    Words,
    forget_words,
)
from tests.core.support import Desk, Receiver, SetClock
from tests.core.trade.notifications.test_notifications import delivering, paid


async def callbacks(desk: Desk) -> list[asyncpg.Record]:
    return await desk.runtime.system.store.fetch("SELECT * FROM supplier_callback ORDER BY id")


async def test_a_callback_keeps_its_meaning_and_a_digest_of_its_words(desk: Desk) -> None:
    await desk.pay(await desk.open())
    (told,) = await callbacks(desk)
    assert told["state"] == "done"
    forget = desk.runtime.trade.callbacks.forget_old
    desk.clock.advance(CALLBACK_WORDS.total_seconds() - 3600)
    assert await forget() == 0
    assert await callbacks(desk) == [told]
    desk.clock.advance(2 * 3600)
    assert [await forget(), await forget()] == [1, 0]
    (kept,) = await callbacks(desk)
    assert kept["digest"] == sha256(told["body"]).digest()
    assert (kept["body"], kept["query"], kept["headers"]) == (b"", "", {})
    words = {"body", "query", "headers", "digest"}
    assert {k: v for k, v in kept.items() if k not in words} == {
        k: v for k, v in told.items() if k not in words
    }


async def test_what_waits_or_is_parked_keeps_its_words(desk: Desk) -> None:
    for _ in range(2):
        await desk.pay(await desk.open())
    store = desk.runtime.system.store
    one, other = await callbacks(desk)
    for row, state in ((one, "waiting"), (other, "parked")):
        await store.execute(
            "UPDATE supplier_callback SET state = $2 WHERE id = $1", row["id"], state
        )
    desk.clock.advance(CALLBACK_WORDS.total_seconds() + 3600)
    assert await desk.runtime.trade.callbacks.forget_old() == 0
    assert [row["body"] for row in await callbacks(desk)] == [one["body"], other["body"]]


async def test_a_long_backlog_is_forgotten_in_several_turns(desk: Desk) -> None:
    """Each turn goes on where the last one ended."""
    await desk.pay(await desk.open())
    desk.clock.advance((MOST_SLICES * SLICE + timedelta(hours=1)).total_seconds())
    await desk.pay(await desk.open())
    desk.clock.advance(CALLBACK_WORDS.total_seconds() + 3600)
    forget = desk.runtime.trade.callbacks.forget_old
    assert [await forget(), await forget(), await forget()] == [1, 1, 0]


async def test_the_first_instant_is_looked_for_once(desk: Desk) -> None:
    """That reads every row there is. A desk that did it in each turn, until its first rows are old
    enough, would not end it in time by then, and would never forget anything."""
    words = Words("news", "SELECT min(at) FROM notification_try", "SELECT forget_answers($1, $2)")
    store, before = desk.runtime.system.store, desk.clock.now() - NEWS_ANSWERS
    assert await forget_words(store, words, before) == 0
    unasked = replace(words, oldest="SELECT 'this is no instant'::timestamptz")
    assert await forget_words(store, unasked, before + SLICE) == 0


async def test_what_a_merchants_server_answered_goes_and_the_try_stays(
    desk: Desk, receiver: Receiver
) -> None:
    async def send(_: HttpRequest) -> int:
        raise NeverSent("nobody listens there")

    await paid(desk, receiver)
    notifications = delivering(desk, send)
    assert await notifications.deliver_due(10) == 1
    store, tries = desk.runtime.system.store, "SELECT * FROM notification_try"
    (told,) = await store.fetch(tries)
    assert told["said"] != ""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await store.execute("UPDATE notification_try SET said = ''")
    desk.clock.advance(NEWS_ANSWERS.total_seconds() - 3600)
    assert await notifications.forget_old() == 0
    desk.clock.advance(2 * 3600)
    assert [await notifications.forget_old(), await notifications.forget_old()] == [1, 0]
    (kept,) = await store.fetch(tries)
    assert dict(kept) == dict(told) | {"said": ""}


async def test_many_rows_go_in_batches(runtime: Runtime, clock: SetClock) -> None:
    await runtime.system.store.execute(
        "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, state, due_at, received_at)"
        " SELECT 1, n, n, '{}', 'done', $1, $1 FROM generate_series(1, $2) n",
        clock.now(),
        2 * BATCH + 1,
    )
    assert await runtime.delivery.inbox.forget_old() == 0
    clock.advance(UPDATES.total_seconds() + 1)
    assert await runtime.delivery.inbox.forget_old() == 2 * BATCH + 1
