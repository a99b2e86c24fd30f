"""A group becomes a supergroup while its people go on writing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.world import BOT_ID
from tests.demo import DemoDesk, eventually


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


@pytest.mark.parametrize(("overtaken", "first"), [(False, 301), (True, 401)])
async def test_money_in_flight_at_a_migration_is_booked_and_answered(
    desk: DemoDesk, overtaken: bool, first: int
) -> None:
    amounts = range(first, first + 8)  # the same again would be asked about
    old = await migrating_group(desk)
    before = (await desk.balance())["prepaid"]
    if overtaken:  # what the new chat brings first comes before all that the old one still has
        await control(desk, "hold", {"chat_id": old, "held": True})
    for amount in amounts:
        await desk.act("finance", old, text=f"+{amount}")
    new = (await control(desk, "chat", {"chat_id": old, "migrate": True}))["chat_id"]
    if overtaken:
        asked = await desk.act("finance", new, text="群信息")
        await desk.hears(new, "M1001", after=asked)
        await control(desk, "hold", {"chat_id": old, "held": False})

    async def answered() -> bool:
        said = [m["text"] for chat in (old, new) for m in await desk.transcript(chat)
                if m["from"]["is_bot"] and "预付 +" in m["text"]]  # fmt: skip
        counts = [sum(f"预付 +{amount}.00" in text for text in said) for amount in amounts]
        return counts == [1] * len(amounts)

    await eventually(answered, what="each line has one receipt, in the old chat or in the new")
    assert before - (await desk.balance())["prepaid"] == sum(amounts) * 100
    # The supergroup is the merchant's, whatever its old chat still says.
    later = await desk.act("finance", new, text=f"+{first + 8}")
    await desk.hears(new, f"预付 +{first + 8}.00", after=later)
    assert before - (await desk.balance())["prepaid"] == (sum(amounts) + first + 8) * 100
    assert (await desk.command("verify-books"))[0] == 0
