"""Charts and files: what is said and pressed, by whom, and what is then asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.reports.exports import MAX_AT_ONCE, Taken
from handlers.kit.buttons import HolderKind
from handlers.kit.day_buttons import OpenChart, OpenExport
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
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


async def waiting(desk: Desk) -> list[Taken]:
    """What was asked for since the last look."""
    queue = desk.runtime.reports.exports.queue
    found = []
    while (taken := await queue.take()) is not None:
        found.append(taken)
        await queue.finish(taken, digest="", file_id="")
    return found


async def asked(desk: Desk, user_id: int, chat_id: int, text: str) -> Taken:
    """The one thing that this asks for, in silence."""
    assert await desk.say(user_id, chat_id, text) == []
    (taken,) = await waiting(desk)
    assert (taken.chat_id, taken.reply_to, taken.replaces) == (chat_id, desk.message_id, None)
    return taken


async def code(desk: Desk, user_id: int, chat_id: int, text: str) -> str:
    """The refusal that this is answered with; nothing is asked for."""
    said = await desk.said(user_id, chat_id, text)
    assert await waiting(desk) == []
    return str(said.facts["code"])


async def test_everything_that_can_be_said(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    today = await desk.runtime.reports.bills.open_day(merchant.id)
    month = Days(today.replace(day=1), today)
    span = Days(date(2026, 10, 1), date(2026, 10, 20))
    wanted: dict[str, tuple[Any, ...]] = {
        "/export": ("excel", Days.one(today), "orders", True),
        "导出": ("excel", Days.one(today), "orders", True),
        "图表": ("chart", Days.one(today), "orders", True),
        "图表 本月": ("chart", month, "orders", True),
        "/export chart 2026-10-01~2026-10-20": ("chart", span, "orders", True),
        "/export csv": ("csv", Days.one(today), "orders", True),
        "/export csv days nobom 2026-10-01~2026-10-20": ("csv", span, "days", False),
        "导出 csv 预付 本月 M1001": ("csv", month, "prepayments", True),
    }
    for text, (what, days, table, bom) in wanted.items():
        paper = (await asked(desk, SUQING, SPRUCE, text)).paper
        assert (paper.what, paper.days, paper.table, paper.bom) == (what, days, table, bom), text
        assert (paper.holder, paper.holder_id, paper.staff) == ("m", merchant.id, False)
    english = await asked(desk, BEN, NORTHWIND, "/export csv")
    assert (english.language, english.paper.bom) == ("en", False)
    for text in ("/export pdf", "/export csv csv", "/export excel orders"):
        said = await desk.said(SUQING, SPRUCE, text)
        assert (said.screen, said.facts["command"]) == ("usage", "export")
    for text, refusal in (
        ("/export 2026-02-30", "date_invalid"), ("/export chart 11-20~11-01", "range_reversed"),
        ("/export 2024-01-01~2026-11-01", "range_too_long"),
    ):  # fmt: skip
        assert await code(desk, SUQING, SPRUCE, text) == refusal


async def test_each_merchant_of_a_group_gets_its_own_and_a_chat_only_so_many(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "绑定商户 M1002")
    assert await desk.say(OPERATOR, SPRUCE, "导出") == []
    papers = [taken.paper for taken in await waiting(desk)]
    named = [(await desk.runtime.parties.merchants.by_no(no)).id for no in ("M1001", "M1002")]
    assert [paper.holder_id for paper in papers] == named
    for text in ("导出", "图表 M1001"):
        assert await desk.say(OPERATOR, SPRUCE, text) == []
    said = await desk.said(OPERATOR, SPRUCE, "图表 M1002")
    assert (said.facts["code"], said.facts["facts"]) == ("export_busy", {"limit": "3"})
    assert len(await waiting(desk)) == 3


async def test_one_message_makes_a_file_for_each_merchant_or_none(desk: Desk) -> None:
    merchants, groups = desk.runtime.parties.merchants, desk.runtime.people.groups
    for number in range(MAX_AT_ONCE - 1):
        merchant = await merchants.open(f"M20{number:02}", "Shop", reviewed=True)
        async with desk.runtime.system.store.transaction() as tx:
            await groups.bind_merchant(tx, SPRUCE, merchant.id)
    assert await desk.say(OPERATOR, SPRUCE, "导出") == []
    assert await code_of(desk, "图表") == "export_busy"
    assert len({taken.paper.holder_id for taken in await waiting(desk)}) == MAX_AT_ONCE
    for text in ("图表 M1001", "图表 M2000", "图表"):  # two wait: there is room
        assert await desk.say(OPERATOR, SPRUCE, text) == []
    assert len(await waiting(desk)) == MAX_AT_ONCE + 2
    other = await merchants.by_no("M1002")
    async with desk.runtime.system.store.transaction() as tx:
        await groups.bind_merchant(tx, SPRUCE, other.id)
    said = await desk.said(OPERATOR, SPRUCE, "导出")
    assert (said.facts["code"], said.facts["facts"]) == (
        "export_too_many", {"count": "11", "limit": "10"},
    )  # fmt: skip
    assert await waiting(desk) == []
    assert (await asked(desk, OPERATOR, SPRUCE, "导出 M1002")).paper.holder == "m"


async def code_of(desk: Desk, text: str) -> str:
    return str((await desk.said(OPERATOR, SPRUCE, text)).facts["code"])


@pytest.mark.parametrize(
    ("user_id", "chat_id", "text", "holder", "staff"),
    [
        (SUQING, SPRUCE, "导出", "m", False), (OWNER, SPRUCE, "导出", "m", False),
        (OPERATOR, SPRUCE, "导出 M1001", "m", False), (OPERATOR, OPS, "导出 M1001", "m", True),
        (SUPPORT, SUPPORT, "/export M1001", "m", True), (ZHAO, HENGTONG, "导出", "s", False),
        (FINANCE, HENGTONG, "导出 csv", "s", False), (FINANCE, OPS, "图表 S01", "s", True),
        (FINANCE, OPS, "导出", "p", True), (ADMIN, ADMIN, "图表 本月", "p", True),
        (FINANCE, FINANCE, "/export csv orders", "p", True),
    ],
)  # fmt: skip
async def test_detail_is_where_only_staff_reads(
    desk: Desk, user_id: int, chat_id: int, text: str, holder: str, staff: bool
) -> None:
    paper = (await asked(desk, user_id, chat_id, text)).paper
    assert (paper.holder, paper.staff) == (holder, staff)


@pytest.mark.parametrize(
    ("user_id", "chat_id", "text", "refusal"),
    [
        (BEN, NORTHWIND, "导出 M1001", "merchant_not_found"),
        (BEN, NORTHWIND, "图表 M1001", "merchant_not_found"),
        (SUQING, SPRUCE, "导出 M1002", "merchant_not_found"),
        (SUQING, SPRUCE, "导出 S01", "supplier_not_found"),
        (ZHAO, HENGTONG, "导出 M1001", "merchant_not_found"),
        (ZHAO, HENGTONG, "导出 S02", "supplier_not_found"),
        (ZHAO, HENGTONG, "/export csv days", "field_invalid"),
        (OPERATOR, OPS, "导出", "not_permitted"), (SUPPORT, OPS, "图表", "not_permitted"),
        (OPERATOR, OPERATOR, "/export csv", "not_permitted"),
        (FINANCE, OPS, "/export csv days", "field_invalid"),
        (FINANCE, OPS, "导出 M9999", "merchant_not_found"),
        (OPERATOR, NEW, "导出", "group_not_bound"),
    ],
)  # fmt: skip
async def test_what_may_not_be_had(
    desk: Desk, user_id: int, chat_id: int, text: str, refusal: str
) -> None:
    assert await code(desk, user_id, chat_id, text) == refusal


async def test_strangers_hear_nothing(desk: Desk) -> None:
    for user_id, chat_id in (
        (STRANGER, OPS), (STRANGER, NEW), (STRANGER, STRANGER), (BEN, SPRUCE), (SUQING, OPS)
    ):  # fmt: skip
        assert await desk.say(user_id, chat_id, "导出") == []
    assert await waiting(desk) == []


async def test_buttons(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    first, last = date(2026, 11, 1), date(2026, 11, 20)
    mine: tuple[HolderKind, UUID, date, date] = ("m", merchant.id, first, last)
    chart, turned = OpenChart(*mine).data(), OpenChart(*mine, replace=True).data()
    excel = OpenExport("excel", *mine).data()
    csv = OpenExport("csv", *mine, "prepayments").data()
    for data, what, table, places in (
        (chart, "chart", "orders", (55, None)), (turned, "chart", "orders", (None, 55)),
        (excel, "excel", "orders", (55, None)), (csv, "csv", "prepayments", (55, None)),
    ):  # fmt: skip
        assert await desk.press(SUQING, SPRUCE, data, message_id=55) == []
        (taken,) = await waiting(desk)
        assert (taken.reply_to, taken.replaces) == places
        paper = taken.paper
        assert (paper.what, paper.table, paper.staff, paper.bom) == (what, table, False, True)
        assert (paper.holder_id, paper.days) == (merchant.id, Days(first, last))
    platform: tuple[HolderKind, UUID, date, date] = ("p", HOUSE, first, last)
    whole, drawn = OpenExport("excel", *platform).data(), OpenChart(*platform).data()
    theirs = OpenExport("excel", "s", supplier.id, first, last).data()
    reversed_ = OpenChart("m", merchant.id, last, first - timedelta(days=1)).data()
    for user_id, chat_id, data in (
        (BEN, NORTHWIND, excel), (BEN, NORTHWIND, chart), (ZHAO, HENGTONG, excel),
        (SUQING, SPRUCE, theirs), (SUQING, SPRUCE, whole), (FINANCE, SPRUCE, whole),
        (FINANCE, SPRUCE, drawn), (OPERATOR, OPS, whole), (SUPPORT, OPS, drawn),
        (STRANGER, SPRUCE, excel), (SUQING, SPRUCE, reversed_),
    ):  # fmt: skip
        assert await desk.press(user_id, chat_id, data) == []
        assert await waiting(desk) == [], (user_id, data)
    for user_id, chat_id, data, staff in (
        (ZHAO, HENGTONG, theirs, False), (FINANCE, OPS, whole, True), (FINANCE, OPS, drawn, True),
        (OPERATOR, OPS, excel, True), (OWNER, SPRUCE, excel, False),
    ):  # fmt: skip
        await desk.press(user_id, chat_id, data)
        (taken,) = await waiting(desk)
        assert taken.paper.staff is staff
