"""Many open questions at once, answered in any order while the desk dies now and then: each answer
is under its own question, once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Final

import pytest
from aiogram import Bot

from bot.send_limits import Gate
from bot.world import Addresses, seed
from core.delivery.outbox.queue import QUEUE
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.trade.enquiries import Media, Said
from core.trade.orders import OrderKey
from tests.bot.support import Telegram, on_the_clock
from tests.bot.test_courier import Post
from tests.conftest import SUPPLIER_KEYS
from tests.core.support import (
    CHAT,
    SPRUCE_STAFF,
    SUPPLIER_CHAT,
    SUPPLIER_STAFF,
    SetClock,
    sandbox_supplier,
    wanted,
)
from tests.sandbox.telegram.room import encoded, png
from tests.sizes import size

QUESTIONS: Final = size(20, 200)
_ROUNDS: Final = 60
_NUMBER: Final = re.compile(r"A[0-9A-Z]{19}")


@pytest.fixture
async def post(
    runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock, tmp_path: Path
) -> AsyncIterator[Post]:
    async with sandbox_supplier(tmp_path / "supplier") as supplier:
        await seed(runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
        await runtime.system.store.execute("DELETE FROM outbox")
        bot.session.middleware(Gate(runtime.delivery.outbox.chats))
        yield Post(on_the_clock(runtime, clock), bot, telegram, clock)


@pytest.mark.timeout(size(120, 900))
async def test_no_answer_is_lost_and_none_is_crossed(
    post: Post, shop: tuple[Merchant, App]
) -> None:
    random = Random(1401)
    asked = await ask_all(post, shop)
    await deliver_all(post, random)
    there = [m for m in await post.telegram.transcript(SUPPLIER_CHAT) if "❓" in m["text"]]
    assert sorted(number_in(m["text"]) for m in there) == sorted(asked)

    random.shuffle(there)
    for question in there:
        await answer(post, question["id"], f"OK {number_in(question['text'])}", random)
        if random.random() < 0.1:
            await deliver(post, random)
    await deliver_all(post, random)
    replies: dict[int, list[str]] = {}
    for message in await post.telegram.transcript(CHAT):
        if message["from"]["is_bot"] and message["reply_to"]:
            replies.setdefault(message["reply_to"], []).append(message["text"])
    assert replies == {message_id: [f"OK {number}"] for number, message_id in asked.items()}


async def ask_all(post: Post, shop: tuple[Merchant, App]) -> dict[str, int]:
    """Pictures of as many orders: their numbers at the supplier, and the messages that ask."""
    merchant, app = shop
    trade, room = post.runtime.trade, post.telegram.room
    actor = await post.runtime.people.access.actor(SPRUCE_STAFF, "Su", CHAT, private=False)
    asked = {}
    for place in range(QUESTIONS):
        opened = await trade.creation.open(app, wanted(10_000), request_id="test")
        said = await room.control(
            "act", {"as": SPRUCE_STAFF, "chat_id": CHAT, "photo": encoded(png())}
        )
        media = (Media("photo", "of the message"),) if place % 3 else ()
        question = Said(CHAT, said["message_id"], "Su", media=media)
        key = OrderKey(merchant.id, opened.order.id)
        for _ in range(1 + place % 2):  # every other one is delivered again
            await trade.enquiries.ask(actor, [key], question)
        assert opened.order.live_attempt_no is not None
        asked[opened.order.live_attempt_no] = said["message_id"]
    return asked


async def answer(post: Post, question_id: int, words: str, random: Random) -> None:
    """Somebody at the supplier replies."""
    enquiries = post.runtime.trade.enquiries
    said = await post.telegram.room.say(
        words, chat_id=SUPPLIER_CHAT, text_as=SUPPLIER_STAFF, reply_to=question_id
    )
    thread = await enquiries.find_thread(SUPPLIER_CHAT, question_id, "")
    assert thread is not None
    access = post.runtime.people.access
    actor = await access.actor(SUPPLIER_STAFF, "Li", SUPPLIER_CHAT, private=False)
    for _ in range(random.choice((1, 1, 2))):
        await enquiries.reply(actor, thread, Said(SUPPLIER_CHAT, said, "Li"))


async def deliver_all(post: Post, random: Random) -> None:
    """Until nothing waits."""
    for _ in range(_ROUNDS):
        await deliver(post, random)
        if set(await post.states()) <= {"sent"}:
            return
        await post.minute_passes()
    raise AssertionError(f"not out after {_ROUNDS} minutes: {await post.states()}")


async def deliver(post: Post, random: Random) -> None:
    """A while of a desk that may die: before it sends what it took, or before it is told so."""
    match random.randrange(3):
        case 0:
            await post.runtime.delivery.outbox.take(10)  # and dies
            post.clock.advance(QUEUE.lease.total_seconds())
        case 1:
            method = random.choice(("copyMessage", "sendMessage"))
            await post.telegram.fault("lost_answer", method=method, times=1)
    await post.deliver()


def number_in(text: str) -> str:
    found = _NUMBER.search(text)
    assert found is not None, text
    return found[0]
