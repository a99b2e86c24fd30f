"""A link makes one person a colleague, once, and nobody else learns that there is a desk."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from aiogram.methods import SendMessage

from core.delivery.outbox import Fact, TakeAway
from core.people.people import Standing
from handlers.approvals.buttons import AnswerApproval
from handlers.people.buttons import EndLink, HireAs
from tests.handlers.dialogue import code, employed, restarted, says
from tests.handlers.people.test_people import approve, asked, screens, somebody, standing
from tests.handlers.support import OPS, OWNER, SPRUCE, SUPPORT, Desk


async def link(desk: Desk, text: str = "/hire support", user_id: int = OWNER) -> str:
    """What the shown link says to the bot."""
    await desk.say(user_id, user_id, text)
    shown = desk.line.shown[-1]
    assert isinstance(shown, SendMessage)
    start = shown.text.partition("?start=")[2].partition("<")[0]
    assert start.startswith("join_")
    return f"/start {start}"


async def later(desk: Desk, by: timedelta) -> None:
    """All links and questions are so much older."""
    store = desk.runtime.system.store
    await store.execute("UPDATE invitation SET expires_at = expires_at - $1::interval", by)
    await store.execute("UPDATE approval SET expires_at = expires_at - $1::interval", by)


@pytest.mark.parametrize("way", ["/hire support", "添加人员 客服", "pressed"])
async def test_a_link_is_shown_once_and_kept_nowhere(desk: Desk, way: str) -> None:
    if way == "pressed":
        (roles,) = says(await desk.press(OWNER, OWNER, HireAs().data()))
        assert roles.screen == "hire_roles"
        told = await desk.press(OWNER, OWNER, HireAs("support").data())
    else:
        told = await desk.say(OWNER, OWNER, way)
    shown = desk.line.shown[-1]
    assert isinstance(shown, SendMessage)
    start = shown.text.partition("?start=join_")[2].partition("<")[0]
    assert len(start) >= 32
    assert [type(fact) for fact in told] == [TakeAway]
    buttons = [one for row in shown.reply_markup.inline_keyboard for one in row]  # type: ignore[union-attr]  # it has some
    assert buttons[0].copy_text is not None
    assert start in buttons[0].copy_text.text
    assert buttons[1].url is not None
    assert buttons[1].url.startswith("https://t.me/share/url?url=https%3A%2F%2Ft.me%2F")
    for table in ("outbox", "audit", "invitation", "refusal"):
        rows = await desk.runtime.system.store.fetch(f"SELECT t::text AS row FROM {table} t")
        assert not [row for row in rows if start in row["row"]], table


async def test_a_stranger_who_opens_it_is_a_colleague(desk: Desk) -> None:
    start, one = await link(desk), somebody()
    assert await desk.say(one, one, "/help") == []
    told = says(await desk.say(one, one, start))
    assert [say.screen for say in told if say.reply_to is not None] == ["hired"]
    assert "staff_changed" in [say.screen for say in told], "ops hears of it"
    assert await standing(desk, one) == Standing("support")
    assert (await desk.said(one, one, "/help")).screen == "help"
    assert screens(await desk.say(one, one, start)) == ["hired"], "delivered again"
    assert code(await desk.said(SUPPORT, SUPPORT, start)) == "staff_already"


async def test_all_else_of_strangers_is_silence(desk: Desk) -> None:
    start, one = await link(desk), somebody()
    message = desk.message(one, one, text=start)
    origin = {"type": "user", "date": 1, "sender_user": {"id": 5, "is_bot": False,
              "first_name": "x"}}  # fmt: skip
    for text in (
        "/start", "/start join_", "/start join_short", f"{start}A", f"{start} now", start[7:],
        f"/start join_{'A' * 32}", "/start help", f"/help {start}", "/hire support",
    ):  # fmt: skip
        assert await desk.say(one, one, text) == [], text
    assert await desk.say(one, SPRUCE, start) == []
    assert await desk.say(one, OPS, start) == []
    assert await desk.say(one, one, start, forward_origin=origin) == []
    await desk.feed(edited_message={**message, "edit_date": message["date"]})
    assert await desk.news() == []
    assert await standing(desk, one) == Standing()
    assert screens(await desk.say(one, one, start))[0] in ("hired", "staff_changed"), "still unused"


async def test_it_is_over_when_it_is_used_or_old(desk: Desk) -> None:
    used, one, other = await link(desk), somebody(), somebody()
    await desk.say(one, one, used)
    assert code(await desk.said(other, other, used)) == "invitation_over"
    old = await link(desk)
    await later(desk, timedelta(hours=24))
    assert code(await desk.said(other, other, old)) == "invitation_over"
    assert await standing(desk, other) == Standing()
    await desk.say(OWNER, OWNER, f"/people {one} leave")
    assert code(await desk.said(one, one, used)) == "invitation_over", "who left needs a new one"
    assert await standing(desk, one) == Standing()


async def test_who_made_it_must_still_be_able_to(desk: Desk) -> None:
    other, one = await employed(desk, "owner"), somebody()
    start = await link(desk, user_id=other)
    await desk.say(OWNER, OWNER, f"/people {other} deny look_up")
    assert code(await desk.said(one, one, start)) == "invitation_over"
    await desk.say(OWNER, OWNER, f"/people {other} allow look_up")
    await desk.say(OWNER, OWNER, f"/people {other} leave")
    assert code(await desk.said(one, one, start)) == "invitation_over"
    assert await standing(desk, one) == Standing()


async def test_two_race_for_one_link(desk: Desk) -> None:
    start, people = await link(desk), [somebody() for _ in range(4)]
    join = desk.runtime.people.invitations.join
    secret = start.removeprefix("/start join_")
    ends: list[Any] = await asyncio.gather(
        *(join(one, f"person {one}", secret) for one in people), return_exceptions=True
    )
    assert [getattr(end, "code", "in") for end in ends].count("in") == 1
    assert [getattr(end, "code", "in") for end in ends].count("invitation_over") == 3
    hired = [one for one in people if (await standing(desk, one)).role == "support"]
    assert len(hired) == 1


async def opened(desk: Desk) -> tuple[int, str, list[Fact]]:
    """Somebody opened a link for a role that moves money: who, the link, what was said."""
    start, one = await link(desk, "添加人员 财务"), somebody()
    return one, start, await desk.say(one, one, start)


async def test_for_money_a_second_owner_sees_who_it_is(desk: Desk) -> None:
    other = await employed(desk, "owner")
    one, start, told = await opened(desk)
    assert screens(told) == ["join_waits"]
    assert [fact.topic for fact in told].count("approval") == 2, "in ops, and where it was made"
    assert await standing(desk, one) == Standing()
    assert screens(await desk.say(one, one, start)) == ["join_waits"], "delivered again"
    assert len(await desk.runtime.people.approvals.cards.waiting()) == 1
    assert await desk.say(one, one, "/help") == [], "a stranger until then"
    await approve(desk, OWNER)
    assert await standing(desk, one) == Standing(), "whoever made the link is not the second"
    restarted(desk)
    told = await approve(desk, other)
    assert "hired" in screens(told)
    assert await standing(desk, one) == Standing("finance")


async def test_who_is_turned_down_stays_out(desk: Desk) -> None:
    other = await employed(desk, "owner")
    one, start, _ = await opened(desk)
    no = AnswerApproval(await asked(desk), yes=False)
    assert "turned_away" in screens(await desk.press(other, OPS, no.data()))
    assert code(await desk.said(one, one, start)) == "invitation_over"
    assert await standing(desk, one) == Standing()


async def test_where_nobody_answered_it_is_asked_again(desk: Desk) -> None:
    other = await employed(desk, "owner")
    one, start, _ = await opened(desk)
    first = await asked(desk)
    await later(desk, timedelta(hours=1))
    await desk.runtime.people.approvals.cards.end_due()
    await desk.news()
    restarted(desk)
    told = await desk.say(one, one, start)
    assert screens(told) == ["join_waits"]
    assert await asked(desk) != first
    stranger = somebody()
    assert code(await desk.said(stranger, stranger, start)) == "invitation_over"
    await approve(desk, other)
    assert await standing(desk, one) == Standing("finance")


async def test_a_link_that_nobody_opened_yet_is_listed_and_ended(desk: Desk) -> None:
    first, second = await link(desk), await link(desk, "/hire operator")
    (page,) = says(await desk.say(OWNER, OPS, "/people"))
    ids = [UUID(one["id"]) for one in page.facts["links"]]
    assert [one["role"] for one in page.facts["links"]] == ["support", "operator"]
    await desk.press(SUPPORT, OPS, EndLink(ids[0]).data())
    assert desk.line.answers[-1].show_alert, "it takes the right"
    (page,) = says(await desk.press(OWNER, OPS, EndLink(ids[0]).data()))
    assert [one["role"] for one in page.facts["links"]] == ["operator"]
    one = somebody()
    assert code(says(await desk.say(one, one, first))[0]) == "invitation_over"
    assert await standing(desk, one) == Standing()
    assert screens(await desk.say(one, one, second)) != []
    await desk.press(OWNER, OPS, EndLink(ids[1]).data())  # opened before: it stays as it is
    rows = await desk.runtime.system.store.fetch(
        "SELECT facts FROM audit WHERE action = 'end_invitation'"
    )
    assert [row["facts"]["word"] for row in rows] == ["support"]
