from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from core.delivery.outbox import Say, read_notice
from core.trade.orders import Order
from handlers.screens import render_say
from handlers.statistics.screens import NONE, Line, Part, Period, StatisticsNotice
from tests.handlers.support import (
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
)
from tests.handlers.telegram_html import read_html


async def facts(desk: Desk, user_id: int, chat_id: int, text: str) -> dict[str, Any]:
    said = await desk.said(user_id, chat_id, text)
    assert said.screen == "statistics", said
    return said.facts


def rows(part: dict[str, Any], when: str = "today") -> dict[str, tuple[int, int]]:
    """name -> created and amount."""
    return {row["name_en"]: (row["created"], row["amount_minor"]) for row in part[when]["rows"]}


async def test_a_merchants_people_see_their_own_and_no_cost(desk: Desk, order: Order) -> None:
    await desk.news()
    for text in ("今日跑量", "/volume", "成功率", "/success", "实时统计", "/stats", "/stats M1001"):
        found = await facts(desk, SUQING, SPRUCE, text)
        assert (found["holder"], found["holder_no"]) == ("m", "M1001")
        assert (found["fees"], found["costs"]) == (True, False)
        assert [part["by"] for part in found["parts"]] == ["product"]
        assert rows(found["parts"][0]) == {"Alipay QR": (1, 0)}
    refused = await desk.said(SUQING, SPRUCE, "/stats M1002")
    assert refused.facts["code"] == "merchant_not_found"
    theirs = await facts(desk, OPERATOR, NORTHWIND, "成功率")
    assert rows(theirs["parts"][0]) == {}


async def test_staff_alone_sees_all_merchants_channels_and_margin(desk: Desk, order: Order) -> None:
    await desk.news()
    found = await facts(desk, FINANCE, OPS, "实时统计")
    assert (found["holder"], found["fees"], found["costs"]) == ("p", True, True)
    merchants, products, channels = found["parts"]
    assert [part["by"] for part in found["parts"]] == ["merchant", "product", "channel"]
    assert rows(merchants) == {"M1001 云杉商城": (1, 0)}
    assert rows(products) == {"Alipay QR": (1, 0)}
    assert products["week"]["total"]["created"] == 0
    assert all(name.startswith("C0") for name in rows(channels))
    assert [p["by"] for p in (await facts(desk, FINANCE, FINANCE, "/success"))["parts"]] == [
        "product", "channel",
    ]  # fmt: skip
    assert [p["by"] for p in (await facts(desk, FINANCE, OPS, "/volume"))["parts"]] == ["product"]
    one = await facts(desk, OPERATOR, OPS, "/stats M1001")
    assert [part["by"] for part in one["parts"]] == ["product", "channel"]


async def test_what_the_platform_earns_is_for_who_reads_its_bill(desk: Desk, order: Order) -> None:
    await desk.news()
    for text in ("今日跑量", "成功率", "实时统计"):
        refused = await desk.said(SUPPORT, OPS, text)
        assert (refused.facts["code"], refused.facts["facts"]["right"]) == (
            "not_permitted", "read_statistics",
        )  # fmt: skip
    assert (await facts(desk, SUPPORT, OPS, "/stats M1001"))["fees"]
    said = await desk.said(OPERATOR, OPS, "实时统计")
    assert (said.facts["fees"], said.facts["costs"]) == (False, False)
    text = read_html(render_say(said, "zh").html)
    assert "成功率" in text
    for word in ("手续费", "成本", "利润"):
        assert word not in text
    told = await desk.said(FINANCE, OPS, "实时统计")
    text = read_html(render_say(told, "zh").html)
    assert "手续费" in text
    assert text.endswith("成功率按各商户营业日统计")


async def test_a_suppliers_people_see_its_channels_and_no_fee(desk: Desk, order: Order) -> None:
    await desk.news()
    for user_id, chat_id, text in ((ZHAO, HENGTONG, "/stats"), (FINANCE, HENGTONG, "今日跑量")):
        said = await desk.said(user_id, chat_id, text)
        assert (said.facts["fees"], said.facts["costs"]) == (False, True)
        assert [part["by"] for part in said.facts["parts"]] == ["channel"]
        for language in ("zh", "en"):
            text = read_html(render_say(said, language).html)
            assert "云杉" not in text
            assert "M1001" not in text
    named = await facts(desk, OPERATOR, OPS, "/stats S01")
    assert (named["holder_no"], named["fees"], named["costs"]) == ("S01", False, True)
    refused = await desk.said(ZHAO, HENGTONG, "/stats S02")
    assert refused.facts["code"] == "supplier_not_found"


async def test_where_nothing_is_bound_there_is_nothing_to_count(desk: Desk) -> None:
    assert (await desk.said(OPERATOR, NEW, "成功率")).facts["code"] == "group_not_bound"
    assert await desk.say(SUQING, OPS, "实时统计") == []


async def test_success_is_shown_beside_the_week(desk: Desk) -> None:
    said = await desk.said(FINANCE, OPS, "成功率")
    today = Line(6, 5, 5, 50_000, 600, 325, "alipay_qr", "支付宝扫码", "Alipay QR")
    week = Line(30, 20, 5, 50_000, 600, 325, "wechat_qr", "微信", "WeChat")
    told = replace(
        read_notice(StatisticsNotice, said.notice),
        parts=(Part("product", Period((today,), today, NONE, 1), Period((week,), week, NONE, 7)),),
    )
    text = read_html(render_say(Say(told), "en").html)
    assert "Alipay QR 83.3% 5/6 · –" in text
    assert "WeChat – · 66.7% 20/30" in text
    text = read_html(render_say(Say(replace(told, what="stats")), "zh").html)
    for part in ("500.00", "83.3%", "6.00", "3.25", "+2.75", "日均"):
        assert part in text, part


def test_success_keeps_rows_of_one_name_apart_and_shortens_once() -> None:
    """Twelve products of the same clipped name, each sold on one of the two alone."""
    names = ("很长的产品名称" * 9, "a very long product's name" * 9)
    rows = [Line(50 - n, 1, 1, 100 * (50 - n), 0, 0, f"p{n:02}", *names) for n in range(12)]
    today, week = tuple(rows[::2]), tuple(rows[1::2])
    told = StatisticsNotice(
        what="success",
        holder="m",
        holder_no="M1",
        holder_name="M",
        currency="CNY",
        also=(),
        zone="UTC",
        at=datetime(2026, 11, 21, tzinfo=UTC),
        day=date(2026, 11, 21),
        first=date(2026, 11, 14),
        last=date(2026, 11, 20),
        fees=True,
        costs=False,
        parts=(
            Part(
                "product", Period(today, today[0], today[0], 1), Period(week, week[0], week[0], 7)
            ),
        ),
    )
    text = read_html(render_say(Say(told), "en").html)
    for shown in (f"1/{50 - n}" for n in range(9)):
        assert shown in text
    assert "Others 2.5% 1/40 · 2.5% 2/80" in text


async def test_success_of_the_last_minutes_stands_above(desk: Desk, order: Order) -> None:
    await desk.news()
    for user_id, chat_id, text, created in (
        (FINANCE, OPS, "实时统计", 1),
        (SUQING, SPRUCE, "/stats", 1),
        (OPERATOR, OPS, "/stats S02", 1),
        (ZHAO, HENGTONG, "/stats", 0),  # nothing of it was ever sent
        (OPERATOR, NORTHWIND, "/stats", 0),
    ):
        said = await desk.said(user_id, chat_id, text)
        recent = read_notice(StatisticsNotice, said.notice).recent
        assert [(one.minutes, one.created, one.paid) for one in recent] == [
            (10, created, 0), (30, created, 0), (60, created, 0),
        ]  # fmt: skip
        shares = " · ".join(["0.0%" if created else "–"] * 3)
        assert f"近 10/30/60 分钟成功率：{shares}" in read_html(render_say(said, "zh").html)
    assert not (await facts(desk, FINANCE, OPS, "今日跑量"))["recent"]
    assert not (await facts(desk, SUPPORT, OPS, "/stats S02"))["recent"]  # of all merchants
