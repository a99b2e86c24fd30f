from __future__ import annotations

from aiogram.types import ChatMemberAdministrator

from core.delivery.outbox import Bill, Card, Fact, Say
from core.delivery.outbox.facts import unpack
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
)  # fmt: skip

BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk", "username": "paydesk_demo_bot"}


def screens(facts: list[object]) -> list[str]:
    return [fact.screen for fact in facts if isinstance(fact, Say)]


def offered(question: Say) -> list[str]:
    """What can be pressed under a question, in Chinese."""
    keyboard = render_say(question, "zh").keyboard
    assert keyboard is not None
    return [button.text for row in keyboard.inline_keyboard for button in row]


async def test_a_group_is_bound_and_unbound(desk: Desk) -> None:
    bound, *_, checklist = await desk.say(OPERATOR, NEW, "绑定商户 M1001")
    assert isinstance(bound, Say)
    assert bound.facts["new"] is True
    assert isinstance(checklist, Say)
    assert checklist.facts["kind"] == "merchant"
    group = await desk.runtime.people.groups.find(NEW)
    assert group is not None
    assert group.kind == "merchant"
    again = await desk.say(OPERATOR, NEW, "/bind m1001")
    assert isinstance(again[0], Say)
    assert again[0].facts["new"] is False

    question = await desk.said(OPERATOR, NEW, "解绑")
    assert question.screen == "unbind_question"
    yes, no = button_data(question), button_data(question, 1)
    assert await desk.press(ADMIN, NEW, yes) == []
    assert desk.line.answers[-1].show_alert
    assert screens(list(await desk.press(OPERATOR, NEW, no))) == ["unbind_dropped"]
    assert await desk.press(OPERATOR, NEW, yes) == [], "it was answered"
    yes = button_data(await desk.said(OPERATOR, NEW, "解绑"))
    assert screens(list(await desk.press(OPERATOR, NEW, yes)))[0] == "unbound"
    group = await desk.runtime.people.groups.find(NEW)
    assert group is not None
    assert (group.kind, group.merchant_ids) == ("unbound", ())
    assert await desk.press(OPERATOR, NEW, yes) == []


async def of_two(desk: Desk) -> list[str]:
    """SPRUCE is M1001's and M1002's; who is bound there."""
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    return await bound(desk)


async def bound(desk: Desk) -> list[str]:
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    return [(await desk.runtime.parties.merchants.by_id(m)).merchant_no for m in group.merchant_ids]


async def test_one_of_two_is_taken_off_alone(desk: Desk) -> None:
    assert await of_two(desk) == ["M1001", "M1002"]
    question = await desk.said(OPERATOR, SPRUCE, "解绑 m1002")
    assert "M1001" not in render_say(question, "zh").html
    assert offered(question) == ["确认解绑", "取消"]
    done, *_ = await desk.press(OPERATOR, SPRUCE, button_data(question))
    assert isinstance(done, Say)
    for told, number in (("bound", "M1002"), ("left", "M1001")):
        assert [one["no"] for one in done.facts[told]] == [number]
    assert await bound(desk) == ["M1001"]
    for text, code in (("解绑 M1002", "merchant_not_found"), ("/unbind M9", "merchant_not_found")):
        assert (await desk.said(OPERATOR, SPRUCE, text)).facts["code"] == code
    assert (await desk.said(OPERATOR, SPRUCE, "/unbind M1001 please")).screen == "usage"


async def test_without_a_number_each_of_two_is_offered_and_all(desk: Desk) -> None:
    await of_two(desk)
    question = await desk.said(OPERATOR, SPRUCE, "解绑")
    assert offered(question) == ["M1001", "M1002", "全部解绑", "取消"]
    await desk.press(OPERATOR, SPRUCE, button_data(question, 0))
    assert await bound(desk) == ["M1002"]
    for answered in (0, 1, 2, 3):
        assert await desk.press(OPERATOR, SPRUCE, button_data(question, answered)) == []
    assert await bound(desk) == ["M1002"], "one question has one answer"
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1001")
    question = await desk.said(OPERATOR, SPRUCE, "解绑")
    await desk.press(OPERATOR, SPRUCE, button_data(question, 2))
    assert await bound(desk) == []


async def test_the_former_holders_people_have_no_say_and_read_nothing(desk: Desk) -> None:
    question = await desk.said(OPERATOR, SPRUCE, "解绑")
    await desk.press(OPERATOR, SPRUCE, button_data(question))
    assert await desk.say(SUQING, SPRUCE, "今日账单") == []
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert await desk.say(SUQING, SPRUCE, "今日账单") == [], "the group is another one's"
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1001")
    assert await desk.say(SUQING, SPRUCE, "今日账单") == [], "bound anew, it starts clean"


async def test_what_is_open_and_live_ends_with_the_binding(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    store = desk.runtime.system.store
    await store.execute(
        "INSERT INTO post (chat_id, message_id, kind, ref, holder_id, digest, shown_at)"
        " VALUES ($1, 9, 'bill', $2, $3, 'd', now()), ($1, 10, 'card', 'x', $3, 'd', now())",
        SPRUCE, "2026-11-29", merchant.id,
    )  # fmt: skip
    await desk.say(OPERATOR, SPRUCE, "/usdt 7.2")
    await desk.say(FINANCE, SPRUCE, "+500")
    slip = await desk.said(FINANCE, SPRUCE, "+500")
    assert slip.screen == "slip_question"
    question = await desk.said(OPERATOR, SPRUCE, "解绑 M1001")
    told = await desk.press(OPERATOR, SPRUCE, button_data(question))
    (ended,) = [fact for fact in told if isinstance(fact, Say) and fact.screen == "bill_ended"]
    assert (ended.edit_message_id, ended.facts) == (9, {"no": "M1001", "day": "2026-11-29"})
    assert await store.fetchval("SELECT count(*) FROM post WHERE holder_id = $1", merchant.id) == 0
    assert not [fact for fact in await _waiting(desk) if isinstance(fact, Bill | Card)]
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    assert group.usdt_rate is None, "it was told for M1001"
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1001")
    before = await store.fetchval("SELECT count(*) FROM voucher")
    assert await desk.press(FINANCE, SPRUCE, button_data(slip)) == []
    assert await store.fetchval("SELECT count(*) FROM voucher") == before


async def _waiting(desk: Desk) -> list[Fact]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT topic, facts FROM outbox WHERE chat_id = $1 AND state = 'waiting'", SPRUCE
    )
    return [unpack(row["topic"], row["facts"]) for row in rows]


async def test_another_group_of_a_merchant_or_supplier_is_told_to_its_groups_and_ops(
    desk: Desk,
) -> None:
    for text, other, chat_id in (
        ("绑定商户 M1001", SPRUCE, NEW), ("绑定供应商 S01", HENGTONG, -1002000000777),
    ):  # fmt: skip
        await desk.say(OPERATOR, chat_id, text)
        rows = await desk.runtime.system.store.fetch(
            "SELECT chat_id FROM outbox WHERE facts->>'screen' = 'bound_elsewhere' ORDER BY chat_id"
        )
        assert {row["chat_id"] for row in rows} == {other, OPS}
        await desk.say(OPERATOR, chat_id, text)  # it is bound already: nobody is told again
        again = await desk.runtime.system.store.fetchval(
            "SELECT count(*) FROM outbox WHERE facts->>'screen' = 'bound_elsewhere'"
        )
        assert again == len(rows)
        await desk.runtime.system.store.execute("DELETE FROM outbox")


async def test_the_checklist_ticks_what_telegram_says(desk: Desk) -> None:
    you = {"can_be_edited": False, "is_anonymous": False, "can_manage_chat": True,
           "can_delete_messages": True, "can_manage_video_chats": True,
           "can_restrict_members": True, "can_promote_members": False, "can_change_info": True,
           "can_invite_users": True, "can_post_stories": False, "can_edit_stories": False,
           "can_delete_stories": False, "can_send_welcome_messages": False}  # fmt: skip
    for may_pin in (None, False, True):
        rights = you if may_pin is None else {**you, "can_pin_messages": may_pin}
        desk.line.standing = ChatMemberAdministrator.model_validate(
            {"status": "administrator", "user": BOT, **rights}
        )
        *_, checklist = await desk.say(OPERATOR, NEW, "绑定商户 M1001")
        assert isinstance(checklist, Say)
        assert (checklist.facts["admin"], checklist.facts["pins"]) == (True, may_pin is True)
        ticks = render_say(checklist, "zh").html.count("✅")
        assert ticks == (4 if may_pin else 3)
        await desk.runtime.system.store.execute("DELETE FROM outbox")
        change = {
            "chat": {"id": NEW, "type": "supergroup", "title": "x"}, "date": 1,
            "from": {"id": ADMIN, "is_bot": False, "first_name": "x"},
            "old_chat_member": {"status": "member", "user": BOT},
            "new_chat_member": {"status": "administrator", "user": BOT, **rights},
        }  # fmt: skip
        await desk.feed(my_chat_member=change)
        shown = one_say(await desk.news())
        assert (shown.screen, shown.facts["pins"]) == ("checklist", may_pin is True)
        await desk.runtime.system.store.execute("DELETE FROM outbox")


async def test_an_old_question_no_longer_unbinds(desk: Desk) -> None:
    question = await desk.said(OPERATOR, SPRUCE, "解绑")
    store = desk.runtime.system.store
    kept_s = await store.fetchval(
        "SELECT extract(epoch FROM expires_at - created_at)::int FROM approval"
    )
    assert kept_s == 300
    await store.execute("UPDATE approval SET expires_at = created_at")
    assert await desk.press(OPERATOR, SPRUCE, button_data(question)) == []
    assert desk.line.answers[-1].show_alert
    assert await bound(desk) == ["M1001"]


async def test_a_question_about_a_group_as_it_was_is_dropped(desk: Desk) -> None:
    early = await desk.said(ADMIN, SPRUCE, "解绑")
    question = await desk.said(OPERATOR, SPRUCE, "解绑")
    await desk.press(OPERATOR, SPRUCE, button_data(question))
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert await desk.press(ADMIN, SPRUCE, button_data(early)) == []
    assert await bound(desk) == ["M1002"], "nobody was asked about that one"


async def test_refusals(desk: Desk) -> None:
    assert (await desk.said(SUQING, SPRUCE, "/bind M1002")).facts["code"] == "not_permitted"
    assert (await desk.said(FINANCE, NEW, "/bind M1001")).facts["code"] == "not_permitted"
    assert (await desk.said(OPERATOR, NEW, "/bind M9999")).facts["code"] == "merchant_not_found"
    assert (await desk.said(OPERATOR, NEW, "/bind_supplier S9")).facts["code"] == (
        "supplier_not_found"
    )
    assert (await desk.said(OPERATOR, OPS, "/bind M1001")).facts["code"] == "group_is_other_kind"
    assert (await desk.said(OPERATOR, NEW, "绑定管理群")).facts["code"] == "not_permitted"
    assert (await desk.said(OPERATOR, NEW, "绑定商户")).screen == "usage"
    assert (await desk.said(ADMIN, ADMIN, "/bind_ops")).screen == "only_in_groups"
    assert (await desk.said(OPERATOR, NEW, "/unbind")).facts["code"] == "group_not_bound"


async def test_ops_and_supplier_groups(desk: Desk) -> None:
    assert screens(list(await desk.say(ADMIN, NEW, "/bind_ops"))) == ["bound", "checklist"]
    other = -1002000000999
    told = screens(list(await desk.say(OPERATOR, other, "绑定供应商 S01")))
    assert (told[0], told[-1]) == ("bound", "checklist")
    group = await desk.runtime.people.groups.find(other)
    assert group is not None
    assert group.kind == "supplier"


async def test_a_new_group_gets_a_checklist_that_is_edited(desk: Desk) -> None:
    def change(status: str) -> dict[str, object]:
        return {
            "chat": {"id": -100555, "type": "supergroup", "title": "new"}, "date": 1,
            "from": {"id": ADMIN, "is_bot": False, "first_name": "x"},
            "old_chat_member": {"status": "left", "user": BOT},
            "new_chat_member": {"status": status, "user": BOT}
            if status == "member"
            else {
                "status": "administrator", "user": BOT, "can_be_edited": False,
                "is_anonymous": False, "can_manage_chat": True, "can_delete_messages": True,
                "can_manage_video_chats": True, "can_restrict_members": True,
                "can_promote_members": False, "can_change_info": True, "can_invite_users": True,
                "can_post_stories": False, "can_edit_stories": False, "can_delete_stories": False,
                "can_send_welcome_messages": False,
            },
        }  # fmt: skip

    await desk.feed(my_chat_member=change("member"))
    checklist = one_say(await desk.news())
    assert (checklist.facts["admin"], checklist.facts["kind"]) == (False, "unbound")
    await desk.runtime.system.store.execute(
        "INSERT INTO post (chat_id, message_id, kind, ref, holder_id, digest, shown_at)"
        " VALUES (-100555, 9, 'question', $1, '00000000-0000-0000-0000-000000000000', '', now())",
        checklist.ref,
    )
    await desk.runtime.system.store.execute("UPDATE outbox SET state = 'sent'")
    await desk.feed(my_chat_member=change("administrator"))
    edit = one_say(await desk.news())
    assert edit.facts["admin"] is True
    assert edit.edit_message_id == 9


async def test_a_group_moves_and_is_renamed(desk: Desk) -> None:
    renamed = desk.message(OPERATOR, SPRUCE, new_chat_title="Renamed")
    await desk.feed(message=renamed)
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    assert group.title == "Renamed"
    await desk.feed(message=desk.message(OPERATOR, SPRUCE, migrate_to_chat_id=-100777))
    await desk.feed(message=desk.message(OPERATOR, -100777, migrate_from_chat_id=SPRUCE))
    moved = await desk.runtime.people.groups.find(-100777)
    assert moved is not None
    assert len(moved.merchant_ids) == 1


async def test_info_and_language(desk: Desk) -> None:
    info = await desk.said(OPERATOR, SPRUCE, "群信息")
    assert [one["no"] for one in info.facts["bound"]] == ["M1001"]
    assert (await desk.said(OPERATOR, SPRUCE, "/lang en")).facts["language"] == "en"
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    assert group.language == "en"
    assert (await desk.said(SUQING, SPRUCE, "/lang zh")).facts["code"] == "not_permitted"
    assert (await desk.said(OPERATOR, SPRUCE, "/lang xx")).screen == "usage"
