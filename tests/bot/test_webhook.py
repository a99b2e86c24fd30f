"""Telegram's updates: checked, stored once, acknowledged only then, acted on in order per chat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

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
from core.inbox import BACK_OFF_S, MAX_TRIES
from core.money import Money
from core.outbox import Fact, Say
from core.prepayments import Advance, Cause
from core.runtime import Runtime
from handlers.screens import render_say
from tests.bot.support import TOKEN, gone
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import CHAT, FINANCE, NORTHWIND_CHAT, OPERATOR, OPS_CHAT, SUPPORT, SetClock

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
    app.router.add_post("/telegram", Webhook(runtime.inbox, runtime.vault, BOT_ID, SECRET).receive)
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


async def test_a_secret_that_is_no_text_is_a_wrong_one(entrance: Entrance) -> None:
    address = urlsplit(entrance.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST {address.path} HTTP/1.1\r\nHost: desk\r\nContent-Length: 2\r\n".encode()
        + f"{SECRET_HEADER}: ".encode()
        + b"\xff\xfe\r\nConnection: close\r\n\r\n{}"
    )
    async with asyncio.timeout(10):
        assert b" 401 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


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


async def test_what_is_said_in_private_is_stored_sealed_and_acted_on_as_it_was_said(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        if len(heard) == 1:
            raise LookupError(message.text)

    secret = "s3cr3t-of-a-supplier"
    private = message(7, secret, OPERATOR)
    private["message"]["chat"] = {"id": OPERATOR, "type": "private", "first_name": "x"}
    private["message"]["reply_to_message"] = dict(private["message"])
    assert (await entrance.post(private))[0] == 200
    pressed = {"id": "1", "chat_instance": "1", "data": "x", "from": private["message"]["from"],
               "message": private["message"]}  # fmt: skip
    assert (await entrance.post({"update_id": 8, "callback_query": pressed}))[0] == 200
    assert (await entrance.post({"update_id": 9, "edited_message": private["message"]}))[0] == 200
    rows = await entrance.stored()
    assert [row["chat_id"] for row in rows] == [OPERATOR] * 3
    assert secret not in str(rows)
    assert all(set(row["body"]) == {"update_id", "sealed"} for row in rows)

    worker_ = worker(entrance.runtime, handler)
    with capture_logs() as logs:
        assert await worker_.batch() == 1
        clock.advance(BACK_OFF_S[0])
        assert await worker_.batch() == 1
    assert heard == [secret, secret]
    (row, *_) = await entrance.stored()
    assert row["state"] == "done"
    assert row["fault"].startswith("LookupError at test_webhook.py:")
    assert secret not in str(logs) + str(await entrance.stored())


async def test_what_was_said_in_private_opens_in_no_other_row(
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")

    for update_id, person in ((7, OPERATOR), (8, SUPPORT)):
        private = message(update_id, f"said in {update_id}", person)
        private["message"]["chat"] = {"id": person, "type": "private", "first_name": "x"}
        assert (await entrance.post(private))[0] == 200
    before = {row["update_id"]: row["body"]["sealed"] for row in await entrance.stored()}
    for update_id, other in ((7, 8), (8, 7)):
        await entrance.runtime.store.execute(
            "UPDATE telegram_update SET body = $2 WHERE update_id = $1",
            update_id,
            {"update_id": update_id, "sealed": before[other]},
        )
    worker_ = worker(entrance.runtime, handler)
    assert await worker_.batch() == 2
    assert heard == []
    for row in await entrance.stored():
        assert row["state"] == "waiting"
        assert row["fault"].startswith("Bug at vault.py:")
    for update_id, sealed in before.items():
        await entrance.runtime.store.execute(
            "UPDATE telegram_update SET body = $2 WHERE update_id = $1",
            update_id,
            {"update_id": update_id, "sealed": sealed},
        )
    clock.advance(BACK_OFF_S[0])
    assert await worker_.batch() == 2
    assert sorted(heard) == ["said in 7", "said in 8"]


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
    return UpdateWorker(runtime, dispatcher, Bot(TOKEN))


async def drain(*workers: UpdateWorker) -> None:
    while any(await asyncio.gather(*(w.batch() for w in workers))):
        pass


async def give_up(clock: SetClock, one: UpdateWorker) -> None:
    """Let every pause between two tries of an update pass."""
    for again_s in (*BACK_OFF_S, 0):
        await drain(one)
        clock.advance(again_s)


async def leaving(runtime: Runtime) -> dict[int, list[Fact]]:
    """What waits in the outbox, by chat; it is sent."""
    found: dict[int, list[Fact]] = {}
    while taken := await runtime.outbox.take(50):
        for one in taken:
            found.setdefault(one.chat_id, []).append(one.fact)
            await runtime.outbox.sent(one)
    return found


async def refuse(message: Message) -> None:
    """A handler with a fault."""
    raise LookupError(message.text)


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
    entrance: Entrance, clock: SetClock
) -> None:
    heard: list[str] = []

    async def handler(message: Message) -> None:
        heard.append(message.text or "")
        if message.text == "bad" or (message.text == "late" and heard.count("late") < 3):
            raise LookupError(message.text)

    for update_id, text in enumerate(("bad", "late", "good"), start=1):
        assert (await entrance.post(message(update_id, text)))[0] == 200
    with capture_logs() as logs:
        desk = worker(entrance.runtime, handler)
        await drain(desk)
        assert heard == ["bad"], "tried again only after a pause, and the chat waits with it"
        for _ in range(2):
            await give_up(clock, desk)
    assert [log["update_id"] for log in logs] == [1] * MAX_TRIES + [2] * 2
    assert heard == ["bad"] * MAX_TRIES + ["late"] * 3 + ["good"]
    bad, late, good = await entrance.stored()
    assert (bad["state"], bad["tries"]) == ("parked", MAX_TRIES)
    assert "LookupError" in bad["fault"]
    assert (late["state"], late["tries"]) == ("done", 3)
    assert (good["state"], good["tries"]) == ("done", 1)


async def test_who_sent_what_is_parked_is_told_and_so_are_the_ops_groups(
    entrance: Entrance, clock: SetClock
) -> None:
    runtime = entrance.runtime
    await runtime.store.execute("DELETE FROM outbox")
    assert (await entrance.post(message(41, "+1000")))[0] == 200
    desk = worker(runtime, refuse)
    with capture_logs():
        await drain(desk)
        assert await leaving(runtime) == {}, "it is tried again first"
        await give_up(clock, desk)
    told = await leaving(runtime)
    assert set(told) == {CHAT, OPS_CHAT}
    (answer,), (alarm,) = told[CHAT], told[OPS_CHAT]
    assert isinstance(answer, Say)
    assert isinstance(alarm, Say)
    assert answer.reply_to == 41
    assert alarm.reply_to is None
    group = await runtime.groups.find(CHAT)
    assert group is not None
    for language, words in (("en", "Nothing was booked"), ("zh", "未入账")):
        assert words in render_say(answer, language).html
        for part in (group.title, "tg-41", "LookupError", str(MAX_TRIES)):
            assert part in render_say(alarm, language).html


async def test_what_a_parked_message_booked_is_named(entrance: Entrance, clock: SetClock) -> None:
    """Its first line is booked; sent again as a whole, that one would be booked twice."""
    runtime = entrance.runtime
    actor = await runtime.access.actor(FINANCE, "x", CHAT, private=False)
    receipt = await runtime.prepayments.record(
        actor,
        await runtime.merchants.by_no("M1001"),
        Advance(Money(100_000, "CNY"), "advance"),
        Cause(CHAT, 41, 1),
    )
    await runtime.store.execute("DELETE FROM outbox")
    assert (await entrance.post(message(41, "+1000\n+2000")))[0] == 200
    with capture_logs():
        await give_up(clock, worker(runtime, refuse))
    (answer,) = (await leaving(runtime))[CHAT]
    assert isinstance(answer, Say)
    for language, words in (("en", "Nothing was booked"), ("zh", "未入账。请重新发送")):
        html = render_say(answer, language).html
        assert receipt["record_no"] in html
        assert words not in html


async def test_a_press_that_is_parked_does_not_claim_that_nothing_was_done(
    entrance: Entrance, clock: SetClock
) -> None:
    runtime = entrance.runtime
    await runtime.store.execute("DELETE FROM outbox")
    pressed = {"message": {"message_id": 9, "chat": {"id": CHAT}}, "from": {"id": OPERATOR}}
    assert (await entrance.post({"update_id": 1, "callback_query": pressed}))[0] == 200
    with capture_logs():
        await give_up(clock, worker(runtime, refuse))
    (answer,) = (await leaving(runtime))[CHAT]
    assert isinstance(answer, Say)
    assert answer.reply_to == 9
    assert "before you press again" in render_say(answer, "en").html


async def test_an_update_of_no_chat_is_an_alarm_only(entrance: Entrance, clock: SetClock) -> None:
    runtime = entrance.runtime
    await runtime.store.execute("DELETE FROM outbox")
    assert (await entrance.post({"update_id": 1, "poll": {"id": "1"}}))[0] == 200
    with capture_logs():
        await give_up(clock, worker(runtime, refuse))
    assert set(await leaving(runtime)) == {OPS_CHAT}


async def test_an_update_that_nobody_can_read_is_parked(
    entrance: Entrance, clock: SetClock
) -> None:
    async def handler(message: Message) -> None:
        raise AssertionError("this was readable")

    unreadable = {"update_id": 1, "message": {"chat": {"id": CHAT}, "text": 7}}
    assert (await entrance.post(unreadable))[0] == 200
    with capture_logs() as logs:
        await give_up(clock, worker(entrance.runtime, handler))
    assert len(logs) == MAX_TRIES
    (row,) = await entrance.stored()
    assert row["state"] == "parked"
