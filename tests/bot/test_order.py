"""Whatever happens to the calls and to those who make them, each chat reads everything in order."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from aiogram import Bot
from aiohttp import web

from bot.courier import Courier
from bot.send_limits import Gate
from core.delivery.outbox import Fact, Say, Stored
from core.delivery.outbox.queue import QUEUE
from core.runtime import Runtime
from tests.bot.support import Telegram, bot_at, in_between, on_the_clock
from tests.core.support import CHAT, NORTHWIND_CHAT, OPS_CHAT, SetClock
from tests.sizes import size

CHATS = (CHAT, NORTHWIND_CHAT, OPS_CHAT)
WORDS = 12  # of each chat
ROUNDS = 400


def word(number: int, **more: Any) -> Say:
    facts = {"code": "order_not_found", "facts": {"number": f"W{number:02}"}, "line": 0}
    return Say(Stored("refusal", facts), **more)


class World:
    """Two couriers of one desk, and a network between them and Telegram that goes wrong at random:
    calls fail, answers are lost, and couriers are killed in the middle of a call."""

    def __init__(self, runtime: Runtime, telegram: Telegram, clock: SetClock, seed: int) -> None:
        self.runtime = on_the_clock(runtime, clock)
        self.telegram, self.clock = telegram, clock
        self.chance = random.Random(seed)

    async def meddle(self, method: str, _form: dict[str, Any]) -> web.Response | None:
        lot = self.chance.random()
        if lot < 0.06:
            return refusal(500, "Internal Server Error")
        if lot < 0.09:
            return refusal(429, "Too Many Requests: retry after 3", retry_after=3)
        if lot < 0.15 and method.startswith("send"):
            await self.telegram.fault("lost_answer", method=method)
        return None

    async def turn(self, courier: Courier) -> None:
        """Carry what is next in each chat; now and then die on the way."""
        for job in await courier.take(3):
            task = asyncio.ensure_future(job())
            if self.chance.random() < 0.08:
                for _ in range(self.chance.randrange(40)):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def time_passes(self) -> None:
        seconds = self.chance.choice((0.5, 2.0, QUEUE.lease.total_seconds()))
        self.clock.advance(seconds)
        self.telegram.room.clock.forward(seconds)
        if self.chance.random() < 0.2:
            await self.runtime.system.redis.flushdb()
            self.clock.advance(61)
            self.telegram.room.clock.forward(61)

    async def left(self) -> int:
        return int(
            await self.runtime.system.store.fetchval(
                "SELECT count(*) FROM outbox WHERE state = 'waiting'"
            )
        )


def refusal(code: int, said: str, **parameters: int) -> web.Response:
    body = {"ok": False, "error_code": code, "description": said, "parameters": parameters}
    return web.json_response(body, status=code)


@pytest.mark.parametrize("seed", range(size(2, 20)))
async def test_each_chat_reads_everything_once_and_in_order(
    runtime: Runtime, telegram: Telegram, clock: SetClock, seed: int
) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    await telegram.strictly(edits_count=True, chat_closes=True)
    world = World(runtime, telegram, clock, seed)
    async with (
        in_between(telegram.api, world.meddle) as api,
        bot_at(api) as one,
        bot_at(api) as other,
    ):
        couriers = [gated(world.runtime, bot) for bot in (one, other)]
        said = dict.fromkeys(CHATS, 0)
        for _ in range(ROUNDS):
            chat_id = world.chance.choice(CHATS)
            if said[chat_id] < WORDS:
                said[chat_id] += 1
                fact: Fact = word(said[chat_id])
                await runtime.delivery.outbox.say(runtime.system.store, chat_id, fact)
            await asyncio.gather(*map(world.turn, couriers))
            await world.time_passes()
            if set(said.values()) == {WORDS} and not await world.left():
                break
    assert await world.left() == 0
    assert (await telegram.state())["too_many_requests"] == 0, "but for those that were planted"
    for chat_id in CHATS:
        texts = await telegram.texts(chat_id)
        assert numbers(texts) == list(range(1, WORDS + 1)), f"seed {seed}, chat {chat_id}"


def gated(runtime: Runtime, bot: Bot) -> Courier:
    bot.session.middleware(Gate(runtime.delivery.outbox.chats))
    return Courier(runtime, bot, group_per_min=18)


def numbers(texts: list[str]) -> list[int]:
    return [int(text.split("W")[1][:2]) for text in texts if "W" in text]
