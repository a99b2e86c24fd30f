"""A group becomes a supergroup while its people go on writing."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.world import BOT_ID
from tests.demo import DemoDesk, eventually

AMOUNTS = tuple(range(301, 309))


async def migrating_group(desk: DemoDesk) -> int:
    """A basic group of merchant M1001 that can still become a supergroup."""
    members = [
        {"user_id": BOT_ID, "status": "administrator"},
        {"user_id": desk.user("operator"), "status": "creator"},
        {"user_id": desk.user("finance"), "status": "member"},
    ]
    made = await control(
        desk, "chat", {"create": {"type": "group", "title": "云杉小店 · 旧群", "members": members}}
    )
    chat: int = made["chat_id"]
    await desk.act("operator", chat, text="绑定商户 M1001")
    await desk.hears(chat, "M1001")
    return chat


async def control(desk: DemoDesk, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.post(f"{desk.ready['telegram']['control']}/{verb}", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


async def test_money_in_flight_at_a_migration_is_booked_and_answered(desk: DemoDesk) -> None:
    old = await migrating_group(desk)
    before = (await desk.balance())["prepaid"]
    for amount in AMOUNTS:
        await desk.act("finance", old, text=f"+{amount}")
    new = (await control(desk, "chat", {"chat_id": old, "migrate": True}))["chat_id"]

    async def answered() -> bool:
        said = [m["text"] for chat in (old, new) for m in await desk.transcript(chat)
                if m["from"]["is_bot"] and "预付 +" in m["text"]]  # fmt: skip
        counts = [sum(f"预付 +{amount}.00" in text for text in said) for amount in AMOUNTS]
        return counts == [1] * len(AMOUNTS)

    await eventually(answered, what="each line has one receipt, in the old chat or in the new")
    assert before - (await desk.balance())["prepaid"] == sum(AMOUNTS) * 100
    # The supergroup is the merchant's, whatever its old chat still says.
    later, twin = await asyncio.gather(
        desk.act("finance", new, text="+309"), desk.act("finance", new, text="余额")
    )
    await desk.hears(new, "预付 +309.00", after=min(later, twin))
    assert before - (await desk.balance())["prepaid"] == (sum(AMOUNTS) + 309) * 100
    assert (await desk.command("verify-books"))[0] == 0
