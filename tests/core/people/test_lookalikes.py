"""Whoever goes by a colleague's name is told to ops once; who merely has a common one is not."""

from __future__ import annotations

import pytest

from core.kernel.errors import Refusal
from core.people.lookalikes import AlarmLookalike, Named, looks_like, skeleton
from tests.core.support import (
    CHAT,
    FINANCE,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    SPRUCE_STAFF,
    SUPPLIER_CHAT,
    Desk,
    refused,
)

STRANGER, OTHER = 9_990, 9_991
# A colleague, and names that are taken for that one.
ALIKE = {
    "Wang Hao": (
        "wang hao", "WANG  HAO", "Wang-Hao", "Wаng Hао", "ＷＡＮＧ ＨＡＯ", "Wa\u200bng Hao",
        "𝗪𝗮𝗻𝗴 𝗛𝗮𝗼", "Wáng Hǎo", "Ԝang Hao", "Wang Hа0", "✅ Wang Hao ✅", "WangHao",
    ),
    "Olivia Lind": ("0livia Lind", "OIivia Iind", "O1ivia 1ind", "Οlivia Lind", "Olivia L\u0131nd"),
    "Ben Carter": ("Веn Саrtеr", "Ben Carter.", "Вen Carter", "Ben Cаrter"),
    "Tom Barnes": ("Tom Bames", "Тom Barnes", "Tоm Bаrnеs"),
    "王浩": ("王浩", "王 浩", "王浩 ", "王·浩", "王\u200b浩"),
}  # fmt: skip
# Of these names nobody is taken for anybody.
APART = (
    ("Li", "Li"), ("Wang", "wang"), ("Anna", "ANNA"), ("王", "王"), ("", ""), ("🌟", "🌟"),
    ("Wang Hao", "Wang Hai"), ("王浩", "王浩然"), ("王浩", "李浩"), ("Ben Carter", "Ben Carver"),
    ("Olivia Lind", "Olivia"), ("Paydesk Support", "Northwind Support"),
)  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_what_reads_alike_is_the_same(name: str) -> None:
    for other in ALIKE[name]:
        assert skeleton(other) == skeleton(name), other
        assert looks_like(Named(2, other), [Named(1, name)]) == Named(1, name), other
    assert looks_like(Named(1, name), [Named(1, name)]) is None, "nobody is their own lookalike"


@pytest.mark.parametrize(("name", "other"), APART)
def test_common_and_other_names_are_no_lookalikes(name: str, other: str) -> None:
    assert looks_like(Named(2, other), [Named(1, name)]) is None


def test_usernames_are_compared_as_well() -> None:
    staff = [Named(1, "Li", "wanghao_desk")]
    for somebody in (
        Named(2, "x", "wanghaodesk"),
        Named(2, "x", "WangHa0_desk"),
        Named(2, "Wanghao Desk"),
    ):
        assert looks_like(somebody, staff) == staff[0]
    assert looks_like(Named(2, "x", "wanghao"), staff) is None


async def hear(
    desk: Desk, user_id: int, name: str, chat_id: int = CHAT, username: str = ""
) -> None:
    """Somebody speaks under a name."""
    actor = await desk.actor(user_id, chat_id)
    await desk.runtime.people.lookalikes.hear(actor, name, username)


async def colleague(desk: Desk) -> str:
    """The operator's name, which is a whole one."""
    person = await desk.runtime.people.people.find(OPERATOR)
    assert person is not None
    return person.name


async def test_a_lookalike_is_one_alarm_that_counts_up(desk: Desk) -> None:
    name = await colleague(desk)
    for chat_id in (CHAT, CHAT, NORTHWIND_CHAT, SUPPLIER_CHAT, OPS_CHAT):
        await hear(desk, STRANGER, f" {name} ", chat_id)
    await hear(desk, SPRUCE_STAFF, "Li")
    (alarm,) = await desk.alarms(AlarmLookalike)
    assert (alarm.subject, alarm.count, alarm.state) == (str(STRANGER), 3, "standing")
    assert alarm.trouble(AlarmLookalike).staff_name == name
    await hear(desk, SPRUCE_STAFF, name)
    assert {one.subject for one in await desk.alarms(AlarmLookalike)} == {str(SPRUCE_STAFF)}


async def test_who_is_known_by_a_name_is_no_alarm_under_it(desk: Desk) -> None:
    name, lookalikes = await colleague(desk), desk.runtime.people.lookalikes
    await hear(desk, STRANGER, name)
    (alarm,) = await desk.alarms(AlarmLookalike)
    for who, chat_id in ((SPRUCE_STAFF, CHAT), (OPERATOR, CHAT)):
        for verb in (lookalikes.know, lookalikes.warn):
            with pytest.raises(Refusal) as error:
                await verb(await desk.actor(who, chat_id), alarm.id)
            assert refused(error.value) in ("not_permitted", "staff_only")
    await lookalikes.know(await desk.actor(OPERATOR, OPS_CHAT), alarm.id)
    (alarm,) = await desk.alarms(AlarmLookalike)
    assert alarm.state == "over"
    for chat_id in (CHAT, NORTHWIND_CHAT):
        await hear(desk, STRANGER, name.upper(), chat_id)
    assert await desk.alarms(AlarmLookalike) == []
    await hear(desk, OTHER, name)
    assert [one.subject for one in await desk.alarms(AlarmLookalike)] == [str(OTHER)]


async def test_a_colleague_who_goes_by_another_name_is_told_once(desk: Desk) -> None:
    async def told() -> list[str]:
        return [say.screen for say in await desk.said(OPS_CHAT)]

    await desk.said(OPS_CHAT)
    await hear(desk, FINANCE, "First Heard", username="first_heard")
    assert await told() == [], "whoever let them in called them otherwise"
    for chat_id in (CHAT, CHAT, OPS_CHAT):
        await hear(desk, FINANCE, "Somebody Else", chat_id, "first_heard")
    assert await told() == ["staff_renamed"]
    assert await name_of(desk, FINANCE) == "Somebody Else"
    await hear(desk, STRANGER, "Sоmebody Еlse")  # in letters of another script
    assert len(await desk.alarms(AlarmLookalike)) == 1
    await hear(desk, FINANCE, "Somebody Else", username="another_one")
    assert await told() == ["staff_renamed"]


async def name_of(desk: Desk, user_id: int) -> str:
    person = await desk.runtime.people.people.find(user_id)
    assert person is not None
    return person.name
