"""A busy evening: many groups write at once, in the strictest reading of Telegram's limits."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.world import BOT_ID
from tests.demo import DemoDesk, eventually

GROUPS = 6
LINES = 6  # of each


async def a_group(desk: DemoDesk, number: int) -> int:
    """A merchant's group whose live bill is there."""
    members = [
        {"user_id": BOT_ID, "status": "administrator"},
        {"user_id": desk.user("operator"), "status": "creator"},
        {"user_id": desk.user("finance"), "status": "member"},
    ]
    title = f"Busy {number}"
    made = await control(
        desk, "chat", {"create": {"type": "supergroup", "title": title, "members": members}}
    )
    chat_id: int = made["chat_id"]
    await desk.act("operator", chat_id, text="绑定商户 M1002")
    await desk.hears(chat_id, "📒")
    return chat_id


async def control(desk: DemoDesk, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.post(f"{desk.ready['telegram']['control']}/{verb}", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


async def refused(desk: DemoDesk) -> int:
    """How many calls did not fit Telegram's limits."""
    async with desk.http.get(f"{desk.ready['telegram']['control']}/state") as answer:
        state: dict[str, Any] = await answer.json()
    return int(state["too_many_requests"])


async def test_every_group_is_answered_in_order_and_within_the_limits(desk: DemoDesk) -> None:
    chats = [await a_group(desk, number) for number in range(GROUPS)]
    before = await refused(desk)
    await control(desk, "strict", {"edits_count": True, "chat_closes": True})
    asked: dict[int, list[int]] = {chat_id: [] for chat_id in chats}
    try:
        for line in range(LINES):
            for chat_id in chats:
                text = f"+{100 + line}"
                asked[chat_id].append(await desk.act("finance", chat_id, text=text))

        async def answers(chat_id: int) -> list[int]:
            said = await desk.transcript(chat_id)
            return [
                m["reply_to"]
                for m in said
                if m["from"]["is_bot"] and m.get("reply_to") in asked[chat_id]
            ]

        async def all_answered() -> bool:
            found = await asyncio.gather(*map(answers, chats))
            return sum(map(len, found)) >= GROUPS * LINES

        await eventually(all_answered, what="every line is answered", timeout_s=50)
        for chat_id in chats:
            assert await answers(chat_id) == asked[chat_id], "once each, in the order of the chat"
        assert await refused(desk) == before
    finally:
        await control(desk, "strict", {"edits_count": False, "chat_closes": False})
