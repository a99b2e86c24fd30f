"""Who speaks for a merchant or a supplier in its group."""

from __future__ import annotations

from typing import Any

import pytest

from core.delivery.outbox import Fact
from handlers.approvals.buttons import AnswerApproval
from tests.handlers.dialogue import code, says
from tests.handlers.people.test_people import asked, screens, somebody
from tests.handlers.support import (
    ADMIN,
    BEN,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    SUQING,
    Desk,
)


def written_by(desk: Desk, user_id: int, chat_id: int, name: str = "小何") -> dict[str, Any]:
    """A message of somebody, to be replied to."""
    message = desk.message(user_id, chat_id, text="hello")
    message["from"]["first_name"] = name
    return message


def mention(user_id: int, offset: int, name: str) -> dict[str, Any]:
    return {
        "type": "text_mention", "offset": offset, "length": len(name),
        "user": {"id": user_id, "is_bot": False, "first_name": name},
    }  # fmt: skip


async def may_ask(desk: Desk, user_id: int, chat_id: int) -> bool:
    return bool(await desk.say(user_id, chat_id, "/help"))


async def member(desk: Desk, chat_id: int, user_id: int) -> tuple[str, str, str] | None:
    """(name, role, of whom)."""
    for one in await desk.runtime.people.groups.staff_of(chat_id):
        if one.user_id == user_id:
            return one.name, one.role, one.holder_no
    return None


@pytest.mark.parametrize("text", ["/appoint", "设置操作员", "设置操作员 M1001"])
async def test_by_reply(desk: Desk, text: str) -> None:
    one = somebody()
    assert not await may_ask(desk, one, SPRUCE)
    told = await desk.said(ADMIN, SPRUCE, text, reply_to_message=written_by(desk, one, SPRUCE))
    assert (told.screen, told.facts["user_id"], told.facts["no"]) == ("appointed", one, "M1001")
    assert await member(desk, SPRUCE, one) == ("小何", "merchant_staff", "M1001")
    assert await may_ask(desk, one, SPRUCE)
    assert not await may_ask(desk, one, NORTHWIND), "in its own group alone"
    again = await desk.said(ADMIN, SPRUCE, text, reply_to_message=written_by(desk, one, SPRUCE))
    assert code(again) == "appointed_already"


async def test_by_mention_of_any_name_and_by_number(desk: Desk) -> None:
    one, other, third, fourth = somebody(), somebody(), somebody(), somebody()
    text = "设置操作员 张三"
    told = await desk.said(ADMIN, HENGTONG, text, entities=[mention(one, 6, "张三")])
    assert told.facts["role"] == "supplier_staff"
    assert await member(desk, HENGTONG, one) == ("张三", "supplier_staff", "S01")
    first = {**mention(fourth, 0, "😀"), "length": 2}  # as Telegram counts
    await desk.say(ADMIN, SPRUCE, "😀 设置操作员", entities=[first])
    assert await member(desk, SPRUCE, fourth) == ("😀", "merchant_staff", "M1001")
    await desk.say(ADMIN, SPRUCE, "/appoint Bob", entities=[mention(other, 9, "Bob")])
    assert await member(desk, SPRUCE, other) == ("Bob", "merchant_staff", "M1001")
    await desk.say(ADMIN, SPRUCE, f"/appoint {third}")
    assert await member(desk, SPRUCE, third) == (str(third), "merchant_staff", "M1001")
    money = await desk.say(ADMIN, SPRUCE, "张三 +1000", entities=[mention(one, 0, "张三")])
    assert money == [], "a name before money makes it talk, whoever it is of"
    username = [{"type": "mention", "offset": 9, "length": 4}]
    said = await desk.said(ADMIN, SPRUCE, "/appoint @bob", entities=username)
    assert code(said) == "person_needed", "anybody can take a username"


@pytest.mark.parametrize("text", ["/dismiss", "删除操作员"])
async def test_it_ends(desk: Desk, text: str) -> None:
    one = somebody()
    replied = written_by(desk, one, SPRUCE)
    await desk.say(ADMIN, SPRUCE, "/appoint", reply_to_message=replied)
    told = await desk.said(ADMIN, SPRUCE, text, reply_to_message=replied)
    assert told.screen == "appointment_ended"
    assert not await may_ask(desk, one, SPRUCE)
    again = await desk.said(ADMIN, SPRUCE, text, reply_to_message=replied)
    assert code(again) == "not_appointed"


@pytest.mark.parametrize("text", ["/members", "操作员名单"])
async def test_the_list_says_who_and_of_whom(desk: Desk, text: str) -> None:
    told = await desk.said(ADMIN, SPRUCE, text)
    people = {line["user_id"]: (line["name"], line["no"]) for line in told.facts["lines"]}
    assert people[SUQING][1] == "M1001"
    assert people[SUQING][0]
    assert code(await desk.said(SUQING, SPRUCE, text)) == "not_permitted"


async def test_who_may_not_changes_nothing(desk: Desk) -> None:
    one = somebody()
    replied = written_by(desk, one, SPRUCE)
    for user_id in (OPERATOR, SUQING):
        for text in ("/appoint", "设置操作员", "/dismiss", "删除操作员"):
            told = await desk.said(user_id, SPRUCE, text, reply_to_message=replied)
            assert code(told) == "not_permitted"
    assert await desk.say(SUQING, SPRUCE, "设置操作员 hello") == [], "talk"
    assert code(await desk.said(ADMIN, SPRUCE, "设置操作员")) == "person_needed"
    ours = written_by(desk, OWNER, SPRUCE)
    assert code(await desk.said(ADMIN, SPRUCE, "/appoint", reply_to_message=ours)) == (
        "staff_already"
    )
    for chat_id in (NEW, OPS):
        there = written_by(desk, one, chat_id)
        said = await desk.said(ADMIN, chat_id, "/appoint", reply_to_message=there)
        assert code(said) == "group_not_bound"
    said = await desk.said(ADMIN, SPRUCE, "设置操作员 M1002", reply_to_message=replied)
    assert code(said) == "merchant_not_found"
    assert await member(desk, SPRUCE, one) is None


async def test_a_group_of_several_takes_a_number(desk: Desk) -> None:
    one = somebody()
    await desk.say(OPERATOR, SPRUCE, "/bind M1002")
    replied = written_by(desk, one, SPRUCE)
    said = await desk.said(ADMIN, SPRUCE, "/appoint", reply_to_message=replied)
    assert code(said) == "holder_needed"
    await desk.say(ADMIN, SPRUCE, "/appoint M1002", reply_to_message=replied)
    assert await member(desk, SPRUCE, one) == ("小何", "merchant_staff", "M1002")
    actor = await desk.runtime.people.access.actor(one, "x", SPRUCE, private=False)
    other = await desk.runtime.parties.merchants.by_no("M1001")
    assert not actor.sees(other.id)


# ── who asks for it ──────────────────────────────────────────────────────────────────────────────
async def apply(desk: Desk, user_id: int, chat_id: int = SPRUCE, text: str = "") -> list[Fact]:
    return await desk.say(user_id, chat_id, text or "申请管理员")


def cards(facts: list[Fact]) -> int:
    return [fact.topic for fact in facts].count("approval")


@pytest.mark.parametrize(
    ("text", "chat_id", "role"),
    [("申请管理员", SPRUCE, "merchant_staff"), ("/apply", HENGTONG, "supplier_staff")],
)
async def test_a_stranger_asks_and_ops_lets_in(
    desk: Desk, text: str, chat_id: int, role: str
) -> None:
    one = somebody()
    assert cards(await apply(desk, one, chat_id, text)) == 2, "in ops, and where it was asked"
    assert await apply(desk, one, chat_id, text) == [], "once an hour"
    assert not await may_ask(desk, one, chat_id)
    yes = AnswerApproval(await asked(desk), yes=True)
    for user_id, there in ((one, chat_id), (SUQING, chat_id), (ADMIN, chat_id), (OPERATOR, OPS)):
        await desk.press(user_id, there, yes.data())
        assert await member(desk, chat_id, one) is None
    told = says(await desk.press(ADMIN, OPS, yes.data()))
    assert [say.screen for say in told] == ["appointed"]
    found = await member(desk, chat_id, one)
    assert found is not None
    assert found[1] == role
    assert await may_ask(desk, one, chat_id)
    assert code(says(await apply(desk, one, chat_id, text))[0]) == "appointed_already"


async def test_strangers_are_heard_in_no_other_place_and_with_no_other_words(desk: Desk) -> None:
    one = somebody()
    for chat_id in (OPS, NEW, one):
        assert await apply(desk, one, chat_id) == []
    for text in (
        "申请管理员 M1002", "申请管理员 please", "申请", "/appoint", "/members", "设置操作员",
        f"/appoint {one}", "/start", "查单 P12345678",
    ):  # fmt: skip
        assert await apply(desk, one, SPRUCE, text) == [], text
    assert await apply(desk, one, SPRUCE, "/apply@other_bot") == []
    assert await desk.runtime.people.approvals.cards.waiting() == []
    assert cards(await apply(desk, one, SPRUCE, "/apply@paydesk_demo_bot M1001")) == 2


async def test_who_is_known_is_told_why_not(desk: Desk) -> None:
    for user_id, chat_id, refused in (
        (OWNER, SPRUCE, "staff_already"), (SUQING, SPRUCE, "appointed_already"),
        (OWNER, OPS, "group_not_bound"),
    ):  # fmt: skip
        assert code(says(await apply(desk, user_id, chat_id))[0]) == refused
    await desk.say(OPERATOR, SPRUCE, "/bind M1002")
    assert code(says(await apply(desk, SUQING))[0]) == "holder_needed"
    assert cards(await apply(desk, SUQING, text="申请管理员 M1002")) == 2
    assert code(says(await apply(desk, SUQING, text="申请管理员 M1002"))[0]) == "applied_already"


async def test_what_a_group_no_longer_is_nobody_is_let_into(desk: Desk) -> None:
    one = somebody()
    await apply(desk, one)
    yes = AnswerApproval(await asked(desk), yes=True)
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.unbind(tx, SPRUCE, merchant.id)
    assert screens(await desk.press(ADMIN, OPS, yes.data())) == []
    assert desk.line.answers[-1].show_alert
    assert await desk.runtime.people.groups.staff_of(SPRUCE) == []


async def test_who_leaves_before_somebody_decides_is_let_in_by_nobody(desk: Desk) -> None:
    one = somebody()
    await apply(desk, one)
    question = await asked(desk)
    user = {"id": one, "is_bot": False, "first_name": "x"}
    await desk.feed(message=desk.message(one, SPRUCE, left_chat_member=user))
    card = await desk.runtime.people.approvals.cards.of(question)
    assert (card.state, card.answered_by_name) == ("dropped", card.asked_by_name)
    await desk.press(ADMIN, OPS, AnswerApproval(question, yes=True).data())
    assert await member(desk, SPRUCE, one) is None


@pytest.mark.parametrize("how", ["written", "left", "kicked", "restricted"])
async def test_who_leaves_the_group_has_no_say_in_it(desk: Desk, how: str) -> None:
    user = {"id": SUQING, "is_bot": False, "first_name": "x"}
    rights = (
        "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos",
        "can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls",
        "can_send_other_messages", "can_add_web_page_previews", "can_change_info",
        "can_invite_users", "can_pin_messages", "can_manage_topics", "can_react_to_messages",
        "can_edit_tag",
    )  # fmt: skip
    now: dict[str, Any] = {"user": user, "status": how}
    if how == "kicked":
        now["until_date"] = 0
    if how == "restricted":
        now |= {"is_member": False, "until_date": 0, **dict.fromkeys(rights, True)}
    assert await may_ask(desk, SUQING, SPRUCE)
    if how == "written":
        await desk.feed(message=desk.message(SUQING, SPRUCE, left_chat_member=user))
    else:
        await desk.feed(
            chat_member={
                "date": 1, "chat": {"id": SPRUCE, "type": "supergroup", "title": "a group"},
                "from": {"id": BEN, "is_bot": False, "first_name": "x"},
                "old_chat_member": {"user": user, "status": "member"}, "new_chat_member": now,
            }
        )  # fmt: skip
    await desk.news()
    assert not await may_ask(desk, SUQING, SPRUCE)
    row = await desk.runtime.system.store.fetchval(
        "SELECT actor FROM audit WHERE action = 'left_group'"
    )
    assert row == f"telegram:{SUQING}"
