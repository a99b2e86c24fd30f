"""A broadcast in Telegram: copied, said anew, taken back, pinned; and its one card."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram import Bot

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

GROUPS = (CHAT, NORTHWIND_CHAT)


class Office(Post):
    """Who sends broadcasts, from the ops group, where the card is seen."""

    async def actor(self) -> Actor:
        access = self.runtime.people.access
        return await access.actor(ADMIN, "Chen", OPS_CHAT, private=False)

    async def write(self, **what: Any) -> Content:
        """A message of one's own, as it may become a broadcast."""
        act = {"as": ADMIN, "chat_id": OPS_CHAT, **what}
        message_id = (await self.telegram.room.control("act", act))["message_id"]
        kind = "photo" if "photo" in what else "text"
        return Content(OPS_CHAT, message_id, kind, what.get("text") or what.get("caption", ""))

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
    broadcasts, actor = office.runtime.people.broadcasts, await office.actor()
    newer = await office.write(photo=encoded(png(3, 3)), caption="newer bank")
    await broadcasts.revise(actor, sent.broadcast.id, newer)
    await office.run(sent.broadcast)
    (message,) = await office.ours(CHAT)
    assert (message["text"], len(message["files"])) == ("newer bank", 1)


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
