from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.delivery.outbox import Say
from handlers.kit.refusals import already_done
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
    button_data,
    one_say,
)  # fmt: skip

ANONYMOUS: dict[str, Any] = {
    "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
    "sender_chat": {"id": SPRUCE, "type": "supergroup", "title": "a group"},
}


async def balance(desk: Desk, merchant_no: str = "M1001") -> int:
    """What remains of the merchant's prepayment, in fen."""
    merchant = await desk.runtime.parties.merchants.by_no(merchant_no)
    return (await desk.runtime.reports.bills.merchant(merchant.id)).remaining_minor


async def test_an_operator_prepays_and_the_receipt_shows_before_and_after(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+1,000.50 第一笔")
    assert receipt.screen == "prepaid"
    assert (receipt.facts["before_minor"], receipt.facts["after_minor"]) == (0, 100_050)
    assert receipt.facts["remark"] == "第一笔"
    assert await balance(desk) == 100_050
    html = render_say(receipt, "zh").html
    assert "+1,000.50 CNY" in html
    assert "0.00 → <b>1,000.50</b>" in html
    assert receipt.facts["record_no"] in html
    assert "100%" in html


@pytest.mark.parametrize(
    "text", ["+1", "收到+1", "+abc", "+13800138000 好的", "+10分钟", "+1 同意"]
)
async def test_talk_of_merchants_staff_is_left_alone(desk: Desk, text: str) -> None:
    assert await desk.say(SUQING, SPRUCE, text) == []


async def test_a_stranger_hears_nothing(desk: Desk) -> None:
    assert await desk.say(STRANGER, SPRUCE, "+1000") == []
    assert await desk.say(STRANGER, SPRUCE, "/prepay 1000") == []
    assert await balance(desk) == 0


async def test_without_the_right_the_refusal_is_for_that_person_alone(desk: Desk) -> None:
    refusal = await desk.said(SUQING, SPRUCE, "+1000")
    assert refusal.screen == "refusal"
    assert refusal.facts["code"] == "not_permitted"
    assert refusal.only_for == SUQING
    assert (await desk.said(SUPPORT, SPRUCE, "/prepay 1000")).facts["code"] == "not_permitted"
    assert await balance(desk) == 0


async def test_an_anonymous_admin_is_told_why_not(desk: Desk) -> None:
    refusal = await desk.said(1087968824, SPRUCE, "+1000", **ANONYMOUS)
    assert refusal.facts["code"] == "anonymous_admin"
    assert refusal.only_for is None
    assert await balance(desk) == 0


async def test_the_same_update_again_books_nothing_and_says_nothing_new(desk: Desk) -> None:
    message = desk.message(FINANCE, SPRUCE, text="+1000\n+500")
    await desk.feed(message=message)
    assert one_say(await desk.news()).screen == "receipt"
    await desk.feed(message=message)
    assert await desk.news() == []
    assert await balance(desk) == 150_000


async def test_lines_are_all_booked_or_none(desk: Desk) -> None:
    fault = await desk.said(OPERATOR, SPRUCE, "+1000\n谢谢\n+500")
    assert fault.screen == "money_unreadable"
    assert fault.facts["line"] == 2
    assert fault.only_for is None
    refused = await desk.said(OPERATOR, SPRUCE, "+1000\n+500 M1002")
    assert refused.facts["line"] == 2
    assert refused.facts["code"] == "merchant_not_found"
    assert await balance(desk) == 0


async def test_usdt_is_at_the_groups_rate_or_the_one_written(desk: Desk) -> None:
    refusal = await desk.said(OPERATOR, SPRUCE, "+100u")
    assert refusal.facts["code"] == "usdt_rate_missing"
    receipt = await desk.said(OPERATOR, SPRUCE, "+100u/7.2")
    assert receipt.facts["minor"] == 72_000
    assert receipt.facts["original_minor"] == 100_000_000
    assert "100.00 USDT × 7.2" in render_say(receipt, "en").html
    await desk.say(FINANCE, SPRUCE, "设置汇率 7.25")
    at_rate = await desk.said(OPERATOR, SPRUCE, "+100u 房租")
    assert (at_rate.facts["minor"], at_rate.facts["conversion_rate"]) == (72_500, "7.25")
    assert (await desk.said(OPERATOR, OPS, "+100u M1001")).facts["code"] == "usdt_rate_missing"
    handed_out = await desk.said(OPERATOR, SPRUCE, "+700/7.2 出款")
    assert (handed_out.facts["minor"], handed_out.facts["remark"]) == (70_000, "出款")
    assert handed_out.facts["original_minor"] == 97_222_222
    assert "97.222222 USDT × 7.2" in render_say(handed_out, "zh").html
    assert await balance(desk) == 72_000 + 72_500 + 70_000


PHOTO = [
    {"file_id": "small", "file_unique_id": "a", "width": 90, "height": 60},
    {"file_id": "large", "file_unique_id": "b", "width": 1280, "height": 800},
    {"file_id": "medium", "file_unique_id": "c", "width": 320, "height": 200},
]


async def test_a_picture_with_the_words_as_caption_is_proof(desk: Desk) -> None:
    document: dict[str, Any] = {"file_id": "scan", "file_unique_id": "d", "mime_type": "image/png"}
    sent: list[tuple[dict[str, Any], str | None]] = [
        ({"photo": PHOTO}, "large"),
        ({"document": document}, "scan"),
        ({"document": {**document, "mime_type": "application/pdf"}}, None),
    ]
    for number, (fields, kept) in enumerate(sent, 1):
        await desk.feed(message=desk.message(OPERATOR, SPRUCE, caption=f"+100{number}", **fields))
        receipt = one_say(await desk.news())
        assert receipt.facts["proof"] == (kept is not None)
        assert ("📎" in render_say(receipt, "zh").html) == (kept is not None)
        sql = "SELECT proof_file_id FROM voucher WHERE seq = $1"
        assert await desk.runtime.system.store.fetchval(sql, number) == kept
    receipt = one_say(await desk.say(FINANCE, SPRUCE, "-1000"))
    assert receipt.facts["proof"] is False


async def test_in_a_suppliers_group_the_same_words_are_payins(desk: Desk) -> None:
    refusal = await desk.said(OPERATOR, HENGTONG, "+1000")
    assert (refusal.facts["code"], refusal.only_for) == ("not_permitted", OPERATOR)
    assert refusal.facts["facts"]["right"] == "payin"
    assert (await desk.said(ZHAO, HENGTONG, "+1000")).only_for == ZHAO
    assert await desk.say(OPERATOR, HENGTONG, "+1,00") == []
    for text, example in (("+500\n好的", "+1000 S01"), ("/prepay", "+1000 S01")):
        lesson = render_say(await desk.said(FINANCE, HENGTONG, text), "en").html
        assert example in lesson, text
        assert "M1001" not in lesson
        assert "prepayment" not in lesson
    assert (await desk.said(OPERATOR, HENGTONG, "/prepay")).facts["facts"]["right"] == "payin"
    receipt = await desk.said(FINANCE, HENGTONG, "+1000 第一笔")
    assert (receipt.screen, receipt.facts["record_no"]) == ("paid_in", "S01-1")
    assert "S01" in render_say(receipt, "en").html
    named = await desk.said(FINANCE, HENGTONG, "+500 s01 补款")
    assert (named.facts["remark"], named.facts["after_minor"]) == ("补款", -150_000)
    for text, code in (
        ("+500 S99", "supplier_not_found"),
        ("+500 M1001", "merchant_not_found"),
        ("+100u", "usdt_rate_missing"),
    ):
        assert (await desk.said(FINANCE, HENGTONG, text)).facts["code"] == code
    second = await desk.runtime.parties.suppliers.by_no("S02")
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.bind_supplier(tx, HENGTONG, second.id)
    several = await desk.said(FINANCE, HENGTONG, "+500")
    assert several.facts["code"] == "supplier_ambiguous"
    assert several.facts["facts"]["suppliers"] == "S01, S02"
    other = await desk.said(FINANCE, HENGTONG, "+500 S02")
    assert other.facts["record_no"] == "S02-1"
    undone, struck = await desk.press(FINANCE, HENGTONG, button_data(receipt), message_id=900)
    assert isinstance(undone, Say)
    assert isinstance(struck, Say)
    assert (undone.screen, struck.screen) == ("paid_in_undone", "paid_in")
    assert undone.facts["reverses_no"] == "S01-1"
    assert await desk.press(FINANCE, SPRUCE, button_data(named)) == []
    assert await desk.press(OPERATOR, HENGTONG, button_data(named)) == []
    assert await balance(desk) == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("+1,00", "amount"), ("+8613800138000", "phone"), ("+1000 -500", "remark"),
        ("+1000元房租", "blank"), ("+1000 收到了吗", "question"), ("- 1000", "blank"),
    ],
)  # fmt: skip
async def test_a_slip_is_explained_to_holders_of_the_right_only(
    desk: Desk, text: str, why: str
) -> None:
    fault = await desk.said(OPERATOR, SPRUCE, text)
    assert fault.facts["why"] == why
    aside = why in ("phone", "question") or text == "- 1000"
    assert fault.only_for == (OPERATOR if aside else None)
    assert await desk.say(SUQING, SPRUCE, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("+1.0051", "amount_invalid"), ("+0.0000001u/7.2", "amount_invalid"),
        ("+10.000", "amount_doubtful"), ("/prepay 1.250万", "amount_doubtful"),
        ("+1000 USD", "currency_other"), ("+1000 泰铢", "currency_other"),
        ("/prepay 1000 -500", "remark"), ("/prepay 1000 到了吗", "question"),
        ("+100u/7.123456789", "rate"), ("+100u/1000001", "rate"),
        ("+100000000.01", "amount_over_limit"), ("+99999999999999999", "amount_over_limit"),
        ("+99999999u/9", "amount_over_limit"), ("-20000万", "amount_over_limit"),
        ("+0", "amount"), ("+1e9", "amount"), ("/prepay abc", "amount"), ("+100u/0", "rate"),
    ],
)  # fmt: skip
async def test_what_cannot_be_booked_is_said_and_books_nothing(
    desk: Desk, text: str, said: str
) -> None:
    answer = await desk.said(OPERATOR, SPRUCE, text)
    assert said in (answer.facts.get("code"), answer.facts.get("why"))
    assert await balance(desk) == 0


async def test_in_an_ops_group_the_merchant_is_named(desk: Desk) -> None:
    for user_id, chat_id in ((OPERATOR, OPS), (OPERATOR, OPERATOR)):
        needed = await desk.said(user_id, chat_id, "+1000")
        assert needed.facts["code"] == "merchant_needed"
        assert "+1000 M1001" in render_say(needed, "zh").html
    assert (await desk.said(OPERATOR, OPS, "+1000 m1002 房租")).facts["holder_no"] == "M1002"
    unbound = await desk.said(OPERATOR, NEW, "/prepay 1000")
    assert unbound.facts["code"] == "group_not_bound"
    late = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    for text in ("+10", "+1000 M1001", "+1,00"):
        message = desk.message(OPERATOR, NEW, text=text)
        await desk.feed(message=message)
        await desk.feed(edited_message={**message, "edit_date": message["date"] + 5})
        await desk.feed(message=desk.message(OPERATOR, NEW, text=text, date=late))
        assert await desk.news() == [], text


async def test_a_suppliers_number_is_no_remark_of_a_prepayment(desk: Desk) -> None:
    for chat_id in (SPRUCE, OPS):
        refused = await desk.said(OPERATOR, chat_id, "+1000 s01 补款")
        assert refused.facts["code"] == "payin_not_here"
        assert "S01" in render_say(refused, "zh").html
    assert await balance(desk) == 0
    assert (await desk.said(OPERATOR, SPRUCE, "+1000 M1001 S01")).facts["remark"] == "S01"


async def test_yuan_are_the_merchants_own_currency_or_refused(desk: Desk) -> None:
    assert (await desk.said(OPERATOR, SPRUCE, "+1000元 房租")).facts["minor"] == 100_000
    assert (await desk.said(OPERATOR, SPRUCE, "-20块")).facts["minor"] == -2_000
    assert (await desk.said(FINANCE, SPRUCE, "调账 -20元 更正")).facts["minor"] == -2_000
    dollars = await desk.runtime.parties.merchants.open(
        "M1009", "Dollars", currency="USD", reviewed=True
    )
    for text in ("+1000元 M1009", "+1000 € M1009", "/adjust 20块 M1009 x", "授信 M1009 5万 元"):
        refused = await desk.said(FINANCE, OPS, text)
        assert refused.facts["code"] == "currency_other", text
        assert "USD" in render_say(refused, "zh").html
    assert await balance(desk, dollars.merchant_no) == 0
    assert (await desk.said(FINANCE, OPS, "+1000 美元 M1009")).facts["minor"] == 100_000


async def test_a_stale_message_is_not_booked(desk: Desk) -> None:
    old = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    answer = await desk.said(OPERATOR, SPRUCE, "+1000", date=old)
    assert answer.screen == "stale_money"
    assert await balance(desk) == 0


async def test_a_forwarded_message_moves_no_money(desk: Desk) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "x", "date": 1}
    assert await desk.say(OPERATOR, SPRUCE, "+1000", forward_origin=origin) == []
    assert await balance(desk) == 0


LATE_OR_FORWARDED = (
    "/rate alipay_qr 1%", "/rerate alipay_qr 1% 2026-11", "/daycut 06:00", "时区 Europe/Berlin",
    "/complete P12345678 x", "/uncomplete P12345678 x", "/credit 500", "/usdt 7.2",
    "/adjust -20 x",
)  # fmt: skip


async def test_what_sets_something_is_neither_forwarded_nor_late_nor_edited(desk: Desk) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "x", "date": 1}
    old = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    for text in LATE_OR_FORWARDED:
        assert await desk.say(ADMIN, SPRUCE, text, forward_origin=origin) == [], text
        assert (await desk.said(ADMIN, SPRUCE, text, date=old)).screen == "stale_money", text
        message = desk.message(ADMIN, SPRUCE, text=text, edit_date=old + 700)
        await desk.feed(edited_message=message)
        edited = one_say(await desk.news())
        assert (edited.screen, edited.facts["records"]) == ("edited_money", []), text
        for language in ("zh", "en"):
            assert ("booked" in render_say(edited, language).html) == (
                language == "en" and text.startswith("/adjust")
            )
        message["from"] = {"id": SUPPORT, "is_bot": False, "first_name": "x"}
        await desk.feed(edited_message=message)
        assert await desk.news() == [], text
    assert (await desk.said(ADMIN, OPS, "/cost C01 0.6%", date=old)).screen == "stale_money"
    for text in ("/lang en", "/unbind", "绑定商户 M1002", "/bind_ops", "/cost C01 0.6%"):
        assert await desk.say(ADMIN, OPS, text, forward_origin=origin) == [], text
    assert await desk.say(ADMIN, SPRUCE, "/rate", forward_origin=origin) == []
    shown = await desk.said(ADMIN, SPRUCE, "查询余额", forward_origin=origin)
    assert shown.screen == "balance"
    assert not await desk.runtime.system.store.fetchval("SELECT count(*) FROM cause")
    read = desk.message(ADMIN, SPRUCE, text="查询余额", edit_date=old)
    await desk.feed(edited_message=read)
    assert await desk.news() == []


async def test_the_way_to_write_it_is_told_to_who_may_say_it(desk: Desk) -> None:
    for text, right in (
        ("/prepay", "prepay"), ("/adjust", "adjust"), ("/rate", "price"), ("/complete", "complete"),
        ("/bind", "bind"), ("差异单 foo1", "resolve"), ("/daycut", "day_cut"),
    ):  # fmt: skip
        refused = await desk.said(SUQING, SPRUCE, text)
        assert refused.facts["facts"] == {"right": right}, text
        assert (refused.facts["code"], refused.only_for) == ("not_permitted", SUQING)
        assert (await desk.said(ADMIN, SPRUCE, text)).screen == "usage"
        hidden = await desk.said(1087968824, SPRUCE, text, **ANONYMOUS)
        assert hidden.facts["code"] == "anonymous_admin", text
    assert (await desk.said(SUQING, SPRUCE, "/credit x")).screen == "usage"  # it may be shown


async def test_an_edit_never_moves_money(desk: Desk) -> None:
    message = desk.message(OPERATOR, SPRUCE, text="+1000")
    await desk.feed(message=message)
    receipt = one_say(await desk.news())
    await desk.feed(edited_message={**message, "text": "+9000", "edit_date": message["date"] + 5})
    answer = one_say(await desk.news())
    assert answer.screen == "edited_money"
    assert answer.facts["records"] == [receipt.facts["record_no"]]
    later = desk.message(OPERATOR, SPRUCE, text="+500", edit_date=message["date"] + 5)
    await desk.feed(edited_message=later)
    assert one_say(await desk.news()).facts["records"] == []
    chat = desk.message(OPERATOR, SPRUCE, text="good morning", edit_date=message["date"] + 5)
    await desk.feed(edited_message=chat)
    assert await desk.news() == []
    assert await balance(desk) == 100_000


async def test_who_mends_a_refused_message_by_an_edit_is_told_in_the_same_minute(
    desk: Desk,
) -> None:
    desk.same_minute = True
    message = desk.message(OPERATOR, SPRUCE, text="+1,00")
    await desk.feed(message=message)
    edit = {**message, "text": "+100", "edit_date": message["date"] + 5}
    await desk.feed(edited_message=edit)
    assert one_say(await desk.news()).screen == "money_unreadable"
    await desk.pass_a_minute()
    await desk.runtime.people.refusals.tell_due(10)
    assert one_say(await desk.news()).screen == "edited_money"
    assert await balance(desk) == 0


async def test_undo_reverses_once_and_strikes_the_receipt_through(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+1000")
    data = button_data(receipt)
    undone, struck = await desk.press(OPERATOR, SPRUCE, data, message_id=500)
    assert isinstance(undone, Say)
    assert isinstance(struck, Say)
    assert undone.screen == "prepaid_undone"
    assert undone.facts["reverses_no"] == receipt.facts["record_no"]
    assert struck.edit_message_id == 500
    screen = render_say(struck, "zh")
    assert "<s>" in screen.html
    assert screen.keyboard is None
    assert await balance(desk) == 0
    again = await desk.press(OPERATOR, SPRUCE, data, message_id=500)
    assert [fact.screen for fact in again if isinstance(fact, Say)] == ["prepaid"]
    assert desk.toast == already_done("zh")
    assert await balance(desk) == 0


async def test_a_press_without_the_right_is_answered_with_an_alert(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+1000")
    assert await desk.press(SUQING, SPRUCE, button_data(receipt)) == []
    assert desk.line.answers[-1].show_alert
    assert "记预付" in desk.toast
    assert await desk.press(STRANGER, SPRUCE, button_data(receipt)) == []
    assert desk.toast == ""
    assert len(desk.line.answers) == 2
    assert await balance(desk) == 100_000


async def test_another_groups_receipt_cannot_be_undone_here(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, OPS, "+1000 M1002")
    assert await desk.press(OPERATOR, SPRUCE, button_data(receipt)) == []
    assert await balance(desk, "M1002") == 100_000


async def test_the_slash_form_takes_what_would_be_talk(desk: Desk) -> None:
    assert (await desk.said(OPERATOR, SPRUCE, "/prepay@paydesk_demo_bot 5")).facts["minor"] == 500
    assert (await desk.said(OPERATOR, SPRUCE, "/prepay -5 差额")).facts["minor"] == -500
    assert await desk.say(OPERATOR, SPRUCE, "/prepay@another_bot 5") == []
    assert (await desk.said(OPERATOR, SPRUCE, "/prepay five")).facts["why"] == "amount"
