"""A broadcast in Telegram: copied, said anew, taken back, pinned; and its one card."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram import Bot
from structlog.testing import capture_logs

from bot.announcer import CARD_REST_S
from bot.send_limits import Gate
from core.people.actors import Actor
from core.people.broadcasts import Broadcast, BroadcastView, Content
from core.people.groups import Audience
from core.runtime import Runtime
from tests.bot.support import Telegram, on_the_clock
from tests.bot.test_courier import Post
from tests.core.support import ADMIN, CHAT, NORTHWIND_CHAT, OPS_CHAT, SUPPLIER_CHAT, SetClock
from tests.sandbox.telegram.room import encoded, png

MOVED = -1001999999999
GROUPS = (CHAT, NORTHWIND_CHAT)


class Office(Post):
    """Who sends broadcasts, from the ops group, where the card is seen."""

    async def actor(self) -> Actor:
        access = self.runtime.people.access
        return await access.actor(ADMIN, "Chen", OPS_CHAT, private=False)

    async def write(self, **what: Any) -> Content:
        """A message of one's own, as it may become a broadcast."""
        act = {"as": ADMIN, "chat_id": OPS_CHAT, **what}
        done = await self.telegram.room.control("act", act)
        message_ids = done.get("message_ids") or [done["message_id"]]
        shown = {m["id"]: m for m in await self.telegram.transcript(OPS_CHAT)}
        files = [file for one in message_ids for file in shown[one]["files"]]
        items = tuple((file["kind"], file["file_id"]) for file in files)
        words = what.get("text") or what.get("caption", "")
        return Content(OPS_CHAT, message_ids[0], items[0][0] if items else "text", words, items)

    async def send(
        self, chats: tuple[int, ...] = GROUPS, *, pin: bool = False, **what: Any
    ) -> BroadcastView:
        """It is sent; the broadcast once it is over."""
        broadcasts, actor = self.runtime.people.broadcasts, await self.actor()
        audience = Audience("picked", chat_ids=chats)
        draft = await broadcasts.draft(actor, await self.write(**what), audience)
        await broadcasts.pin(actor, draft.id, is_pinned=pin)
        await self.deliver()
        await broadcasts.send(actor, draft.id)
        return await self.run(draft)

    async def revise(self, sent: BroadcastView, **what: Any) -> None:
        newer = await self.write(**what)
        broadcasts, broadcast_id = self.runtime.people.broadcasts, sent.broadcast.id
        await broadcasts.revise(await self.actor(), broadcast_id, newer)
        view = await self.run(sent.broadcast)
        assert view.broadcast.state == "done"

    async def run(self, broadcast: Broadcast) -> BroadcastView:
        for _ in range(4):
            await self.runtime.people.broadcast_delivery.go_on(10)
            await self.deliver()
            self.clock.advance(CARD_REST_S + 1)
        await self.deliver()
        view = await self.runtime.people.broadcasts.view(broadcast.id)
        assert view is not None
        return view

    async def ours(self, chat_id: int) -> list[dict[str, Any]]:
        """What is there of ours, but that something was pinned."""
        found = await self.telegram.transcript(chat_id)
        return [m for m in found if m["from"]["is_bot"] and "pinned a message" not in m["text"]]

    async def cards(self) -> list[str]:
        return [m["text"] for m in await self.ours(OPS_CHAT) if "📣" in m["text"]]


@pytest.fixture
async def office(runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock) -> Office:
    await runtime.system.store.execute("DELETE FROM outbox")
    bot.session.middleware(Gate(runtime.delivery.outbox.chats))
    return Office(on_the_clock(runtime, clock), bot, telegram, clock)


async def test_it_is_copied_said_anew_and_taken_back_everywhere(office: Office) -> None:
    sent = await office.send(text="new bank", pin=True)
    for chat_id in GROUPS:
        (message,) = await office.ours(chat_id)
        assert (message["text"], message["pinned"]) == ("new bank", True)
    broadcasts, actor = office.runtime.people.broadcasts, await office.actor()
    await broadcasts.revise(actor, sent.broadcast.id, await office.write(text="newer bank"))
    assert (await office.run(sent.broadcast)).counts.sent == len(GROUPS)
    for chat_id in GROUPS:
        assert [m["text"] for m in await office.ours(chat_id)] == ["newer bank"]
    await broadcasts.withdraw(actor, sent.broadcast.id)
    assert (await office.run(sent.broadcast)).counts.withdrawn == len(GROUPS)
    for chat_id in GROUPS:
        assert await office.ours(chat_id) == []


async def test_words_under_a_picture_are_changed_and_the_picture_stays(office: Office) -> None:
    sent = await office.send(photo=encoded(png()), caption="new bank")
    await office.revise(sent, text="newer bank")
    (message,) = await office.ours(CHAT)
    (file,) = message["files"]
    assert (message["text"], file["width"]) == ("newer bank", 3)


@pytest.mark.parametrize("first", [{"text": "new bank"}, {"photo": encoded(png())}])
async def test_a_picture_comes_in_the_place_of_what_was_sent(
    office: Office, first: dict[str, Any]
) -> None:
    sent = await office.send(**first)
    (before,) = await office.ours(CHAT)
    await office.revise(sent, photo=encoded(png(8, 8)), caption="this bank")
    (message,) = await office.ours(CHAT)
    (file,) = message["files"]
    assert (message["id"], message["text"], file["width"]) == (before["id"], "this bank", 8)
    await office.revise(sent, text="that bank")
    (message,) = await office.ours(CHAT)
    assert (message["text"], message["files"]) == ("that bank", [file])


async def test_an_album_comes_in_the_place_of_one(office: Office) -> None:
    picture, video = {"photo": encoded(png())}, {"video": encoded(b"moving")}
    sent = await office.send(album=[picture, picture], caption="old")
    await office.revise(sent, album=[picture, video], caption="new")
    shown = await office.ours(CHAT)
    assert [m["files"][0]["kind"] for m in shown] == ["photo", "video"]
    assert [m["text"] for m in shown] == ["new", ""]
    await office.revise(sent, text="newest")
    assert [m["text"] for m in await office.ours(CHAT)] == ["newest", ""]


async def test_where_it_did_not_arrive_the_newer_one_is_sent(office: Office) -> None:
    """Not the first, also where it failed then: nobody reads what was put right."""
    await office.telegram.bot_is(NORTHWIND_CHAT, "kicked")
    sent = await office.send(photo=encoded(png()), caption="old")
    await office.revise(sent, photo=encoded(png(8, 8)), caption="new")
    await office.telegram.bot_is(NORTHWIND_CHAT, "administrator")
    await office.runtime.delivery.outbox.chats.back(office.runtime.system.store, NORTHWIND_CHAT)
    await office.runtime.people.broadcasts.retry(await office.actor(), sent.broadcast.id)
    assert (await office.run(sent.broadcast)).counts.sent == len(GROUPS)
    (message,) = [m for m in await office.ours(NORTHWIND_CHAT) if m["files"]]
    assert (message["text"], message["files"][0]["width"]) == ("new", 8)


async def test_in_a_group_that_moved_nothing_of_strangers_is_touched(office: Office) -> None:
    """What is to be taken back has other numbers there, which are people's messages."""
    sent = await office.send(text="new bank")
    await office.runtime.people.broadcasts.withdraw(await office.actor(), sent.broadcast.id)
    await office.runtime.people.broadcast_delivery.go_on(10)
    await office.runtime.people.groups.moved(CHAT, MOVED)
    view = await office.runtime.people.broadcasts.view(sent.broadcast.id)
    waiting = await office.runtime.system.store.fetch(
        "SELECT chat_id FROM outbox WHERE topic = 'withdraw' AND state = 'waiting'"
    )
    assert view is not None
    assert MOVED not in {row["chat_id"] for row in waiting}
    assert (await office.run(sent.broadcast)).broadcast.state == "done"


async def test_a_group_that_threw_the_bot_out_is_a_result_and_no_fault(office: Office) -> None:
    await office.telegram.bot_is(NORTHWIND_CHAT, "kicked")
    with capture_logs() as logs:
        view = await office.send(text="new bank")
    assert view.counts.failed == 1
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_its_card_is_one_message_that_tells_of_each_failure(office: Office) -> None:
    await office.telegram.bot_is(NORTHWIND_CHAT, "kicked")
    chats = (*GROUPS, SUPPLIER_CHAT)
    view = await office.send(chats, text="new bank")
    assert (view.counts.sent, view.counts.failed) == (2, 1)
    (card,) = await office.cards()
    assert "bot was kicked" in card
    assert "100%" in card


async def test_where_the_message_is_gone_meanwhile_nobody_is_told_but_its_sender(
    office: Office,
) -> None:
    broadcasts, actor = office.runtime.people.broadcasts, await office.actor()
    gone = Content(OPS_CHAT, 999_999, "text", "x")
    draft = await broadcasts.draft(actor, gone, Audience("picked", chat_ids=GROUPS))
    await broadcasts.send(actor, draft.id)
    view = await office.run(draft)
    assert view.counts.failed == len(GROUPS)
    for chat_id in GROUPS:
        assert await office.ours(chat_id) == []


async def test_what_somebody_took_away_cannot_be_said_anew(office: Office) -> None:
    sent = await office.send((CHAT,), text="new bank")
    (message,) = await office.ours(CHAT)
    await office.bot.delete_message(CHAT, message["id"])
    broadcasts, actor = office.runtime.people.broadcasts, await office.actor()
    await broadcasts.revise(actor, sent.broadcast.id, await office.write(text="newer"))
    view = await office.run(sent.broadcast)
    assert [failure.fault for failure in view.failures] == ["the message is gone"]
