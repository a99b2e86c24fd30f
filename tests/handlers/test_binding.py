from __future__ import annotations

from core.outbox import Say
from tests.handlers.desk import (
    ADMIN,
    FINANCE,
    NEW,
    OPERATOR,
    OPS,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
    seconds,
)  # fmt: skip

BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk", "username": "paydesk_demo_bot"}


def screens(facts: list[object]) -> list[str]:
    return [fact.screen for fact in facts if isinstance(fact, Say)]


async def test_a_group_is_bound_and_unbound(desk: Desk) -> None:
    bound, checklist = await desk.say(OPERATOR, NEW, "绑定商户 M1001")
    assert isinstance(bound, Say)
    assert bound.facts["new"] is True
    assert isinstance(checklist, Say)
    assert checklist.facts["kind"] == "merchant"
    group = await desk.runtime.groups.find(NEW)
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
    assert screens(list(await desk.press(OPERATOR, NEW, yes)))[0] == "unbound"
    group = await desk.runtime.groups.find(NEW)
    assert group is not None
    assert (group.kind, group.merchant_ids) == ("unbound", ())
    assert await desk.press(OPERATOR, NEW, yes) == []


async def test_an_old_question_no_longer_unbinds(desk: Desk) -> None:
    asked_at = seconds(desk.runtime.clock.now()) - 301
    assert await desk.press(OPERATOR, SPRUCE, f"unbind:yes:{OPERATOR}:{asked_at}") == []
    ahead = seconds(desk.runtime.clock.now()) + 900
    assert await desk.press(OPERATOR, SPRUCE, f"unbind:yes:{OPERATOR}:{ahead}") == []
    group = await desk.runtime.groups.find(SPRUCE)
    assert group is not None
    assert group.kind == "merchant"


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
    assert (await desk.said(OPERATOR, OPERATOR, "/bind M1001")).screen == "only_in_groups"
    assert (await desk.said(OPERATOR, NEW, "/unbind")).facts["code"] == "group_not_bound"


async def test_ops_and_supplier_groups(desk: Desk) -> None:
    assert screens(list(await desk.say(ADMIN, NEW, "/bind_ops"))) == ["bound", "checklist"]
    other = -1002000000999
    assert screens(list(await desk.say(OPERATOR, other, "绑定供应商 S01"))) == [
        "bound", "checklist",
    ]  # fmt: skip
    group = await desk.runtime.groups.find(other)
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
    await desk.runtime.store.execute(
        "INSERT INTO post (chat_id, message_id, kind, ref, merchant_id, digest, shown_at)"
        " VALUES (-100555, 9, 'question', $1, '00000000-0000-0000-0000-000000000000', '', now())",
        checklist.ref,
    )
    await desk.runtime.store.execute("UPDATE outbox SET state = 'sent'")
    await desk.feed(my_chat_member=change("administrator"))
    edit = one_say(await desk.news())
    assert edit.facts["admin"] is True
    assert edit.edit_message_id == 9


async def test_a_group_moves_and_is_renamed(desk: Desk) -> None:
    renamed = desk.message(OPERATOR, SPRUCE, new_chat_title="Renamed")
    await desk.feed(message=renamed)
    group = await desk.runtime.groups.find(SPRUCE)
    assert group is not None
    assert group.title == "Renamed"
    await desk.feed(message=desk.message(OPERATOR, SPRUCE, migrate_to_chat_id=-100777))
    await desk.feed(message=desk.message(OPERATOR, -100777, migrate_from_chat_id=SPRUCE))
    moved = await desk.runtime.groups.find(-100777)
    assert moved is not None
    assert len(moved.merchant_ids) == 1


async def test_info_and_language(desk: Desk) -> None:
    info = await desk.said(OPERATOR, SPRUCE, "群信息")
    assert [one["no"] for one in info.facts["bound"]] == ["M1001"]
    assert (await desk.said(OPERATOR, SPRUCE, "/lang en")).facts["language"] == "en"
    group = await desk.runtime.groups.find(SPRUCE)
    assert group is not None
    assert group.language == "en"
    assert (await desk.said(SUQING, SPRUCE, "/lang zh")).facts["code"] == "not_permitted"
    assert (await desk.said(OPERATOR, SPRUCE, "/lang xx")).screen == "usage"
