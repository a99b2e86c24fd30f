"""Updates on their way to the bot: webhook and long polling."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from sandbox.process import listening
from tests.sandbox.telegram.room import (
    ANN,
    BASIC,
    BEN,
    BOT_ID,
    GROUP,
    SCHEMA,
    SIDE,
    Room,
    eventually,
)

SECRET = "s3cret_of-the_webhook"


class Receiver:
    """A webhook that records what comes and answers as told (200 once nothing is told)."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: list[dict[str, Any]] = []
        self.secrets: set[str | None] = set()
        self.times: list[float] = []
        self.answers: deque[web.Response] = deque()
        self.busy: dict[int, int] = {}
        self.most_busy = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        SCHEMA.check("Update", update)
        chat_id = update["message"]["chat"]["id"]
        self.busy[chat_id] = self.busy.get(chat_id, 0) + 1
        assert self.busy[chat_id] == 1, "one update in flight per chat"
        self.most_busy = max(self.most_busy, sum(self.busy.values()))
        self.updates.append(update)
        self.secrets.add(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self.times.append(asyncio.get_running_loop().time())
        await self.gate.wait()
        self.busy[chat_id] -= 1
        return self.answers.popleft() if self.answers else web.Response()

    async def arrived(self, count: int) -> list[dict[str, Any]]:
        async def enough() -> bool:
            return len(self.updates) >= count

        await eventually(enough)
        return self.updates

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.handle)
    async with listening(app, "127.0.0.1", 0) as base:
        made.url = f"{base}/hook"
        yield made
        made.gate.set()


async def test_the_webhook_gets_every_update_with_its_secret(
    room: Room, receiver: Receiver
) -> None:
    await room.say("before the webhook was set")
    await room.ok("setWebhook", url=receiver.url, secret_token=SECRET, max_connections=10)
    await room.say("after", text_as=BEN)
    await receiver.arrived(2)
    assert receiver.texts() == ["before the webhook was set", "after"]
    assert receiver.secrets == {SECRET}
    first, second = receiver.updates
    assert second["update_id"] == first["update_id"] + 1

    async def drained() -> bool:
        return bool((await room.ok("getWebhookInfo"))["pending_update_count"] == 0)

    await eventually(drained)
    assert (await room.ok("getWebhookInfo"))["url"] == receiver.url


async def test_an_update_is_repeated_until_it_is_taken(room: Room, receiver: Receiver) -> None:
    receiver.answers.extend(
        [
            web.Response(status=500),
            web.Response(status=503, headers={"Retry-After": "1"}),
            web.Response(status=302, headers={"Location": receiver.url}),
        ]
    )
    await room.ok("setWebhook", url=receiver.url)
    await room.say("one")
    await room.say("two")
    await receiver.arrived(5)
    assert receiver.texts() == ["one", "one", "one", "one", "two"]
    assert receiver.times[2] - receiver.times[1] >= 0.95, "Retry-After is obeyed"
    info = await room.ok("getWebhookInfo")
    assert info["last_error_message"].startswith("Wrong response from the webhook: 302")


async def test_chats_do_not_wait_for_each_other(room: Room, receiver: Receiver) -> None:
    receiver.gate.clear()
    await room.ok("setWebhook", url=receiver.url, max_connections=2)
    for chat_id in (GROUP, GROUP, SIDE, BASIC):
        await room.say(str(chat_id), chat_id)
    await receiver.arrived(2)
    assert {update["message"]["chat"]["id"] for update in receiver.updates} == {GROUP, SIDE}
    receiver.gate.set()
    await receiver.arrived(4)
    assert receiver.most_busy == 2


async def test_a_chat_that_is_held_is_overtaken_by_others_also_by_what_it_became(
    room: Room, receiver: Receiver
) -> None:
    await room.ok("setWebhook", url=receiver.url, secret_token=SECRET)
    await room.control("hold", {"chat_id": BASIC, "held": True})
    for number in range(3):
        await room.control("act", {"as": ANN, "chat_id": BASIC, "text": f"old {number}"})
    moved = await room.control("chat", {"chat_id": BASIC, "migrate": True})
    await receiver.arrived(1)
    (first,) = receiver.updates
    assert first["message"]["chat"]["id"] == moved["chat_id"]
    assert first["message"]["migrate_from_chat_id"] == BASIC
    await room.control("hold", {"chat_id": BASIC, "held": False})
    await receiver.arrived(5)
    *old, last = [update["message"] for update in receiver.updates[1:]]
    assert [message["text"] for message in old] == ["old 0", "old 1", "old 2"]
    assert last["migrate_to_chat_id"] == moved["chat_id"]


async def test_a_webhook_that_is_away_is_reported(room: Room) -> None:
    await room.ok("setWebhook", url="http://127.0.0.1:9/none")
    await room.say("x")

    async def reported() -> bool:
        info = await room.ok("getWebhookInfo")
        return bool(info.get("last_error_message") == "Connection refused")

    await eventually(reported)
    assert (await room.ok("getWebhookInfo"))["pending_update_count"] == 1
    await room.ok("deleteWebhook", drop_pending_updates=True)
    assert await room.updates() == []


async def test_polling_and_webhook_exclude_each_other(room: Room) -> None:
    await room.ok("setWebhook", url="https://example.org/x")
    answer = await room.call("getUpdates")
    assert answer.status == 409
    assert answer.description == (
        "Conflict: can't use getUpdates method while webhook is active;"
        " use deleteWebhook to delete the webhook first"
    )
    await room.ok("setWebhook", url="")
    await room.ok("getUpdates")


async def test_a_long_poll_ends_with_the_first_update(room: Room) -> None:
    waiting = asyncio.create_task(room.call("getUpdates", timeout=30))
    other = asyncio.create_task(room.call("getUpdates", timeout=30))
    done, _ = await asyncio.wait({waiting, other}, return_when=asyncio.FIRST_COMPLETED)
    [ended] = done
    assert "terminated by other getUpdates request" in ended.result().description
    await room.say("hello")
    first, second = await asyncio.gather(waiting, other)
    found = second.result if ended is waiting else first.result
    assert [update["message"]["text"] for update in found] == ["hello"]


async def test_updates_wait_until_confirmed(room: Room) -> None:
    await room.say("one")
    await room.say("two")
    [first] = await room.ok("getUpdates", limit=1)
    assert await room.ok("getUpdates", limit=1) == [first]
    [second] = await room.ok("getUpdates", offset=first["update_id"] + 1)
    assert second["message"]["text"] == "two"


async def test_only_wanted_kinds_are_queued(room: Room) -> None:
    join = {"chat_id": GROUP, "user_id": 1009, "status": "member"}
    await room.control("member", join)
    [service] = await room.updates()
    assert service["message"]["new_chat_members"][0]["id"] == 1009
    await room.ok("getUpdates", allowed_updates=["chat_member"])
    await room.control("member", {**join, "status": "administrator"})
    await room.say("not wanted")
    [update] = await room.updates()
    assert update["chat_member"]["new_chat_member"]["status"] == "administrator"
    refused = await room.refused("getUpdates", allowed_updates=["mesage"])
    assert refused == "Bad Request: unknown allowed_updates mesage"


async def test_the_bot_is_told_of_its_own_standing(room: Room) -> None:
    await room.control("member", {"chat_id": GROUP, "user_id": BOT_ID, "status": "member"})
    await room.control("member", {"chat_id": GROUP, "user_id": BOT_ID, "status": "kicked"})
    await room.say("unheard")
    await room.control("member", {"chat_id": ANN, "status": "kicked"})
    found = [update["my_chat_member"] for update in await room.updates()]
    standing = [(one["chat"]["id"], one["new_chat_member"]["status"]) for one in found]
    assert standing == [(GROUP, "member"), (GROUP, "kicked"), (ANN, "kicked")]
    assert found[1]["old_chat_member"]["status"] == "member"


async def test_an_upgrade_is_told_on_both_sides(room: Room) -> None:
    moved = await room.control("chat", {"chat_id": BASIC, "migrate": True})
    old, new = await room.updates()
    assert old["message"]["migrate_to_chat_id"] == moved["chat_id"] == new["message"]["chat"]["id"]
    assert new["message"]["migrate_from_chat_id"] == BASIC == old["message"]["chat"]["id"]


async def test_an_anonymous_admin_hides_behind_the_group(room: Room) -> None:
    await room.say("who am I", anonymous=True)
    [update] = await room.updates()
    assert update["message"]["from"]["id"] == 1087968824
    assert update["message"]["sender_chat"]["id"] == GROUP


async def test_a_reply_carries_what_it_replies_to(room: Room) -> None:
    sent = await room.ok("sendMessage", chat_id=GROUP, text="question")
    await room.say("answer", reply_to=sent["message_id"])
    [update] = await room.updates()
    assert update["message"]["reply_to_message"]["text"] == "question"


async def test_updates_can_be_lost_or_doubled(room: Room) -> None:
    await room.control("fault", {"kind": "drop_update"})
    await room.control("fault", {"kind": "duplicate_update"})
    await room.say("lost")
    await room.say("twice")
    [first] = await room.updates()
    [second] = await room.updates()
    assert first == second
    assert first["message"]["text"] == "twice"
    assert await room.updates() == []
