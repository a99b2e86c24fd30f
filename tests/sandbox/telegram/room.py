"""A running sandbox Telegram with its clients: the bot's (aiogram and raw) and the control's."""

from __future__ import annotations

import asyncio
import base64
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from sandbox.telegram.schema import Schema
from sandbox.telegram.server import start
from sandbox.telegram.updates import DeliverySettings

TOKEN = "42:AAFakeTokenOfTheSandboxForTestsOnly00"
CONTROL_TOKEN = "control-token-of-tests"
PAGE_TOKEN = "page-token-of-the-tests"
BOT_ID, ANN, BEN, EVE = 42, 1001, 1002, 1009
GROUP, SIDE, BASIC = -1001000000001, -1001000000002, -55
WAIT_S = 15.0
POLL_S = 0.01
SCHEMA = Schema()


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.unix = 1_795_000_000.0

    def __call__(self) -> float:
        return self.unix

    def forward(self, seconds: float) -> None:
        self.unix += seconds


def config(home: Path, **more: Any) -> dict[str, Any]:
    """A configuration with three people, two supergroups and a basic group."""
    member = {"user_id": ANN, "status": "creator"}
    bot = {"user_id": BOT_ID, "status": "administrator"}
    ben = {"user_id": BEN, "status": "member"}
    return {
        "home": str(home),
        "host": "127.0.0.1",
        "port": 0,
        "control_port": 0,
        "control_token": CONTROL_TOKEN,
        "page_token": PAGE_TOKEN,
        "bot": {"id": BOT_ID, "username": "desk_bot", "first_name": "Desk", "token": TOKEN},
        "world": {
            "users": [
                {"id": ANN, "first_name": "Ann", "username": "ann_lee", "role": "owner"},
                {"id": BEN, "first_name": "Ben", "language_code": "zh"},
                {"id": EVE, "first_name": "Eve", "started": False},
            ],
            "chats": [
                {
                    "id": GROUP,
                    "type": "supergroup",
                    "title": "Main",
                    "kind": "merchant",
                    "members": [member, bot, ben],
                },
                {
                    "id": SIDE,
                    "type": "supergroup",
                    "title": "Side",
                    "members": [member, {**bot, "status": "member"}],
                },
                {"id": BASIC, "type": "group", "title": "Basic", "members": [member, bot]},
            ],
        },
        **more,
    }


def png(width: int = 3, height: int = 2) -> bytes:
    """A real, tiny PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\x40\x90\xd0" * width for _ in range(height)))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the Bot API as it came."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def result(self) -> Any:
        assert self.body["ok"], self.body
        return self.body["result"]

    @property
    def description(self) -> str:
        assert not self.body["ok"], self.body
        assert self.body["error_code"] == self.status
        return str(self.body["description"])


@dataclass(slots=True)
class Room:
    """Everything a test needs of one running sandbox."""

    urls: dict[str, str]
    http: aiohttp.ClientSession
    clock: Clock
    made_bot: Bot | None = None

    @property
    def bot(self) -> Bot:
        """aiogram's client, made when first asked for as it is slow to make."""
        if self.made_bot is None:
            server = TelegramAPIServer.from_base(self.urls["api"])
            self.made_bot = Bot(TOKEN, session=AiohttpSession(api=server))
        return self.made_bot

    def method_url(self, method: str, token: str = TOKEN) -> str:
        return f"{self.urls['api']}/bot{token}/{method}"

    async def call(self, method: str, **params: Any) -> Answer:
        """A call by JSON; a result is checked against the official description."""
        async with self.http.post(self.method_url(method), json=params) as response:
            answer = Answer(response.status, await response.json(), dict(response.headers))
        if answer.body["ok"]:
            SCHEMA.check_answer(method, answer.body["result"])
        return answer

    async def ok(self, method: str, **params: Any) -> Any:
        return (await self.call(method, **params)).result

    async def refused(self, method: str, **params: Any) -> str:
        """The description of a refusal."""
        return (await self.call(method, **params)).description

    async def say(self, text: str, chat_id: int = GROUP, text_as: int = ANN, **more: Any) -> int:
        """A person writes; the message's id."""
        answer = await self.control(
            "act", {"as": text_as, "chat_id": chat_id, "text": text, **more}
        )
        return int(answer["message_id"])

    async def control(self, verb: str, what: dict[str, Any], status: int = 200) -> dict[str, Any]:
        async with self.http.post(f"{self.urls['control']}/{verb}", json=what) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == status, answer
        return answer

    async def read(self, verb: str, **query: Any) -> Any:
        async with self.http.get(f"{self.urls['control']}/{verb}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def transcript(self, chat_id: int = GROUP, **query: Any) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = await self.read("transcript", chat_id=chat_id, **query)
        return shown

    async def updates(self) -> list[dict[str, Any]]:
        """All pending updates, checked and confirmed."""
        found: list[dict[str, Any]] = await self.ok("getUpdates")
        if found:
            await self.ok("getUpdates", offset=found[-1]["update_id"] + 1)
        return found


@asynccontextmanager
async def open_room(home: Path, **more: Any) -> AsyncIterator[Room]:
    """Run a sandbox with quick retries on free ports."""
    clock = Clock()
    delivery = DeliverySettings(retry_first_s=0.02, retry_max_s=0.05)
    async with (
        start(config(home, **more), clock, delivery) as urls,
        aiohttp.ClientSession() as http,
    ):
        room = Room(urls, http, clock)
        try:
            yield room
        finally:
            if room.made_bot is not None:
                await room.made_bot.session.close()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until `check` holds, a few seconds at most."""
    for _ in range(int(WAIT_S / POLL_S)):
        if await check():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"not so within {WAIT_S} s")
