"""Groups and channels: the list, the card of each with its buttons, and the same as typed."""

from __future__ import annotations

import pytest

from core.delivery.outbox import Say, TakeAway
from core.people.groups import Entry, InSegment
from handlers.groups.buttons import OnGroup, SureOfGroup, TurnGroups, TurnSegment, mark_of
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    Desk,
    labelled,
    one_say,
)

CHANNEL = -1004000000001
BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk", "username": "paydesk_demo_bot"}


async def entry(desk: Desk, chat_id: int) -> Entry:
    group = await desk.runtime.people.groups.find(chat_id)
    assert group is not None
    return await desk.runtime.people.directory.by_no(group.no)


def html(said: Say, language: str = "zh") -> str:
    return render_say(said, language).html


def offered(said: Say) -> dict[str, str]:
    """What can be pressed, in Chinese, and what it carries."""
    keyboard = render_say(said, "zh").keyboard
    assert keyboard is not None
    return {b.text: b.callback_data or "" for row in keyboard.inline_keyboard for b in row}


async def pressed(desk: Desk, data: str, user_id: int = ADMIN, chat_id: int = ADMIN) -> Say:
    """The screen that a press is answered with."""
    return one_say(await desk.press(user_id, chat_id, data))


async def card(desk: Desk, chat_id: int) -> Say:
    no = (await entry(desk, chat_id)).no
    return await desk.said(ADMIN, ADMIN, f"群列表 G{no}")


async def test_the_list_says_of_each_what_it_is_and_how_it_is(desk: Desk) -> None:
    listed = await desk.said(ADMIN, OPS, "群列表")
    text = html(listed)
    assert "群和频道</b> · 5" in text
    for words in ("云杉商城 × Paydesk", "(M1001)", "(S01)", "未绑定", "管理群", "🟢"):
        assert words in text, words
    assert "Northwind" in html(await desk.said(ADMIN, ADMIN, "/groups m1002"))
    none = await desk.said(ADMIN, ADMIN, "群列表 无此群")
    assert none.facts["total"] == 0
    assert (await desk.said(ADMIN, ADMIN, "/groups " + "长" * 14)).screen == "usage"


async def test_pages_keep_what_was_looked_for(desk: Desk) -> None:
    for number in range(12):
        await desk.runtime.people.groups.seen(
            NEW - 1 - number, chat_type="group", title=f"新: 群 {number:02}", bot_status="member"
        )
    first = await desk.said(ADMIN, ADMIN, "/groups 新: 群")
    assert (first.facts["page"], first.facts["pages"], first.facts["total"]) == (1, 2, 12)
    assert offered(first)["▶"] == TurnGroups(2, "新: 群").data()
    second = await pressed(desk, offered(first)["▶"])
    assert [line["title"] for line in second.facts["lines"]][-1] == "新: 群 11"
    for data in (
        "grps:0:",
        "grps:x:",
        "grps:1:" + "长" * 14,
        "grp:open:0",
        "grp:eat:1",
        "grpl:1:xx",
        "grp!:eat:1:",
        "grps+:1",
        "grp:open:99999999999",
    ):
        assert await desk.press(ADMIN, ADMIN, data) == []


async def test_a_card_tells_everything_of_a_group(desk: Desk) -> None:
    shown = await card(desk, SPRUCE)
    assert (shown.facts["line"]["members"], shown.facts["bot_status"]) == (17, "administrator")
    for words in ("云杉商城 × Paydesk", "(M1001)", "Asia/Shanghai", "🟢 正常", "成员 17"):
        assert words in html(shown), words
    assert "Time zone Asia/Shanghai" in html(shown, "en")
    desk.line.members = None  # Telegram does not say: what it said last stays
    again = await pressed(desk, offered(shown)["🔄 刷新"])
    assert again.facts["line"]["members"] == 17
    assert (await desk.said(ADMIN, ADMIN, "/group G9999")).facts["code"] == "group_not_found"


async def test_the_buttons_of_a_card_work(desk: Desk) -> None:
    shown = await card(desk, SPRUCE)
    spoken = await pressed(desk, offered(shown)["🌐 English"])
    assert spoken.facts["language"] == "en"
    assert (await entry(desk, SPRUCE)).language == "en"
    for label, answer, told in (
        ("✏️ 预付叫法", "下发", ("label", "下发")),
        ("🌙 免打扰", "23:00 至 08:00", ("quiet", "23:00-08:00")),
        ("🕘 时区", "europe/berlin", ("zone", "Europe/Berlin")),
    ):
        question = await pressed(desk, offered(shown)[label])
        assert question.screen == "group_question"
        bad = "长" * 41 if told[0] == "label" else "绝对不是"
        assert (await desk.said(ADMIN, ADMIN, bad)).screen == "refusal", "and it goes on asking"
        assert (await desk.said(ADMIN, ADMIN, answer)).facts[told[0]] == told[1]
    facts = await desk.press(ADMIN, OPS, offered(shown)["✏️ 预付叫法"])
    assert {one.screen for one in facts if isinstance(one, Say)} == {
        "group_question",
        "on_in_private",
    }


async def test_segments_are_pressed(desk: Desk) -> None:
    segments = await pressed(desk, offered(await card(desk, SPRUCE))["🏷 分组"])
    question = await pressed(desk, offered(segments)["➕ 新分组"])
    assert question.facts["step"] == "segment"
    assert (await desk.said(ADMIN, ADMIN, "重点")).facts["line"]["segments"] == ["重点"]
    other = await pressed(desk, offered(await card(desk, NORTHWIND))["🏷 分组"])
    chosen = await pressed(desk, offered(other)["⬜ 重点"])
    assert (await entry(desk, NORTHWIND)).segments == ("重点",)
    for _ in range(2):  # pressed twice
        await pressed(desk, offered(chosen)["✅ 重点"])
    assert (await entry(desk, NORTHWIND)).segments == ()
    listed = await desk.said(ADMIN, ADMIN, "群列表")
    assert "重点 1" in html(listed)
    no = (await entry(desk, NORTHWIND)).no
    assert await desk.press(ADMIN, ADMIN, TurnSegment(no, True, mark_of("没有")).data()) == []
    assert "没有群" in desk.toast


async def test_a_card_takes_bindings_off_after_it_asked(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    asked = await pressed(desk, offered(await card(desk, SPRUCE))["🔓 解绑"])
    assert list(offered(asked)) == ["M1001", "M1002", "全部解绑", "↩ 返回"]
    assert (await pressed(desk, offered(asked)["↩ 返回"])).screen == "group"
    facts = await desk.press(ADMIN, ADMIN, offered(asked)["M1002"])
    after = next(one for one in facts if isinstance(one, Say) and one.screen == "group")
    assert [one["no"] for one in after.facts["line"]["holders"]] == ["M1001"]
    assert await desk.press(ADMIN, ADMIN, offered(asked)["M1002"]) == [], "it is gone already"
    assert "过期" in desk.toast or "失效" in desk.toast
    assert await desk.press(ADMIN, ADMIN, offered(asked)["全部解绑"]) == [], "they are others now"
    asked = await pressed(desk, offered(await card(desk, SPRUCE))["🔓 解绑"])
    await desk.press(ADMIN, ADMIN, next(iter(offered(asked).values())))
    assert (await entry(desk, SPRUCE)).kind == "unbound"
    asked = await desk.said(ADMIN, ADMIN, f"/group G{(await entry(desk, SPRUCE)).no} unbind")
    assert asked.facts["code"] == "group_not_bound"
    rows = await desk.runtime.system.store.fetch(
        "SELECT actor, chat_id FROM audit WHERE action = 'unbind'"
    )
    assert [(row["actor"], row["chat_id"]) for row in rows] == [(f"telegram:{ADMIN}", SPRUCE)] * 2


async def test_what_is_open_in_a_group_ends_when_it_is_unbound_from_afar(desk: Desk) -> None:
    await desk.say(FINANCE, SPRUCE, "+500")
    slip = await desk.said(FINANCE, SPRUCE, "+500")
    assert slip.screen == "slip_question"
    no = (await entry(desk, SPRUCE)).no
    await desk.press(ADMIN, ADMIN, SureOfGroup(no, "unbind", "M1001").data())
    assert await desk.press(FINANCE, SPRUCE, labelled(slip, "Book")) == []


async def test_the_bot_leaves_a_group(desk: Desk) -> None:
    no = (await entry(desk, HENGTONG)).no
    asked = await desk.said(ADMIN, OPS, f"群列表 G{no} 退群")
    assert desk.line.left == []
    facts = await desk.press(ADMIN, OPS, offered(asked)["🚪 退群"])
    left = next(one for one in facts if isinstance(one, Say) and one.screen == "group")
    assert desk.line.left == [HENGTONG]
    assert (left.facts["line"]["health"], left.facts["line"]["kind"]) == ("gone", "unbound")
    assert "机器人不在群里" in html(left)


async def test_what_was_bound_after_the_question_stays(desk: Desk) -> None:
    every = await pressed(desk, offered(await card(desk, SPRUCE))["🔓 解绑"])
    leave = await desk.said(ADMIN, ADMIN, f"群列表 G{(await entry(desk, SPRUCE)).no} 退群")
    empty = await desk.said(ADMIN, ADMIN, f"群列表 G{(await entry(desk, NEW)).no} 退群")
    for chat_id in (SPRUCE, NEW):
        await desk.say(OPERATOR, chat_id, "绑定商户 M1002")
    said = await desk.said(OPERATOR, SPRUCE, "解绑")
    for question in (every, leave, empty):
        yes = next(iter(offered(question).values()))
        assert await desk.press(ADMIN, ADMIN, yes) == []
    assert desk.line.left == []
    assert len((await entry(desk, SPRUCE)).holders) == 2
    assert len((await entry(desk, NEW)).holders) == 1
    other = await desk.runtime.parties.merchants.by_no("M1002")
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.unbind(tx, SPRUCE, other.id)
    assert await desk.press(OPERATOR, SPRUCE, offered(said)["全部解绑"]) == []
    assert len((await entry(desk, SPRUCE)).holders) == 1


async def test_an_ops_group_is_let_go_of_by_who_may_make_one(desk: Desk) -> None:
    no = (await entry(desk, OPS)).no
    await desk.say(1001, 1001, f"/people {OPERATOR} allow list_groups")
    operator = await desk.runtime.people.people.find(OPERATOR)
    assert operator is not None
    for data in (OnGroup(no, "unbind").data(), SureOfGroup(no, "leave").data()):
        assert await desk.press(OPERATOR, OPERATOR, data) == []
    assert (await entry(desk, OPS)).kind == "ops"
    assert desk.line.left == []


async def test_the_same_is_typed(desk: Desk) -> None:
    no = (await entry(desk, SPRUCE)).no
    for text, field, value in (
        (f"/group G{no} label 下发", "label", "下发"),
        (f"群列表 g{no} 免打扰 22:30~7:00", "quiet", "22:30-07:00"),
        (f"/group G{no} quiet off", "quiet", ""),
        (f"/group G{no} zone Europe/Berlin", "zone", "Europe/Berlin"),
        (f"/group G{no} zone 关", "own_zone", False),
        (f"/group G{no} lang en", "language", "en"),
    ):
        shown = await desk.said(ADMIN, OPS, text)
        assert (shown.screen, shown.facts[field]) == ("group", value), text
    joined = await desk.said(ADMIN, OPS, f"群列表 G{no} 分组 重点")
    assert joined.facts["line"]["segments"] == ["重点"]
    out = await desk.said(ADMIN, OPS, f"群列表 G{no} 分组 -重点")
    assert out.facts["line"]["segments"] == []
    for text, code in (
        (f"/group G{no} quiet 8", "quiet_invalid"),
        (f"/group G{no} quiet 8:00-8:00", "quiet_invalid"),
        (f"/group G{no} quiet 25:00-8:00", "time_invalid"),
        (f"/group G{no} zone Mars", "zone_unknown"),
        (f"/group G{no} segment a b", "segment_invalid"),
        (f"/group G{no} lang fr", "answer_unreadable"),
        ("/group G9999 label x", "group_not_found"),
    ):
        assert (await desk.said(ADMIN, OPS, text)).facts["code"] == code, text
    for text in (f"/group G{no} label", f"/group G{no} eat it", f"/group G{no} leave now"):
        assert (await desk.said(ADMIN, OPS, text)).screen == "usage", text


async def test_the_same_is_said_in_the_group(desk: Desk) -> None:
    for text, words in (
        ("/label 下发", "本群把预付叫作 下发"),
        ("免打扰 23:00-08:00", "23:00-08:00 不主动发消息"),
        ("/quiet off", "不再有免打扰"),
        ("/zone europe/berlin", "Europe/Berlin"),
        ("/zone off", "按绑定方的时区"),
        ("分组 重点", "已加入分组 重点"),
        ("分组 -重点", "移出分组 重点"),
    ):
        assert words in html(await desk.said(ADMIN, SPRUCE, text)), text
    assert (await entry(desk, SPRUCE)).label == "下发"
    assert "下发" in html(await desk.said(ADMIN, SPRUCE, "群信息"))
    for text, code in (
        ("/quiet 8", "quiet_invalid"),
        ("/zone Mars", "zone_unknown"),
        ("/label " + "长" * 13, "label_invalid"),
        ("/topic bills", "forum_needed"),
        ("/topic x", "answer_unreadable"),
    ):
        assert (await desk.said(ADMIN, SPRUCE, text)).facts["code"] == code, text
    for text in ("/label", "/segment a b", "/quiet", "/topic"):
        assert (await desk.said(ADMIN, SPRUCE, text)).screen == "usage", text
    assert (await desk.said(ADMIN, ADMIN, "/label 下发")).screen == "only_in_groups"
    assert (await desk.said(OPERATOR, SPRUCE, "分组 重点")).facts["code"] == "not_permitted"
    for text in ("话题 大家看一下", "分组怎么还没有", "群列表怎么没有"):
        assert await desk.say(ADMIN, SPRUCE, text) == [], "talk stays talk"


async def test_times_are_told_on_the_clocks_of_the_group(desk: Desk) -> None:
    await desk.say(ADMIN, SPRUCE, "/zone America/New_York")
    members = await desk.said(ADMIN, SPRUCE, "操作员名单")
    assert members.facts["zone"] == "America/New_York"


async def test_a_topic_is_chosen_by_speaking_in_it(desk: Desk) -> None:
    forum = {"chat": {"id": SPRUCE, "type": "supergroup", "title": "x", "is_forum": True}}
    here = {**forum, "message_thread_id": 5, "is_topic_message": True}
    assert "发到本话题" in html(await desk.said(ADMIN, SPRUCE, "话题 账单", **here))
    assert (await entry(desk, SPRUCE)).topics.bills == 5
    await desk.say(ADMIN, SPRUCE, "/topic lookups", **here)
    await desk.say(ADMIN, SPRUCE, "/topic bills", **forum)
    topics = (await entry(desk, SPRUCE)).topics
    assert (topics.bills, topics.lookups) == (None, 5)
    await desk.say(ADMIN, SPRUCE, "/topic lookups off", **here)
    assert (await entry(desk, SPRUCE)).topics.lookups is None


async def test_a_channel_is_recorded_and_never_spoken_to(desk: Desk) -> None:
    rights = dict.fromkeys(
        (
            "can_be_edited",
            "is_anonymous",
            "can_manage_chat",
            "can_delete_messages",
            "can_manage_video_chats",
            "can_restrict_members",
            "can_promote_members",
            "can_change_info",
            "can_invite_users",
            "can_post_stories",
            "can_edit_stories",
            "can_delete_stories",
            "can_send_welcome_messages",
        ),
        False,
    )
    for may_post in (True, False):
        await desk.feed(
            my_chat_member={
                "chat": {"id": CHANNEL, "type": "channel", "title": "公告"},
                "date": 1,
                "from": {"id": ADMIN, "is_bot": False, "first_name": "x"},
                "old_chat_member": {"status": "left", "user": BOT},
                "new_chat_member": {
                    "status": "administrator",
                    "user": BOT,
                    **rights,
                    "can_post_messages": may_post,
                },
            }
        )
        assert await desk.news() == [], "no checklist is posted into a channel"
        found = await entry(desk, CHANNEL)
        assert (found.type, found.may_post, found.added_by, found.members) == (
            "channel",
            may_post,
            ADMIN,
            17,
        )
    shown = await card(desk, CHANNEL)
    assert "频道" in html(shown)
    assert "🔓 解绑" not in offered(shown)
    channel = {"chat": {"id": CHANNEL, "type": "channel", "title": "公告"}}
    for text in ("绑定管理群", "绑定商户 M1001", "群列表", "/label x", "+1000"):
        assert await desk.say(1001, CHANNEL, text, **channel) == [], text
    no = (await entry(desk, SPRUCE)).no
    message = {**desk.message(7000000001, CHANNEL, text="…"), **channel}
    await desk.feed(
        callback_query={
            "id": "9",
            "chat_instance": "1",
            "data": SureOfGroup(no, "leave").data(),
            "message": message,
            "from": {"id": 1001, "is_bot": False, "first_name": "x"},
        }
    )
    assert await desk.news() == []
    assert desk.line.left == []
    assert (await entry(desk, CHANNEL)).kind == "unbound"


@pytest.mark.parametrize("chat_id", [SPRUCE, HENGTONG, NEW])
async def test_nothing_of_other_groups_is_told_where_others_read(desk: Desk, chat_id: int) -> None:
    other = await entry(desk, NORTHWIND)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.put(tx, NORTHWIND, InSegment("重点", True))
    for text in ("/groups", f"/group G{other.no}", f"/group G{other.no} label x", "/groups M1002"):
        facts = await desk.say(ADMIN, chat_id, text)
        assert [one.facts["code"] for one in facts if isinstance(one, Say)] == ["staff_only"]
    for data in (
        TurnGroups(1).data(),
        OnGroup(other.no, "open").data(),
        OnGroup(other.no, "unbind").data(),
        SureOfGroup(other.no, "unbind").data(),
        TurnSegment(other.no, False, mark_of("重点")).data(),
        f"grpl:{other.no}:zh",
    ):
        facts = await desk.press(ADMIN, chat_id, data)
        assert [one for one in facts if not isinstance(one, TakeAway)] == [], data
    assert await entry(desk, NORTHWIND) == await desk.runtime.people.directory.by_no(other.no)
    assert (await entry(desk, NORTHWIND)).kind == "merchant"
