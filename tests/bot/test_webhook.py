"""Telegram's updates: checked, stored once, acknowledged only then."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from bot.fronts import MAX_BODY_BYTES
from bot.webhook import SECRET_HEADER, webhook_path, webhook_secret
from bot.world import BOT_ID
from tests.bot.support import gone
from tests.bot.updates import SECRET, Entrance, message
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import CHAT, OPERATOR

OTHER_KEY = "/" * 42 + "8="


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
