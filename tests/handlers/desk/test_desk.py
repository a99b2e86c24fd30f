"""Nobody who belongs here talks to a wall: help, unknown commands, near misses."""

from __future__ import annotations

import pytest

from core.delivery.outbox import Say
from handlers.commands import COMMANDS
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
)
from tests.handlers.telegram_html import read_html

# Asked for in the plan of the chat, and not built: they are answered as well.
UNBUILT = ("segments", "1002")
PLACES = ((OWNER, OWNER), (OWNER, SPRUCE), (SUQING, SPRUCE), (ZHAO, HENGTONG))
OTHER_PLACES = ((OWNER, OPS), (OWNER, NEW), (SUPPORT, SPRUCE), (SUPPORT, SUPPORT))


def text_of(say: Say, language: str = "zh") -> str:
    return read_html(render_say(say, language).html)


@pytest.mark.parametrize(("user_id", "chat_id"), PLACES)
async def test_a_slash_command_is_always_answered(desk: Desk, user_id: int, chat_id: int) -> None:
    for name in COMMANDS.by_name:
        facts = await desk.say(user_id, chat_id, f"/{name}")
        # Files are made by a loop of their own, which answers with them.
        files = await desk.runtime.system.store.fetchval("DELETE FROM export RETURNING 1")
        assert facts or files, (name, user_id, chat_id)


async def test_an_unknown_slash_command_is_answered_to_whoever_said_it(desk: Desk) -> None:
    for user_id, chat_id in PLACES + OTHER_PLACES:
        for name in UNBUILT:
            answer = await desk.said(user_id, chat_id, f"/{name}")
            assert answer.screen == "no_command"
            assert answer.only_for == (user_id if chat_id < 0 else None)
            assert f"/{name}" in text_of(answer)


@pytest.mark.parametrize("text", ["/nothing", "/bil", "帐单", "bill", "/help"])
async def test_strangers_and_other_bots_hear_nothing(desk: Desk, text: str) -> None:
    for chat_id in (SPRUCE, OPS, NEW, STRANGER):
        assert await desk.say(STRANGER, chat_id, text) == []
    assert await desk.say(OWNER, SPRUCE, "/nothing@other_bot") == []
    assert await desk.say(OWNER, SPRUCE, "/help@other_bot") == []
    answer = await desk.said(OWNER, SPRUCE, "/nothing@paydesk_demo_bot")
    assert answer.screen == "no_command"


async def test_a_near_miss_is_whispered_once_a_minute(desk: Desk) -> None:
    near = await desk.said(OPERATOR, SPRUCE, "今日帐单")
    assert (near.screen, near.only_for) == ("no_command", OPERATOR)
    assert "您是不是要：今日账单 · /bill" in text_of(near)
    assert await desk.say(OPERATOR, SPRUCE, "查余额") == []
    assert await desk.say(OPERATOR, OPS, "bill") == []
    other = await desk.said(SUQING, SPRUCE, "查余额")
    assert (other.only_for, other.facts["near"][0]["form"]) == (SUQING, "查询余额")
    # It is no answer to what is talk, to an edit, or to somebody else's words.
    assert await desk.say(ADMIN, SPRUCE, "成功了") == []
    old = int(desk.runtime.system.clock.now().timestamp())
    await desk.feed(edited_message=desk.message(ADMIN, SPRUCE, text="今日帐单", edit_date=old))
    assert await desk.news() == []


async def test_nobody_is_led_to_what_is_not_theirs(desk: Desk) -> None:
    assert await desk.say(SUQING, SPRUCE, "调帐 M1001 -20") == []
    answer = await desk.said(SUQING, SPRUCE, "/adjus")
    assert answer.facts["near"] == []
    answer = await desk.said(ADMIN, SPRUCE, "/adjus")
    assert [one["name"] for one in answer.facts["near"]] == ["adjust"]


async def test_help_in_a_group_is_whispered_and_aloud_it_names_what_is_theirs(desk: Desk) -> None:
    staff = await desk.said(OWNER, SPRUCE, "帮助")
    assert staff.only_for == OWNER
    assert "/adjust" in text_of(staff)
    assert staff.aloud is not None
    aloud = text_of(Say(staff.aloud))
    theirs = text_of(await desk.said(SUQING, SPRUCE, "帮助"))
    for text in (aloud, theirs):
        assert "/bill" in text
        for command in ("/adjust", "/prepay", "/bind", "/rate ", "/complete", "/channels"):
            assert command not in text
    assert (await desk.said(OWNER, OWNER, "帮助")).only_for is None
