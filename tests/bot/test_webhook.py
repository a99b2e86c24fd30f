"""Telegram's updates: checked, stored once, acknowledged only then, acted on in order per chat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiogram import Bot, Dispatcher
from aiogram.types import Message
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.app import MAX_BODY_BYTES
from bot.webhook import SECRET_HEADER, UpdateWorker, Webhook, webhook_path, webhook_secret
from bot.world import BOT_ID
from core.inbox import MAX_TRIES
from core.runtime import Runtime
from tests.bot.support import TOKEN, gone
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import CHAT, NORTHWIND_CHAT, OPERATOR

SECRET = webhook_secret(MASTER_KEY, BOT_ID)
OTHER_KEY = "/" * 42 + "8="


@dataclass
class Entrance:
    """The desk's entrance for Telegram, on a real server."""

    runtime: Runtime
    url: str
    http: aiohttp.ClientSession

    async def post(
        self, body: object, *, secret: str | None = SECRET
    ) -> tuple[int, dict[str, str]]:
        headers = {} if secret is None else {SECRET_HEADER: secret}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(self.url, data=BytesIO(data), headers=headers) as answer:
            return answer.status, dict(answer.headers)

    async def stored(self) -> list[dict[str, Any]]:
        rows = await self.runtime.store.fetch(
            "SELECT bot_id, update_id, chat_id, body, state, tries, fault FROM telegram_update"
            " ORDER BY update_id"
        )
        return [dict(row) for row in rows]


@pytest.fixture
async def entrance(runtime: Runtime) -> AsyncIterator[Entrance]:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/telegram", Webhook(runtime.inbox, BOT_ID, SECRET).receive)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield Entrance(runtime, str(server.make_url("/telegram")), http)


def message(update_id: int, text: str = "hello", chat_id: int = CHAT) -> dict[str, Any]:
    return {
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "date": 1_795_000_000,
            "chat": {"id": chat_id, "type": "supergroup", "title": "a group"},
            "from": {"id": OPERATOR, "is_bot": False, "first_name": "x"},
            "text": text,
        },
    }


async def test_without_the_secret_nothing_is_stored(entrance: Entrance) -> None:
    foreign = "口令".encode().decode("latin-1")
    for secret in (None, "", "x", SECRET[:-1], SECRET + "0", SECRET.upper(), foreign):
        status, _ = await entrance.post(message(1), secret=secret)
        assert status == 401, secret
    assert await entrance.stored() == []


NO_UPDATES = (
    b"", b"{", b"\xff\xfe", b"[]", b"null", b"7", b"{}", b'{"update_id": "1"}',
    b'{"update_id": null}', b'{"update_id": true}', b'{"update_id": 1.5}',
    b'{"update_id": 99999999999999999999}', b'{"update_id": 1, "message": 7}',
    b'{"update_id": 1, "message": {}}', b'{"update_id": 1, "message": {"chat": {"id": "x"}}}',
    b'{"update_id": 1, "callback_query": []}',
    b'{"update_id": 1, "message": {"chat": {"id": 99999999999999999999}}}',
    b'{"update_id": 1, "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
)  # fmt: skip


async def test_what_is_no_update_is_refused(entrance: Entrance) -> None:
    for body in NO_UPDATES:
        status, _ = await entrance.post(body)
        assert status == 400, body[:80]
    assert await entrance.stored() == []


async def test_a_body_beyond_the_limit_is_refused(entrance: Entrance) -> None:
    status, _ = await entrance.post(message(1, "x" * MAX_BODY_BYTES))
    assert status == 413
    assert await entrance.stored() == []


async def test_an_update_is_stored_raw_and_once(entrance: Entrance) -> None:
    sent = {**message(7, "查单 1"), "field_of_tomorrow": {"kept": True}}
    for _ in range(3):
        assert (await entrance.post(sent))[0] == 200
    assert (await asyncio.gather(*(entrance.post(sent) for _ in range(5)))) is not None
    (row,) = await entrance.stored()
    assert (row["bot_id"], row["update_id"], row["chat_id"]) == (BOT_ID, 7, CHAT)
    assert row["body"] == sent
    # An identifier that is smaller is another update, not an old one.
    assert (await entrance.post(message(3)))[0] == 200
    assert len(await entrance.stored()) == 2


async def test_what_the_database_cannot_hold_as_text_is_stored_without_it(
    entrance: Entrance,
) -> None:
    assert (await entrance.post(message(1, "a\x00b\ud800c")))[0] == 200
    (row,) = await entrance.stored()
    assert row["body"]["message"]["text"].replace("\ufffd", "") == "abc"


async def test_each_kind_of_update_belongs_to_its_chat(entrance: Entrance) -> None:
    chat = {"id": CHAT, "type": "supergroup"}
    person = {"id": OPERATOR, "is_bot": False, "first_name": "x"}
    pressed = {"id": "1", "from": person}
    updates: list[dict[str, Any]] = [
        {"edited_message": {"chat": chat}},
        {"channel_post": {"chat": chat}},
        {"my_chat_member": {"chat": chat}},
        {"callback_query": {**pressed, "message": {"chat": chat}}},
        {"callback_query": pressed},
        {"poll": {"id": "1"}},
    ]
    for update_id, update in enumerate(updates, start=1):
        assert (await entrance.post({"update_id": update_id, **update}))[0] == 200
    chats = [row["chat_id"] for row in await entrance.stored()]
    assert chats == [CHAT, CHAT, CHAT, CHAT, OPERATOR, 0]


async def test_while_the_database_is_gone_telegram_is_asked_to_come_again(
    entrance: Entrance, servers: Servers, database: str
) -> None:
    async with gone(servers, database):
        for _ in range(3):
            status, headers = await entrance.post(message(1))
            assert status == 503
            assert 0 < int(headers["Retry-After"]) <= 60
    assert (await entrance.post(message(1)))[0] == 200
    assert [row["update_id"] for row in await entrance.stored()] == [1]


def test_the_address_changes_with_the_secret() -> None:
    other = webhook_secret(OTHER_KEY, BOT_ID)
    assert other != SECRET == webhook_secret(MASTER_KEY, BOT_ID)
    assert webhook_secret(MASTER_KEY, BOT_ID + 1) != SECRET
    paths = {webhook_path(BOT_ID, SECRET), webhook_path(BOT_ID, other)}
    assert len(paths) == 2
    for path in paths:
        assert path.startswith(f"/telegram/{BOT_ID}/")
        assert SECRET[:8] not in path
        assert other[:8] not in path
    # as Telegram wants it: 1-256 of A-Z a-z 0-9 _ -
    assert SECRET.isalnum()
    assert len(SECRET) == 64


Handler = Callable[[Message], Awaitable[None]]


def worker(runtime: Runtime, handler: Handler) -> UpdateWorker:
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.message.register(handler)
    return UpdateWorker(runtime.inbox, dispatcher, Bot(TOKEN))


async def drain(*workers: UpdateWorker) -> None:
    while any(await asyncio.gather(*(w.batch() for w in workers))):
        pass


async def test_a_chat_is_acted_on_in_order_and_chats_side_by_side(entrance: Entrance) -> None:
    heard: list[tuple[int, str]] = []
    both = asyncio.Barrier(2)

    async def handler(message: Message) -> None:
        # Both chats' first ones must be under way at once to come past here.
        if message.text == "0":
            await asyncio.wait_for(both.wait(), 10)
        heard.append((message.chat.id, message.text or ""))

    for number in range(6):
        for place, chat_id in enumerate((CHAT, NORTHWIND_CHAT)):
            update = message(100 - 2 * number - place, str(number), chat_id)
            assert (await entrance.post(update))[0] == 200
    await drain(*(worker(entrance.runtime, handler) for _ in range(3)))
    for chat_id in (CHAT, NORTHWIND_CHAT):
        assert [text for chat, text in heard if chat == chat_id] == list("012345")
    assert {row["state"] for row in await entrance.stored()} == {"done"}


async def test_a_failing_one_is_tried_again_and_parked_and_then_its_chat_goes_on(
    entrance: Entrance,
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        if message.text == "bad" or (message.text == "late" and heard.count("late") < 3):
            raise LookupError(message.text)

    for update_id, text in enumerate(("bad", "late", "good"), start=1):
        assert (await entrance.post(message(update_id, text)))[0] == 200
    with capture_logs() as logs:
        await drain(worker(entrance.runtime, handler))
    assert [log["update_id"] for log in logs] == [1] * MAX_TRIES + [2] * 2
    assert heard == ["bad"] * MAX_TRIES + ["late"] * 3 + ["good"]
    bad, late, good = await entrance.stored()
    assert (bad["state"], bad["tries"]) == ("parked", MAX_TRIES)
    assert "LookupError" in bad["fault"]
    assert (late["state"], late["tries"]) == ("done", 3)
    assert (good["state"], good["tries"]) == ("done", 1)


async def test_an_update_that_nobody_can_read_is_parked(entrance: Entrance) -> None:
    async def handler(message: Message) -> None:
        raise AssertionError("this was readable")

    unreadable = {"update_id": 1, "message": {"chat": {"id": CHAT}, "text": 7}}
    assert (await entrance.post(unreadable))[0] == 200
    with capture_logs() as logs:
        await drain(worker(entrance.runtime, handler))
    assert len(logs) == MAX_TRIES
    (row,) = await entrance.stored()
    assert row["state"] == "parked"
