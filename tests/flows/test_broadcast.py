"""Somebody sends the bot a message in private and has every merchant get it, as people read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.world import BOT_ID
from tests.demo import DemoDesk, eventually

MANY = 48


async def heard_in(desk: DemoDesk, chat_id: int, text: str) -> list[dict[str, Any]]:
    found = await desk.transcript(chat_id)
    return [m for m in found if m["from"]["is_bot"] and m["text"] == text]


async def card_with(desk: DemoDesk, *words: str, after: int = 0) -> dict[str, Any]:
    """The card of a broadcast, once it says so."""
    chat_id = desk.user("admin")

    async def look() -> dict[str, Any] | None:
        found = [m for m in await desk.transcript(chat_id, after) if "📣 " in m["text"]]
        return next((m for m in found if all(word in m["text"] for word in words)), None)

    card: dict[str, Any] = await eventually(look, what=f"the card says {words}")
    return card


async def press(desk: DemoDesk, card: dict[str, Any], word: str) -> None:
    """The button that says so."""
    label = next(b["text"] for row in card["buttons"] for b in row if word in b["text"])
    await desk.act(
        "admin", desk.user("admin"), press={"message_id": card["id"], "label": label}
    )  # fmt: skip


async def test_a_message_goes_to_every_merchant_and_is_taken_back(desk: DemoDesk) -> None:
    me = desk.user("admin")
    groups = [desk.chat("merchant"), desk.chat("merchant", "M1002")]
    written = await desk.act("admin", me, text="今晚 23 点维护")
    asked = await desk.act("admin", me, text="群发商户", reply_to=written)
    card = await card_with(desk, "待发送", "今晚 23 点维护", after=asked)
    assert all([not await heard_in(desk, chat_id, "今晚 23 点维护") for chat_id in groups])
    await press(desk, card, "先发给我看")

    async def tried() -> bool:
        return len(await heard_in(desk, me, "今晚 23 点维护")) == 1

    await eventually(tried, what="the test came to whoever pressed")
    await press(desk, card, "发送到")
    done = await card_with(desk, "已完成", "100%", after=asked)
    assert done["id"] == card["id"], "one message that moves"
    for chat_id in groups:
        assert len(await heard_in(desk, chat_id, "今晚 23 点维护")) == 1

    number = done["text"].split("B", 1)[1].split()[0]
    newer = await desk.act("admin", me, text="维护改到 24 点")
    await desk.act("admin", me, text=f"修改群发 B{number}", reply_to=newer)

    async def changed() -> bool:
        return all([len(await heard_in(desk, one, "维护改到 24 点")) == 1 for one in groups])

    await eventually(changed, what="every group reads the newer one")
    listed = await desk.act("admin", me, text="消息管理")
    await desk.hears(me, f"B{number}", after=listed)
    await press(desk, await card_with(desk, "已完成", after=asked), "全部撤回")
    sure = await desk.hears(me, "撤回", "两天", after=listed)
    await press(desk, sure, "全部撤回")

    async def gone() -> bool:
        return not any([await heard_in(desk, one, "维护改到 24 点") for one in groups])

    await eventually(gone, what="it is gone everywhere")


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[DemoDesk]:
    """A demo that a test may kill."""
    started = await DemoDesk(tmp_path / "home").start()
    yield started
    await started.stop()


async def open_channels(desk: DemoDesk, count: int) -> list[int]:
    """Channels into which the bot was brought, in the order in which they get a broadcast."""
    control = desk.ready["telegram"]["control"]
    members = [
        {"user_id": desk.user("admin"), "status": "creator"},
        {"user_id": BOT_ID, "status": "administrator"},
    ]
    made = [
        await desk.post(
            f"{control}/chat",
            {"create": {"type": "channel", "title": f"频道 {n}", "members": members}},
        )
        for n in range(count)
    ]
    return sorted(int(answer.body["chat_id"]) for answer in made)


async def test_a_broadcast_outlives_the_desk(mortal: DemoDesk) -> None:
    """Killed in the middle: each chat gets it once, and the one card says that it is done."""
    me = mortal.user("admin")
    chats = await open_channels(mortal, MANY)
    written = await mortal.act("admin", me, text="节日快乐")

    async def drafted() -> dict[str, Any] | None:
        asked = await mortal.act("admin", me, text="群发全部", reply_to=written)
        card = await card_with(mortal, "待发送", "共 ", after=asked)
        total = int(card["text"].split("共 ", 1)[1].split()[0])
        return card if total >= MANY else None

    card: dict[str, Any] = await eventually(drafted, what="the desk knows of all channels")
    await press(mortal, card, "发送到")

    async def began() -> bool:
        return bool(await heard_in(mortal, chats[MANY // 8], "节日快乐"))

    await eventually(began, what="some channels have it")
    assert not await heard_in(mortal, chats[-1], "节日快乐")
    await mortal.kill()
    await mortal.start()
    done = await card_with(mortal, "已完成", "100%", after=written)
    assert done["id"] == card["id"]
    everywhere = [*chats, mortal.chat("merchant"), mortal.chat("supplier")]

    async def once() -> bool:
        # Whose answer the dead desk did not hear has a twin until that is taken away.
        return all([len(await heard_in(mortal, one, "节日快乐")) == 1 for one in everywhere])

    await eventually(once, what="each chat has it once", timeout_s=60)
