"""Colleagues in the chat: what is typed and what is pressed is the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from core.delivery.outbox import Fact, Say
from core.people.people import Change, Standing
from core.people.staff import seen
from handlers.approvals.buttons import AnswerApproval
from handlers.people.buttons import HireAs, MakePerson, OnPerson, TurnPeople
from handlers.screens import render_say
from tests.handlers.dialogue import code, employed, says
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    SUPPORT,
    SUQING,
    Desk,
    labelled,
)
from tests.handlers.test_screens import buttons


def somebody() -> int:
    return 10**9 + uuid4().int % 10**12


async def standing(desk: Desk, user_id: int) -> Standing:
    found = await desk.runtime.people.people.find(user_id)
    return found.standing if found is not None else Standing()


async def asked(desk: Desk) -> UUID:
    """The newest question that waits for a second person."""
    waiting = await desk.runtime.people.approvals.cards.waiting()
    return waiting[-1].id


async def approve(desk: Desk, user_id: int) -> list[Fact]:
    return await desk.press(user_id, OPS, AnswerApproval(await asked(desk), yes=True).data())


async def answer(desk: Desk, user_id: int, chat_id: int, text: str, **fields: Any) -> Say:
    """What is said in reply; what ops hears beside it is left out."""
    told = says(await desk.say(user_id, chat_id, text, **fields))
    (said,) = [say for say in told if say.reply_to is not None]
    return said


def screens(facts: list[Fact]) -> list[str]:
    return [say.screen for say in says(facts)]


@pytest.mark.parametrize("text", ["/people", "运营人员"])
async def test_the_list_has_pages_and_a_card_for_each(desk: Desk, text: str) -> None:
    for _ in range(5):
        await employed(desk, "support")
    listed = await desk.said(OWNER, OWNER, text)
    assert (listed.screen, listed.facts["page"], listed.facts["pages"]) == ("people", 1, 2)
    (page,) = says(await desk.press(OWNER, OWNER, TurnPeople(2).data()))
    assert page.facts["page"] == 2
    assert len(page.facts["lines"]) == listed.facts["total"] - 8
    (last,) = says(await desk.press(OWNER, OWNER, TurnPeople(9).data()))
    assert last.facts["page"] == 2
    name = listed.facts["lines"][0]["name"]
    (card,) = says(await desk.press(OWNER, OWNER, labelled(listed, name)))
    assert (card.screen, card.facts["user_id"], card.facts["role"]) == ("person", OWNER, "owner")
    typed = await desk.said(OWNER, OPS, f"{text} {OWNER}")
    assert typed.facts == card.facts


async def test_nobody_else_sees_or_says_any_of_it(desk: Desk) -> None:
    before = await standing(desk, SUPPORT)
    texts = (
        "/people", f"/people {SUPPORT}", f"/people {SUPPORT} finance", f"/people {SUPPORT} leave",
        "/hire support", "/hire 4242 support",
    )  # fmt: skip
    for text in texts:
        for user_id, chat_id in ((ADMIN, OPS), (FINANCE, FINANCE), (SUQING, SPRUCE)):
            assert code(await desk.said(user_id, chat_id, text)) == "not_permitted", text
        assert code(await desk.said(OWNER, SPRUCE, text)) == "staff_only"
    presses = (
        TurnPeople(1), OnPerson(SUPPORT, "open"), OnPerson(SUPPORT, "role"), HireAs("support"),
        MakePerson(SUPPORT, Change("role", "finance"), seen(before)),
    )  # fmt: skip
    for button in presses:
        for user_id, chat_id in ((ADMIN, OPS), (OPERATOR, OPERATOR), (OWNER, SPRUCE)):
            assert await desk.press(user_id, chat_id, button.data()) == []
            assert desk.line.answers[-1].show_alert
    assert await standing(desk, SUPPORT) == before
    assert desk.line.shown == []


@pytest.mark.parametrize(
    ("typed", "change"),
    [
        ("/people {} support", Change("role", "support")),
        ("运营人员 {} 客服", Change("role", "support")),
        ("/people {} allow channels", Change("allow", "channels")),
        ("运营人员 {} 允许 channels", Change("allow", "channels")),
        ("/people {} deny look_up", Change("deny", "look_up")),
        ("运营人员 {} 禁止 look_up", Change("deny", "look_up")),
        ("/people {} leave", Change("leave")),
        ("运营人员 {} 离职", Change("leave")),
    ],
)
async def test_what_is_typed_is_what_is_pressed(desk: Desk, typed: str, change: Change) -> None:
    one, other = await employed(desk, "operator"), await employed(desk, "operator")
    card = await answer(desk, OWNER, OWNER, typed.format(one))
    assert card.screen == "person"
    (asks,) = says(await desk.press(OWNER, OWNER, OnPerson(other, change.what).data()))
    button = MakePerson(other, change, seen(await standing(desk, other)))
    assert button.data() in buttons(render_say(asks, "en"))
    told = says(await desk.press(OWNER, OWNER, button.data()))
    here = [say for say in told if say.edit_message_id is not None]
    assert [say.screen for say in here] == ["person"]
    assert await standing(desk, one) == await standing(desk, other)
    assert await standing(desk, one) == Standing("operator").after(change)
    assert "staff_changed" in [say.screen for say in told], "ops hears of it"


async def test_a_card_that_is_old_changes_nothing(desk: Desk) -> None:
    one = await employed(desk, "operator")
    button = MakePerson(one, Change("role", "support"), seen(await standing(desk, one)))
    await desk.say(OWNER, OWNER, f"/people {one} deny look_up")
    await desk.press(OWNER, OWNER, button.data())
    assert "运营人员" in desk.toast
    assert (await standing(desk, one)).role == "operator"


async def test_only_what_the_owner_has_is_offered(desk: Desk) -> None:
    await desk.runtime.system.store.execute(
        "UPDATE person SET allowed = '{people}' WHERE user_id = $1", ADMIN
    )
    one = await employed(desk, "support")
    (asks,) = says(await desk.press(ADMIN, OPS, OnPerson(one, "allow").data()))
    offered = {change["word"] for change in asks.facts["changes"]}
    assert "settings" not in offered
    assert "refund" in offered
    assert "look_up" not in offered, "that person has it"
    told = await desk.said(ADMIN, OPS, f"/people {one} allow settings")
    assert code(told) == "right_lacking"


async def test_money_waits_for_another_owner(desk: Desk) -> None:
    other, one = await employed(desk, "owner"), await employed(desk, "support")
    told = await desk.say(OWNER, OPS, f"/people {one} finance")
    (waits,) = says(told)
    assert (waits.screen, waits.facts["alone_from"]) == ("hire_waits", None)
    assert [fact.topic for fact in told].count("approval") == 1
    again = await desk.say(OWNER, OPS, f"/people {one} finance")
    assert [fact.topic for fact in again].count("approval") == 0, "it is asked already"
    await approve(desk, OWNER)
    assert desk.line.answers[-1].show_alert
    assert (await standing(desk, one)).role == "support"
    await approve(desk, other)
    assert (await standing(desk, one)).role == "finance"


async def test_an_owner_alone_is_told_how_it_goes_on(desk: Desk) -> None:
    one = await employed(desk, "support")
    (waits,) = says(await desk.say(OWNER, OPS, f"/people {one} finance"))
    assert waits.facts["alone_from"]
    assert waits.facts["factor"] is False
    await desk.press(OWNER, OPS, AnswerApproval(await asked(desk), yes=True).data())
    assert (await standing(desk, one)).role == "support"


async def test_somebody_is_hired_by_number_or_by_reply(desk: Desk) -> None:
    by_number, by_reply = somebody(), somebody()
    card = await answer(desk, OWNER, OWNER, f"添加人员 {by_number} 客服")
    assert (card.facts["name"], card.facts["role"]) == (str(by_number), "support")
    replied = desk.message(by_reply, OPS, text="hello")
    replied["from"]["first_name"] = "小何"
    card = await desk.said(OWNER, OPS, "添加人员 客服", reply_to_message=replied)
    assert (card.facts["user_id"], card.facts["name"]) == (by_reply, "小何")
    assert await standing(desk, by_reply) == Standing("support")


async def test_no_bot_and_no_topic_is_hired(desk: Desk) -> None:
    bot = desk.message(4343, OPS, text="hello")
    bot["from"]["is_bot"] = True
    channel = desk.message(4343, OPS, text="hello")
    channel["sender_chat"] = {"id": -1009, "type": "channel", "title": "news"}
    topic = desk.message(4343, OPS)
    topic["forum_topic_created"] = {"name": "bills", "icon_color": 7322096}
    for replied in (bot, channel, topic):
        said = await desk.said(OWNER, OPS, "/hire support", reply_to_message=replied)
        assert code(said) == "private_only", "a link is not for a group"
    assert await standing(desk, 4343) == Standing()
    assert desk.line.shown == []


async def test_names_follow_telegram(desk: Desk) -> None:
    one = somebody()
    await desk.say(OWNER, OWNER, f"/hire {one} support")
    message = desk.message(one, one, text="/help")
    message["from"] |= {"first_name": "Mei", "last_name": "Lin"}
    await desk.feed(message=message)
    await desk.news()
    card = await desk.said(OWNER, OWNER, f"/people {one}")
    assert card.facts["name"] == "Mei Lin"
    assert await standing(desk, one) == Standing("support")


async def test_whoever_leaves_is_a_stranger_with_the_next_word(desk: Desk) -> None:
    one = await employed(desk, "support")
    assert await desk.say(one, OPS, "/help")
    await desk.say(OWNER, OPS, f"/people {one} leave")
    assert await desk.say(one, OPS, "/help") == []
    assert await desk.say(one, one, "/help") == []
