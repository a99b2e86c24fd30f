"""What is copied into a chat is there once, whoever dies meanwhile, and its keeper knows where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiogram import Bot

from bot.send_limits import Gate
from bot.world import Addresses, seed
from core.delivery.albums import Piece
from core.delivery.board import Subject
from core.delivery.outbox import Copy, Leaving, MediaGroup
from core.delivery.outbox.queue import QUEUE
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.system.store import Tx
from core.trade.enquiries import Media, Said
from core.trade.orders import OrderKey
from tests.bot.support import Telegram, on_the_clock
from tests.bot.test_courier import Post, word
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


@pytest.fixture
async def post(runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock) -> Post:
    await runtime.system.store.execute("DELETE FROM outbox")
    bot.session.middleware(Gate(runtime.delivery.outbox.chats))
    return Post(on_the_clock(runtime, clock), bot, telegram, clock)


class Kept:
    """Whom the outbox tells which messages became of what."""

    def __init__(self, post: Post) -> None:
        self.told: list[tuple[str, list[int]]] = []
        post.runtime.delivery.outbox.on_sent("test", self._keep)

    async def _keep(self, _: Tx, leaving: Leaving, message_ids: Sequence[int]) -> None:
        self.told.append((getattr(leaving.fact, "ref", ""), list(message_ids)))


async def sent(post: Post, **what: Any) -> dict[str, Any]:
    """Somebody sends something in the merchant's group: the message as the group reads it."""
    answer = await post.telegram.room.control("act", {"as": SPRUCE_STAFF, "chat_id": CHAT, **what})
    return next(m for m in await post.telegram.transcript(CHAT) if m["id"] == answer["message_id"])


async def ours(post: Post, chat_id: int = SUPPLIER_CHAT) -> list[dict[str, Any]]:
    return [m for m in await post.telegram.transcript(chat_id) if m["from"]["is_bot"]]


async def test_a_copy_is_there_once_though_its_answer_was_lost(post: Post) -> None:
    kept, source = Kept(post), await sent(post, photo=encoded(png()), caption="slip @suqing_spruce")
    await post.say("W0", chat_id=SUPPLIER_CHAT)
    await post.telegram.fault("lost_answer", method="copyMessage", times=2)
    await post.put(Copy(CHAT, source["id"], keeper="test", ref="r1"), SUPPLIER_CHAT)
    await post.put(Copy(CHAT, source["id"], caption="slip", keeper="test", ref="r2"), SUPPLIER_CHAT)
    for _ in range(4):
        await post.deliver()
        post.clock.advance(6)
    (_, first, second) = await ours(post)
    assert [(m["text"], len(m["files"])) for m in (first, second)] == [
        ("slip @suqing_spruce", 1), ("slip", 1),
    ]  # fmt: skip
    assert kept.told == [("r1", [first["id"]]), ("r2", [second["id"]])]


async def test_who_died_after_a_copy_was_remembered_doubles_nothing(post: Post) -> None:
    kept, source = Kept(post), await sent(post, text="paid?")
    await post.put(Copy(CHAT, source["id"], keeper="test", ref="r1"), SUPPLIER_CHAT)
    await post.runtime.delivery.outbox.take(10)
    posted = await post.bot.copy_message(SUPPLIER_CHAT, CHAT, source["id"])
    posts = post.runtime.delivery.board.posts
    await posts.posted(SUPPLIER_CHAT, posted.message_id, Subject.copy("r1"), "")
    post.clock.advance(QUEUE.lease.total_seconds())
    await post.deliver()
    assert [m["text"] for m in await ours(post)] == ["paid?"]
    assert kept.told == [("r1", [posted.message_id])]


async def test_all_of_a_media_group_are_known(post: Post) -> None:
    """A later message whose answer was lost takes none of them for its twin."""
    kept = Kept(post)
    pictures = [await sent(post, photo=encoded(png(3, n))) for n in (3, 4, 5)]
    items = tuple(("photo", picture["files"][0]["file_id"]) for picture in pictures)
    await post.put(MediaGroup(items, "three <slips>", keeper="test", ref="g"), SUPPLIER_CHAT)
    await post.deliver()
    group = await ours(post)
    assert [(m["text"], len(m["files"])) for m in group] == [
        ("three <slips>", 1), ("", 1), ("", 1),
    ]  # fmt: skip
    assert kept.told == [("g", [m["id"] for m in group])]
    await post.telegram.fault("lost_answer", method="sendMessage")
    await post.put(word("W1"), SUPPLIER_CHAT)
    for _ in range(3):
        await post.deliver()
        post.clock.advance(6)
    assert [m["id"] for m in (await ours(post))[:3]] == [m["id"] for m in group]
    assert len(await ours(post)) == 4


@pytest.fixture
async def served(post: Post, tmp_path: Path) -> AsyncIterator[Post]:
    """The same with a supplier that takes orders."""
    async with sandbox_supplier(tmp_path / "supplier") as supplier:
        await seed(post.runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
        await post.runtime.system.store.execute("DELETE FROM outbox")
        yield post


async def test_a_question_goes_with_its_picture_and_its_words_are_edited(
    served: Post, shop: tuple[Merchant, App]
) -> None:
    post = served
    picture = await sent(post, photo=encoded(png(3, 3)))
    media = (Media("photo", picture["files"][0]["file_id"]),)
    await asked(post, shop, Said(CHAT, picture["id"], "Su", media=media))
    found = await ours(post)
    assert [len(m["files"]) for m in found] == [1]
    assert "❓" in found[0]["text"]
    await take(post)
    found = await ours(post)
    assert ("赵工" in found[0]["text"], len(found)) == (True, 1)


@pytest.mark.parametrize("dies", [False, True])
async def test_a_question_goes_below_its_album(
    served: Post, shop: tuple[Merchant, App], dies: bool
) -> None:
    """Once all of that is there; also where whoever sent the album died before the question."""
    post, kinds = served, ("photo", "video", "photo")
    files = [{kind: encoded(png(3, 3) if kind == "photo" else b"moving")} for kind in kinds]
    shown = [await sent(post, **file) for file in files]
    pieces = [
        Piece(CHAT, m["id"], "13900", m["files"][0]["kind"], m["files"][0]["file_id"])
        for m in shown
    ]
    for piece in pieces[:2]:
        await post.runtime.delivery.albums.note(piece)
    await asked(post, shop, Said(CHAT, pieces[1].message_id, "Su", album="13900"))
    assert await ours(post) == [], "more of it may come"
    (enquiry_id,) = await post.runtime.trade.enquiries.find_album(CHAT, "13900")
    actor = await post.runtime.people.access.actor(SPRUCE_STAFF, "Su", CHAT, private=False)
    media = (Media(pieces[2].kind, pieces[2].file_id),)
    late = Said(CHAT, pieces[2].message_id, "Su", media=media, album="13900")
    await post.runtime.trade.enquiries.add(actor, [enquiry_id], late)
    post.clock.advance(1)
    if dies:
        await post.telegram.fault("500", method="sendMessage")
        await post.deliver()
        assert [m["files"][0]["kind"] for m in await ours(post)] == list(kinds)
        post.clock.advance(6)
    await post.deliver()
    *album, question = await ours(post)
    assert [m["files"][0]["kind"] for m in album] == list(kinds)
    assert question["reply_to"] == album[0]["id"]
    assert question["text"].startswith("❓")
    assert album[0]["text"] in question["text"], "our number"
    for message in (*album, question):
        thread = await post.runtime.trade.enquiries.find_thread(SUPPLIER_CHAT, message["id"], "")
        assert thread is not None
        assert thread.enquiry_id == enquiry_id
    await take(post)
    assert "赵工" in (await ours(post))[-1]["text"]
    assert len(await ours(post)) == 4


async def of_album(post: Post, message: dict[str, Any]) -> Said:
    """A message of the album that is noted as the part of it that it is."""
    (file,) = message["files"]
    piece = Piece(CHAT, message["id"], "13900", file["kind"], file["file_id"])
    await post.runtime.delivery.albums.note(piece)
    media = (Media(piece.kind, piece.file_id),)
    return Said(CHAT, message["id"], "Su", media, album="13900")


async def test_what_comes_of_an_album_later_goes_under_the_question(
    served: Post, shop: tuple[Merchant, App]
) -> None:
    post, enquiries = served, served.runtime.trade.enquiries
    picture = await sent(post, photo=encoded(png(3, 3)))
    late = await sent(post, photo=encoded(png(4, 4)))
    await asked(post, shop, await of_album(post, picture))
    post.clock.advance(1)
    await post.deliver()
    (question,) = await ours(post)
    said = await of_album(post, late)
    actor = await post.runtime.people.access.actor(SPRUCE_STAFF, "Su", CHAT, private=False)
    await enquiries.add(actor, await enquiries.find_album(CHAT, "13900"), said)
    await post.deliver()
    (_, added) = await ours(post)
    assert added["reply_to"] == question["id"]
    assert added["files"][0]["width"] == 4


async def test_a_question_goes_without_a_picture_that_is_gone(
    served: Post, shop: tuple[Merchant, App]
) -> None:
    post = served
    await asked(post, shop, Said(CHAT, 4_321, "Su", media=(Media("photo", "file"),)))
    (question,) = await ours(post)
    assert "❓" in question["text"]
    await take(post)
    (question,) = await ours(post)
    assert "赵工" in question["text"]


@pytest.mark.parametrize("gone", ["kicked", "moved"])
async def test_a_fault_of_the_source_is_none_of_the_target(
    served: Post, shop: tuple[Merchant, App], gone: str
) -> None:
    """The bot reads the asking group no more: the supplier's stays as it is, and hears of it."""
    post, store = served, served.runtime.system.store
    kept = Kept(post)
    members = [
        {"user_id": SPRUCE_STAFF, "status": "creator"}, {"user_id": post.bot.id, "status": "member"}
    ]  # fmt: skip
    basic = {"id": -100, "type": "group", "title": "云杉", "members": members}
    await post.telegram.room.control("chat", {"create": basic})
    media = (Media("photo", "file"),)
    if gone == "kicked":
        await post.telegram.bot_is(-100, "kicked")
    else:
        await post.telegram.room.control("chat", {"chat_id": -100, "migrate": True})
    groups = "SELECT chat_id, kind, moved_to, bot_status FROM chat_group ORDER BY chat_id"
    before = await store.fetch(groups)
    await asked(post, shop, Said(-100, 1, "Su", media=media))
    await post.put(Copy(-100, 1, keeper="test", ref="r1"), SUPPLIER_CHAT)
    await post.deliver()
    question, in_its_place = await ours(post)
    assert "❓" in question["text"]
    assert "📭" in in_its_place["text"]
    assert kept.told[-1] == ("r1", [in_its_place["id"]])
    assert await store.fetch(groups) == before
    assert (await post.states()).get("parked") is None


async def test_a_target_that_is_gone_too_is_given_up_for_its_own_fault(post: Post) -> None:
    picture = await sent(post, photo=encoded(png(3, 3)))
    for chat_id in (CHAT, SUPPLIER_CHAT):
        await post.telegram.bot_is(chat_id, "kicked")
    await post.put(Copy(CHAT, picture["id"], keeper="test", ref="r1"), SUPPLIER_CHAT)
    await post.deliver()
    state = "SELECT state FROM outbox WHERE chat_id = $1"
    assert await post.runtime.system.store.fetchval(state, SUPPLIER_CHAT) == "parked"


async def test_what_was_taken_away_before_it_was_copied_is_told(post: Post) -> None:
    kept = Kept(post)
    await post.put(Copy(CHAT, 4_321, keeper="test", ref="r1"), SUPPLIER_CHAT)
    await post.deliver()
    (told,) = await ours(post)
    assert "📭" in told["text"]
    assert kept.told == [("r1", [told["id"]])]
    assert await post.states() == {"sent": 1}


async def test_an_answer_that_was_taken_away_is_asked_for_again(
    served: Post, shop: tuple[Merchant, App]
) -> None:
    """Where it was the only one: a wrong answer may be taken away once there is a better one."""
    post, enquiries = served, served.runtime.trade.enquiries
    question = await sent(post, text="paid?")
    await asked(post, shop, Said(CHAT, question["id"], "Su"))
    (card,) = await ours(post)
    actor = await post.runtime.people.access.actor(
        SUPPLIER_STAFF, "赵工", SUPPLIER_CHAT, private=False
    )

    async def answer(*message_ids: int) -> list[str]:
        """Replies of these numbers, where nothing stands; what the supplier is told."""
        before = len(await ours(post))
        for message_id in message_ids:
            thread = await enquiries.find_thread(SUPPLIER_CHAT, card["id"], "")
            assert thread is not None
            await enquiries.reply(actor, thread, Said(SUPPLIER_CHAT, message_id, "赵工"))
        for _ in range(3):
            await post.deliver()
        return [m["text"] for m in (await ours(post))[before:]]

    state = "SELECT state FROM enquiry"
    for message_id in (4_321, 4_322):
        (again,) = await answer(message_id)
        assert "重新答复" in again
        assert await post.runtime.system.store.fetchval(state) == "open"
    assert "📭" in (await ours(post, CHAT))[-1]["text"]
    there = await post.telegram.room.control(
        "act", {"as": SUPPLIER_STAFF, "chat_id": SUPPLIER_CHAT, "text": "no"}
    )
    assert await answer(there["message_id"], 4_323) == []
    assert await post.runtime.system.store.fetchval(state) == "answered"
    await enquiries.lose(f"returned:{UUID(int=1)}:1:1")  # forgotten meanwhile


async def asked(post: Post, shop: tuple[Merchant, App], said: Said) -> None:
    """A question about an order of the shop, passed on."""
    merchant, app = shop
    trade = post.runtime.trade
    opened = await trade.creation.open(app, wanted(10_000), request_id="test")
    actor = await post.runtime.people.access.actor(SPRUCE_STAFF, "Su", CHAT, private=False)
    await trade.enquiries.ask(actor, [OrderKey(merchant.id, opened.order.id)], said)
    await post.deliver()


async def take(post: Post) -> None:
    """Somebody in the supplier's group looks after it."""
    store, trade = post.runtime.system.store, post.runtime.trade
    actor = await post.runtime.people.access.actor(
        SUPPLIER_STAFF, "赵工", SUPPLIER_CHAT, private=False
    )
    assert await trade.enquiries.take(actor, await store.fetchval("SELECT id FROM enquiry"))
    await post.deliver()
