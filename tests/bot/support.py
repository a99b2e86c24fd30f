"""A sandbox Telegram with the demo's world, as the tests of the desk's loops see it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiogram import Bot
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.telegram import telegram_bot
from bot.world import BOT_ID, BOT_USERNAME, telegram_world
from core.runtime import Runtime
from core.system.throttle import Throttle
from tests.conftest import Servers
from tests.core.support import SetClock, owner
from tests.sandbox.telegram.room import Room, open_room

TOKEN = f"{BOT_ID}:AAFakeTokenOfTheSandboxForTestsOnly00"


@dataclass
class Telegram:
    """The sandbox with the groups and people of the demo; its time moves when told."""

    room: Room

    @property
    def api(self) -> str:
        return self.room.urls["api"]

    async def transcript(self, chat_id: int, after: int = 0) -> list[dict[str, Any]]:
        return await self.room.transcript(chat_id, after=after)

    async def texts(self, chat_id: int) -> list[str]:
        """What the bot said there, oldest first."""
        return [m["text"] for m in await self.transcript(chat_id) if m["from"]["is_bot"]]

    async def fault(self, kind: str, **more: Any) -> None:
        await self.room.control("fault", {"kind": kind, **more})

    async def strictly(self, **strict: bool) -> None:
        """Read Telegram's limits in their strictest reading."""
        await self.room.control("strict", strict)

    async def bot_is(self, chat_id: int, status: str) -> None:
        """Promote, demote or remove the bot."""
        await self.room.control("member", {"chat_id": chat_id, "status": status})

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.room.read("state")
        return found


@asynccontextmanager
async def sandbox_telegram(home: Path) -> AsyncIterator[Telegram]:
    bot = {"id": BOT_ID, "username": BOT_USERNAME, "first_name": "Paydesk", "token": TOKEN}
    async with open_room(home, bot=bot, world=telegram_world()) as room:
        room.clock.unix = time.time()
        yield Telegram(room)


@asynccontextmanager
async def bot_at(api: str) -> AsyncIterator[Bot]:
    """The desk's own client, talking to a Bot API server at this address."""
    async with telegram_bot(TOKEN, api) as bot:
        yield bot


def on_the_clock(runtime: Runtime, clock: SetClock) -> Runtime:
    """A runtime whose process's own limits go on with the clock of the test as well."""
    start = clock.now()

    def steady_s() -> float:
        return time.monotonic() + (clock.now() - start).total_seconds()

    throttle = Throttle(runtime.system.redis, steady_s)
    return replace(runtime, system=replace(runtime.system, throttle=throttle))


@asynccontextmanager
async def in_between(
    api: str, meddle: Callable[[str, dict[str, Any]], Awaitable[web.Response | None]]
) -> AsyncIterator[str]:
    """A Bot API server before the sandbox. meddle: answers a call, or lets it through (None)."""

    async def forward(request: web.Request) -> web.Response:
        form = dict(await request.post())
        meddled = await meddle(request.path.rpartition("/")[2], form)
        if meddled is not None:
            return meddled
        try:
            async with http.post(f"{api}{request.path}", data=form) as answer:
                return web.Response(
                    status=answer.status, body=await answer.read(), content_type="application/json"
                )
        except aiohttp.ClientError:  # no answer, and none is given
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", forward)
    async with aiohttp.ClientSession() as http, TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def answer_of(url: str, **request: Any) -> tuple[int, str]:
    """Status and text of a GET."""
    async with aiohttp.ClientSession() as http, http.get(url, **request) as answer:
        return answer.status, await answer.text()


@asynccontextmanager
async def gone(servers: Servers, database: str) -> AsyncIterator[None]:
    """While entered, the database lets nobody in and throws out who is in it."""
    async with owner(servers, "paydesk") as elsewhere:
        await elsewhere.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")
        await elsewhere.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database
        )
        yield
        await elsewhere.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true")
