from __future__ import annotations

from typing import Any

from core.orders import Order
from handlers.screens import render_say
from tests.handlers.desk import (
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
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
    found = await facts(desk, OPERATOR, OPS, "实时统计")
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
    assert (named["holder_no"], named["fees"]) == ("S01", True)
    refused = await desk.said(ZHAO, HENGTONG, "/stats S02")
    assert refused.facts["code"] == "supplier_not_found"


async def test_where_nothing_is_bound_there_is_nothing_to_count(desk: Desk) -> None:
    assert (await desk.said(OPERATOR, NEW, "成功率")).facts["code"] == "group_not_bound"
    assert await desk.say(SUQING, OPS, "实时统计") == []


async def test_success_is_shown_beside_the_week(desk: Desk) -> None:
    found = await facts(desk, OPERATOR, OPS, "成功率")
    figures = {
        "created": 6, "cohort_paid": 5, "paid": 5, "amount_minor": 50_000, "fee_minor": 600,
        "cost_minor": 325, "name_zh": "支付宝扫码", "name_en": "Alipay QR",
    }  # fmt: skip
    none = {**dict.fromkeys(figures, 0), "name_zh": "", "name_en": ""}
    week = {**figures, "created": 30, "cohort_paid": 20, "name_zh": "微信", "name_en": "WeChat"}
    found["parts"] = [
        {"by": "product", "today": {"rows": [figures], "total": figures, "average": none,
                                    "days": 1},
         "week": {"rows": [week], "total": week, "average": none, "days": 7}}
    ]  # fmt: skip
    said = await desk.said(OPERATOR, OPS, "成功率")
    said.facts.update(found)
    text = read_html(render_say(said, "en").html)
    assert "Alipay QR 83.3% 5/6 · –" in text
    assert "WeChat – · 66.7% 20/30" in text
    said.facts["what"] = "stats"
    text = read_html(render_say(said, "zh").html)
    for part in ("500.00", "83.3%", "6.00", "3.25", "+2.75", "日均"):
        assert part in text, part
