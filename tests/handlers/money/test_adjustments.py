from __future__ import annotations

from datetime import timedelta

import pytest

from core.delivery.outbox import Say, read_notice
from handlers.money.screens import CreditNotice
from handlers.screens import render_say
from tests.core.support import set_setting
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    SPRUCE,
    SUPPORT,
    SUQING,
    Desk,
    button_data,
    one_say,
)  # fmt: skip


async def owed(desk: Desk, merchant_no: str = "M1001") -> int:
    """What we owe the merchant, in fen."""
    merchant = await desk.runtime.parties.merchants.by_no(merchant_no)
    return (await desk.runtime.accounts.credit.standing(merchant)).position_minor


async def test_finance_adjusts_with_a_reason_and_undoes_it(desk: Desk) -> None:
    receipt = await desk.said(FINANCE, SPRUCE, "调账 M1001 -20.50 手续费有误")
    assert receipt.screen == "adjusted"
    html = render_say(receipt, "zh").html
    assert "-20.50 CNY" in html
    assert "手续费有误" in html
    assert "0.00 → <b>20.50</b>" in html
    assert await owed(desk) == -2050
    assert (await desk.said(ADMIN, SPRUCE, "/adjust 5 for May")).facts["minor"] == 500
    named = await desk.said(FINANCE, OPS, "/adjust 5 M1002 for May")
    assert named.facts["holder_no"] == "M1002"
    undone, struck = await desk.press(FINANCE, SPRUCE, button_data(receipt), message_id=700)
    assert isinstance(undone, Say)
    assert isinstance(struck, Say)
    assert (undone.screen, struck.edit_message_id) == ("adjusted_undone", 700)
    assert "<s>" in render_say(struck, "en").html
    assert render_say(struck, "en").keyboard is None
    assert await desk.press(OPERATOR, OPS, button_data(named)) == []
    assert "给商户调账" in desk.toast
    assert (await owed(desk), await owed(desk, "M1002")) == (500, 500)


async def test_the_same_adjustment_again_is_booked_and_said_once(desk: Desk) -> None:
    message = desk.message(FINANCE, SPRUCE, text="/adjust -20 reason")
    for expected in (1, 0):
        await desk.feed(message=message)
        assert len(await desk.news()) == expected
    edited = {**message, "text": "/adjust -90 reason", "edit_date": message["date"] + 5}
    await desk.feed(edited_message=edited)
    answer = one_say(await desk.news())
    assert (answer.screen, len(answer.facts["records"])) == ("edited_money", 1)
    assert await owed(desk) == -2000


@pytest.mark.parametrize(
    ("user_id", "text", "said"),
    [
        (OPERATOR, "/adjust -20 reason", "not_permitted"),
        (SUPPORT, "/adjust -20 reason", "not_permitted"),
        (SUQING, "调账 -20 原因", "not_permitted"),
        (FINANCE, "/adjust M1001 -20", "reason_missing"),
        (FINANCE, "/adjust -20.0051 reason", "amount_invalid"),
        (FINANCE, "/adjust 2亿 reason", "amount_over_limit"),
        (FINANCE, "/adjust 20000万 reason", "amount_over_limit"),
        (FINANCE, "/adjust 0 reason", "adjust"),
        (FINANCE, "/adjust 5u reason", "currency_other"),
        (FINANCE, "/adjust M1002 5 reason", "merchant_not_found"),
        (OPERATOR, "/credit 500", "not_permitted"),
        (OPERATOR, "设置汇率 7.2", "not_permitted"),
        (FINANCE, "/credit M1001 1.0051", "amount_invalid"),
        (FINANCE, "授信 10.000", "amount_doubtful"),
        (FINANCE, "/adjust -20 50 reason", "adjust"),
        (FINANCE, "/credit 20000万", "amount_over_limit"),
        (FINANCE, "/credit -5", "credit"),
        (FINANCE, "/usdt 0", "usdt_rate_invalid"),
        (FINANCE, "/usdt 1000000.1", "usdt_rate_invalid"),
        (FINANCE, "/usdt 7.123456789", "usdt_rate_invalid"),
        (FINANCE, "/usdt x", "usdt"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    desk: Desk, user_id: int, text: str, said: str
) -> None:
    answer = await desk.said(user_id, SPRUCE, text)
    assert said in (answer.facts.get("code"), answer.facts.get("command"))
    private = answer.facts.get("code") in (None, "not_permitted")
    assert answer.only_for == (user_id if private else None)
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    assert group.usdt_rate is None
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    assert (await owed(desk), merchant.credit_line_minor) == (0, None)


async def test_words_of_others_and_late_ones_move_nothing(desk: Desk) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "x", "date": 1}
    for text in ("/adjust -20 reason", "/credit 500", "/usdt 7.2"):
        assert await desk.say(FINANCE, SPRUCE, text, forward_origin=origin) == []
    old = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    for text in ("/adjust -20 reason", "/credit 500", "/usdt 7.2"):
        assert (await desk.said(FINANCE, SPRUCE, text, date=old)).screen == "stale_money"
    assert (await desk.said(FINANCE, SPRUCE, "/credit")).facts["standing"]["line_minor"] is None
    assert (await desk.said(FINANCE, SPRUCE, "/usdt")).facts["rate"] == ""
    assert await owed(desk) == 0


async def test_a_group_has_its_usdt_rate(desk: Desk) -> None:
    assert (await desk.said(SUPPORT, SPRUCE, "/usdt")).facts == {"rate": ""}
    first = await desk.said(FINANCE, SPRUCE, "设置汇率 7.20")
    assert (first.screen, first.facts["before"], first.facts["after"]) == (
        "usdt_rate_set", "", "7.20",
    )  # fmt: skip
    second = await desk.said(ADMIN, SPRUCE, "/usdt 7.12345678")
    assert "7.20 → <b>7.12345678</b>" in render_say(second, "zh").html
    await desk.said(ADMIN, SPRUCE, "/usdt 7.12345678")
    stored = "SELECT usdt_rate FROM chat_group WHERE chat_id = $1"
    assert await desk.runtime.system.store.fetchval(stored, SPRUCE) == "7.12345678"
    assert await desk.runtime.system.store.fetchval(stored, OPS) is None
    trail = "SELECT count(*) FROM audit WHERE action = 'set_usdt_rate'"
    assert await desk.runtime.system.store.fetchval(trail) == 2
    assert (await desk.said(SUQING, SPRUCE, "/usdt")).facts["rate"] == "7.12345678"
    assert (await desk.said(FINANCE, FINANCE, "/usdt 7")).screen == "only_in_groups"
    assert (await desk.said(FINANCE, FINANCE, "/usdt")).screen == "only_in_groups"
    assert (await desk.said(FINANCE, HENGTONG, "/usdt 7")).screen == "usdt_rate_set"
    assert (await desk.said(FINANCE, NEW, "/usdt 7")).screen == "usdt_rate_set"
    await desk.runtime.people.groups.moved(SPRUCE, SPRUCE - 500)
    moved = await desk.runtime.people.groups.find(SPRUCE - 500)
    assert moved is not None
    assert str(moved.usdt_rate) == "7.12345678"


async def test_a_merchant_has_its_credit_line(desk: Desk) -> None:
    await set_setting(desk.runtime, "credit_second", None)
    none = await desk.said(SUQING, SPRUCE, "/credit")
    assert (none.screen, none.facts["standing"]["line_minor"]) == ("credit", None)
    put = await desk.said(FINANCE, SPRUCE, "授信 5万")
    assert (put.screen, put.facts["standing"]["line_minor"]) == ("credit_set", 5_000_000)
    assert "50,000.00" in render_say(put, "zh").html
    await desk.say(OPERATOR, SPRUCE, "+1000")
    shown = await desk.said(SUPPORT, SPRUCE, "授信")
    standing = read_notice(CreditNotice, shown.notice).standing
    assert (standing.position_minor, standing.left_minor) == (-100_000, 5_100_000)
    assert "51,000.00" in render_say(shown, "en").html
    ops = await desk.said(FINANCE, OPS, "/credit M1001 off")
    assert (ops.facts["before_minor"], ops.facts["standing"]["line_minor"]) == (5_000_000, None)
    needed = await desk.said(FINANCE, OPS, "/credit")
    assert needed.facts["code"] == "merchant_needed"
    assert "/credit M1001" in render_say(needed, "en").html
    assert (await desk.said(FINANCE, SPRUCE, "授信 关")).facts["before_minor"] is None


async def test_what_is_set_is_set_once(desk: Desk) -> None:
    """A message that is delivered again sets nothing, whatever was set since."""
    for first, second, show, fact in (
        ("/usdt 7.1", "/usdt 7.2", "/usdt", "rate"),
        ("/credit 500", "/credit 600", "/credit", "standing"),
    ):
        message = desk.message(FINANCE, SPRUCE, text=first)
        await desk.feed(message=message)
        await desk.say(FINANCE, SPRUCE, second)
        await desk.feed(message=message)
        assert [f.screen for f in await desk.news() if isinstance(f, Say)] == [], first
        await desk.feed(message={**message, "date": message["date"] - 700})  # much later
        assert await desk.news() == []
        line = {"line_minor": 60_000, "position_minor": 0, "advanced_minor": 0}
        assert (await desk.said(FINANCE, SPRUCE, show)).facts[fact] in ("7.2", line)
        edited = {**message, "text": second, "edit_date": message["date"] + 5}
        await desk.feed(edited_message=edited)
        assert one_say(await desk.news()).facts["records"] == []
