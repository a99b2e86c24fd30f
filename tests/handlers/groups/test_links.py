"""A group becomes somebody's by a link, or by a press on its checklist."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from aiogram.methods import SendMessage

from core.delivery.outbox import Fact, Say, unpack
from handlers.groups.buttons import BindGroup, LinkGroup, MakeGroup, TurnHolders
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUPPORT,
    Desk,
    labelled,
    one_say,
)

ANONYMOUS = 1087968824
BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk", "username": "paydesk_demo_bot"}
BORN = -1002000000555


async def joins(desk: Desk, user_id: int, chat_id: int = BORN) -> Say:
    """Somebody brings the bot into a group; its checklist."""
    await desk.feed(my_chat_member={
        "chat": {"id": chat_id, "type": "supergroup", "title": "a group"}, "date": 1,
        "from": {"id": user_id, "is_bot": False, "first_name": "x"},
        "old_chat_member": {"status": "left", "user": BOT},
        "new_chat_member": {"status": "member", "user": BOT},
    })  # fmt: skip
    return one_say(await desk.news())


def word_of(desk: Desk) -> str:
    """What the link carries that was shown last."""
    shown = desk.line.shown[-1]
    assert isinstance(shown, SendMessage)
    assert shown.protect_content
    found = re.search(r"t\.me/paydesk_demo_bot\?startgroup=(bind_[A-Za-z0-9_-]+)", shown.text)
    assert found is not None
    return found[1]


async def link(desk: Desk, text: str = "绑定商户 M1001", user_id: int = OPERATOR) -> str:
    await desk.say(user_id, user_id, text)
    return word_of(desk)


async def opens(desk: Desk, user_id: int, word: str, chat_id: int = BORN) -> list[Fact]:
    """Telegram says the link's word in the group, as whoever opened it."""
    return await desk.say(user_id, chat_id, f"/start@paydesk_demo_bot {word}")


def screens(facts: list[Fact]) -> list[str]:
    return [fact.screen for fact in facts if isinstance(fact, Say)]


def codes(facts: list[Fact]) -> list[Any]:
    return [one.facts.get("code") for one in facts if isinstance(one, Say)]


async def bound(desk: Desk, chat_id: int = BORN) -> list[str]:
    group = await desk.runtime.people.groups.find(chat_id)
    assert group is not None
    parties = desk.runtime.parties
    merchants = [(await parties.merchants.by_id(one)).merchant_no for one in group.merchant_ids]
    suppliers = [(await parties.suppliers.by_id(one)).supplier_no for one in group.supplier_ids]
    return [*merchants, *suppliers]


async def test_the_merchants_own_person_brings_the_bot_in_and_the_group_is_bound(
    desk: Desk,
) -> None:
    word = await link(desk)
    assert (await joins(desk, STRANGER)).screen == "checklist"
    facts = await opens(desk, STRANGER, word)
    assert await bound(desk) == ["M1001"]
    told = [one for one in facts if isinstance(one, Say) and one.screen == "bound_elsewhere"]
    assert [one.facts["link_by"] for one in told] != []
    assert "bound" in screens(facts)
    rows = await desk.runtime.system.store.fetch(
        "SELECT chat_id FROM outbox WHERE facts->>'screen' = 'bound_elsewhere' ORDER BY chat_id"
    )
    assert {row["chat_id"] for row in rows} == {SPRUCE, OPS}
    await opens(desk, STRANGER, word)  # delivered again
    assert await bound(desk) == ["M1001"]
    for other in (NEW, HENGTONG):
        await opens(desk, OPERATOR, word, other)
    assert await bound(desk, NEW) == [], "a link is used once"
    trail = await desk.runtime.system.store.fetch(
        "SELECT action, actor, facts FROM audit WHERE action IN ('bind', 'link_group') ORDER BY id"
    )
    assert [(row["action"], row["actor"]) for row in trail] == [
        ("link_group", f"telegram:{OPERATOR}"), ("bind", f"telegram:{STRANGER}"),
    ]  # fmt: skip
    kept = str(await desk.runtime.system.store.fetch("SELECT * FROM group_link"))
    assert word.removeprefix("bind_") not in kept + str(trail), "the code is kept nowhere"


async def test_staff_opens_it_where_the_bot_is_already(desk: Desk) -> None:
    assert codes(await opens(desk, FINANCE, await link(desk, "/bind_supplier S01"), NEW)) == [
        "not_permitted"
    ]
    facts = await opens(desk, OPERATOR, word_of(desk), NEW)
    assert "bound" in screens(facts)
    assert await bound(desk, NEW) == ["S01"]


async def test_only_who_brought_the_bot_in_or_has_the_right_is_obeyed(desk: Desk) -> None:
    word = await link(desk)
    await joins(desk, BEN)
    for user_id in (STRANGER, SUPPORT, ANONYMOUS):
        facts = await opens(desk, user_id, word)
        assert codes(facts) in (["not_permitted"], ["anonymous_admin"]), user_id
        assert await bound(desk) == []
    for forged in ("bind_" + "A" * 32, "bind_x", word[:-1] + ("A" if word[-1] != "A" else "B")):
        assert not [one for one in screens(await opens(desk, BEN, forged)) if one == "bound"]
        assert await bound(desk) == []
    assert await desk.say(STRANGER, STRANGER, f"/start {word}") == []
    assert (await desk.said(OPERATOR, OPERATOR, f"/start {word}")).screen == "only_in_groups"
    await opens(desk, BEN, word)
    assert await bound(desk) == ["M1001"]


async def test_a_link_is_over_after_a_day_and_with_the_right_of_its_maker(desk: Desk) -> None:
    old, other, left = await link(desk), await link(desk, user_id=ADMIN), await link(desk)
    await joins(desk, STRANGER)
    store = desk.runtime.system.store
    await store.execute(
        "UPDATE group_link SET expires_at = expires_at - $1::interval WHERE made_at ="
        " (SELECT min(made_at) FROM group_link)", timedelta(days=1),
    )  # fmt: skip
    assert codes(await opens(desk, STRANGER, old)) == ["group_link_over"]
    await desk.say(1001, 1001, f"/people {OPERATOR} deny bind")
    assert codes(await opens(desk, STRANGER, left)) == ["group_link_over"]
    assert await bound(desk) == []
    await opens(desk, STRANGER, other)
    assert await bound(desk) == ["M1001"]
    question = await desk.said(ADMIN, BORN, "解绑")
    await desk.press(ADMIN, BORN, labelled(question, "Unbind"))
    assert codes(await opens(desk, STRANGER, other)) == ["group_link_over"], "it binds once"
    assert await bound(desk) == []
    assert await desk.runtime.people.group_links.forget_old() == 0
    await store.execute("UPDATE group_link SET expires_at = expires_at - interval '40 days'")
    assert await desk.runtime.people.group_links.forget_old() == 3


async def test_a_link_does_not_make_a_group_of_another_kind_or_a_channel(desk: Desk) -> None:
    assert codes(await opens(desk, OPERATOR, await link(desk), HENGTONG)) == ["group_is_other_kind"]
    assert await bound(desk, HENGTONG) == ["S01"]
    refused = word_of(desk)
    assert codes(await opens(desk, OPERATOR, refused, NEW)) == ["group_link_over"]
    assert await bound(desk, NEW) == [], "everybody in the other group read it"


async def test_a_link_that_was_refused_counts_for_its_group_alone(desk: Desk) -> None:
    word = await link(desk)
    await joins(desk, STRANGER)
    assert codes(await opens(desk, SUPPORT, word)) == ["not_permitted"]
    await joins(desk, SUPPORT, NEW)
    assert codes(await opens(desk, SUPPORT, word, NEW)) == ["group_link_over"]
    assert codes(await opens(desk, OPERATOR, word, NEW)) == ["group_link_over"]
    assert await bound(desk, NEW) == []
    await opens(desk, STRANGER, word)
    assert await bound(desk) == ["M1001"]


async def test_a_press_binds_nobody_beside_who_is_bound_by_then(desk: Desk) -> None:
    checklist = await joins(desk, ADMIN)
    told = await desk.press(OPERATOR, BORN, labelled(checklist, "A merchant"))
    (choice,) = [one for one in told if isinstance(one, Say) and one.screen == "holder_choice"]
    await desk.say(OPERATOR, BORN, "绑定商户 M1001")
    assert await bound(desk) == ["M1001"]
    assert await desk.press(OPERATOR, OPERATOR, labelled(choice, "M1002")) == []
    assert await bound(desk) == ["M1001"]
    again = await desk.press(OPERATOR, OPERATOR, labelled(choice, "M1001"))
    assert "group_bound" in screens(again), "it is so already"


async def test_cards_of_merchants_and_suppliers_give_a_link(desk: Desk) -> None:
    for text, number in (("商户 M1001", "M1001"), ("供应商 S01", "S01")):
        card = await desk.said(ADMIN, ADMIN, text)
        await desk.press(ADMIN, ADMIN, labelled(card, "A group"))
        await opens(desk, OPERATOR, word_of(desk), NEW)
        assert await bound(desk, NEW) == [number]
        question = await desk.said(OPERATOR, NEW, "解绑")
        await desk.press(OPERATOR, NEW, labelled(question, "Unbind"))
    shown = len(desk.line.shown)
    for user_id, chat_id in (
        (ADMIN, OPS),
        (ADMIN, SPRUCE),
        (FINANCE, FINANCE),
        (STRANGER, STRANGER),
    ):
        await desk.press(user_id, chat_id, LinkGroup("M1001").data())
    assert await desk.press(ADMIN, ADMIN, LinkGroup("M9").data()) == []
    assert len(desk.line.shown) == shown
    assert (await desk.said(ADMIN, ADMIN, "绑定管理群")).screen == "only_in_groups"


async def test_whose_a_new_group_is_can_be_pressed(desk: Desk) -> None:
    checklist = await joins(desk, ADMIN)
    for user_id in (STRANGER, BEN, FINANCE):
        await desk.press(user_id, BORN, labelled(checklist, "merchant"))
    assert await desk.press(OPERATOR, BORN, labelled(checklist, "ops group")) == []
    told = await desk.press(OPERATOR, BORN, labelled(checklist, "A merchant"))
    (choice,) = [one for one in told if isinstance(one, Say) and one.screen == "holder_choice"]
    assert [one["no"] for one in choice.facts["found"]][:2] == ["M1001", "M1002"]
    rows = await desk.runtime.system.store.fetch(
        "SELECT chat_id FROM outbox WHERE facts->>'screen' = 'holder_choice'"
    )
    assert [row["chat_id"] for row in rows] == [OPERATOR], "others read along in the group"
    done = await desk.press(OPERATOR, OPERATOR, labelled(choice, "M1002"))
    assert {"bound", "group_bound"} <= set(screens(done))
    assert await bound(desk) == ["M1002"]
    waits = await desk.runtime.system.store.fetchval(
        "SELECT facts FROM outbox WHERE dedupe_key = $1", f"checklist:{BORN}"
    )
    after = unpack("say", waits)
    assert isinstance(after, Say)
    assert render_say(after, "zh").keyboard is None, "it is somebody's"
    assert await desk.press(OPERATOR, BORN, labelled(checklist, "A supplier")) == []
    assert await desk.press(ADMIN, BORN, labelled(checklist, "ops group")) == []
    assert await bound(desk) == ["M1002"]


async def test_an_ops_group_is_made_by_a_press(desk: Desk) -> None:
    checklist = await joins(desk, ADMIN)
    await desk.press(ADMIN, BORN, labelled(checklist, "ops group"))
    group = await desk.runtime.people.groups.find(BORN)
    assert group is not None
    assert group.kind == "ops"


async def test_forged_buttons_bind_nothing(desk: Desk) -> None:
    group = await desk.runtime.people.groups.find(NEW)
    assert group is not None
    for user_id, chat_id in (
        (FINANCE, FINANCE), (OPERATOR, SPRUCE), (STRANGER, STRANGER), (BEN, SPRUCE),
        (OPERATOR, NEW),
    ):  # fmt: skip
        for data in (
            BindGroup(group.no, "M1001").data(),
            TurnHolders(group.no, "merchant", 1).data(),
        ):
            assert not [
                one for one in screens(await desk.press(user_id, chat_id, data)) if one != "refusal"
            ]
    for data in (
        "grpb:1:X9",
        "grpb:0:M1",
        "grph:1:ops:1",
        "grpk:x",
        "grpx:?",
        MakeGroup("ops").data(),
    ):
        assert await desk.press(OPERATOR, OPERATOR, data) == []
    assert await desk.press(OPERATOR, OPERATOR, BindGroup(99_999, "M1001").data()) == []
    assert await bound(desk, NEW) == []
