"""Test orders in conversation: typed in one line, and pressed step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery.outbox import Card, Fact, Picture, Say
from handlers.buttons import read_button
from handlers.commands import parse
from handlers.kit.intents import Usage
from handlers.screens import render_say
from handlers.trials.buttons import AnswerTrial, ChooseForTrial, OpenTrial, TurnTrial
from handlers.trials.words import BeginTrial, MakeTrial
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    OPERATOR,
    OPS,
    SPRUCE,
    SUPPORT,
    SUQING,
    Desk,
    labelled,
    one_say,
)
from tests.handlers.written import ID


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("测试下单", BeginTrial()),
        ("/test_order", BeginTrial()),
        ("测试下单 M1001 alipay_qr 1.00 C01", MakeTrial("M1001", "alipay_qr", "1.00", "C01")),
        ("/test_order m1001 Alipay_QR １ 000", MakeTrial("M1001", "alipay_qr", "1 000")),
        ("/test_order M1001 alipay_qr 1万 c01 live",
         MakeTrial("M1001", "alipay_qr", "1万", "C01", "live")),
        ("测试下单 M1001 alipay_qr 5 测试", MakeTrial("M1001", "alipay_qr", "5", "", "test")),
        ("测试下单 M1001 alipay_qr 5 正式", MakeTrial("M1001", "alipay_qr", "5", "", "live")),
        ("/test_order M1001 alipay_qr", Usage("test_order")),
        ("/test_order M1001 alipay_qr C01", Usage("test_order")),
        ("/test_order M1001 1.00 C01", Usage("test_order")),
        ("/test_order alipay_qr 1.00", Usage("test_order")),
        ("/test_order live", Usage("test_order")),
        ("测试下单怎么用", None),
    ],
)  # fmt: skip
def test_what_is_understood(text: str, intent: object) -> None:
    assert parse(text) == intent


@given(st.text(max_size=40))
def test_whatever_follows_is_understood_or_not(tail: str) -> None:
    parse("/test_order M1001 " + tail)
    parse("测试下单 " + tail)


def test_buttons_are_read_back_and_no_others() -> None:
    for button in (
        OpenTrial(), TurnTrial(ID, 100_000), AnswerTrial(ID, True), AnswerTrial(ID, False),
        ChooseForTrial(ID, "merchant", "M123456789"), ChooseForTrial(ID, "product", "p" * 32),
        ChooseForTrial(ID, "app", "pdk_test_" + "a" * 24), ChooseForTrial(ID, "channel", "any"),
        ChooseForTrial(ID, "amount", str(10**15)),
    ):  # fmt: skip
        assert read_button(button.data()) == button
        assert len(button.data()) <= 64
    short = TurnTrial(ID, 1).data().split(":")[1]
    for data in (
        "trial", f"trial:{short}", f"trial:{short}:maybe", f"trial:{short}:page:0",
        f"trial:{short}:5:x", f"trial:{short}:0:", f"trial:{short}:0:a b", "trial:zz:yes",
        f"trial:{short}:0:{'x' * 34}",
    ):  # fmt: skip
        assert read_button(data) is None, data


async def with_test_app(desk: Desk) -> str:
    """A test app of M1001, by its key."""
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    keys = await desk.runtime.parties.merchants.apps.open(
        merchant, mode="test", name="trial", notify_url=None
    )
    return keys.key_id


async def orders(desk: Desk) -> int:
    found: int = await desk.runtime.system.store.fetchval("SELECT count(*) FROM orders")
    return found


def shown(facts: list[Fact]) -> Say:
    """What suppliers said, behind the card and the receipt."""
    card, made, calls = facts
    assert isinstance(card, Card)
    assert isinstance(made, Say)
    assert made.screen == "trial_made"
    assert isinstance(calls, Say)
    return calls


async def test_it_is_typed_in_one_line(desk: Desk) -> None:
    await with_test_app(desk)
    message = desk.message(OPERATOR, OPS, text="/test_order M1001 alipay_qr 1.00 C01")
    await desk.feed(message=message)
    calls = shown(await desk.news())  # nobody reaches the suppliers here
    assert calls.screen == "trial_calls"
    html = render_say(calls, "zh").html
    assert "/test_order" not in html
    assert "现在无法付款" in html
    assert calls.facts["lines"][0]["outcome"] == "never_sent"
    await desk.feed(message=message)  # delivered twice, made once
    assert await desk.news() == []
    assert await orders(desk) == 1
    assert calls.reply_to == message["message_id"]


async def test_a_real_one_is_asked_about_and_can_be_dropped(desk: Desk) -> None:
    asked = await desk.said(ADMIN, ADMIN, "测试下单 M1001 alipay_qr 1.00")
    assert asked.facts["step"] == "confirm"
    assert "真实资金" in render_say(asked, "zh").html
    yes, no = labelled(asked, "Place the order"), labelled(asked, "Cancel")
    assert await desk.press(OPERATOR, ADMIN, yes) == []
    dropped = one_say(await desk.press(ADMIN, ADMIN, no, message_id=60))
    assert (dropped.facts["step"], dropped.edit_message_id) == ("dropped", 60)
    assert await desk.press(ADMIN, ADMIN, yes) == []
    assert await orders(desk) == 0
    asked = await desk.said(ADMIN, OPS, "测试下单 M1001 alipay_qr 1.00")
    made, *rest = await desk.press(ADMIN, OPS, labelled(asked, "Place the order"), message_id=61)
    assert isinstance(made, Say)
    assert (made.facts["step"], made.edit_message_id) == ("made", 61)
    assert shown(rest).screen == "trial_calls"
    assert await orders(desk) == 1


async def test_it_is_pressed_step_by_step_in_a_group(desk: Desk) -> None:
    key_id = await with_test_app(desk)
    asked = await desk.said(OPERATOR, OPS, "测试下单")
    for label in ("M1001", key_id, "Alipay QR", "C01"):
        data = labelled(asked, label)
        assert await desk.press(ADMIN, OPS, data) == [], "somebody else asked"
        asked = one_say(await desk.press(OPERATOR, OPS, data, message_id=70))
        assert asked.edit_message_id == 70
    assert "/test_order M1001 alipay_qr 1.00 C01 test" in render_say(asked, "en").html
    made, *rest = await desk.press(OPERATOR, OPS, labelled(asked, "10.00"), message_id=70)
    assert isinstance(made, Say)
    assert made.facts["step"] == "made"
    shown(rest)
    assert await desk.press(OPERATOR, OPS, labelled(asked, "10.00"), message_id=70) == []
    assert await orders(desk) == 1


async def test_the_code_of_a_link_goes_out_with_its_receipt(desk: Desk) -> None:
    made = Picture("https://pay.example/1", (await _made(desk)).notice, reply_to=5)
    await desk.runtime.delivery.outbox.say(desk.runtime.system.store, OPS, made)
    (fact,) = await desk.news()
    assert isinstance(fact, Picture)
    assert (fact.text, fact.screen, fact.reply_to) == ("https://pay.example/1", "trial_made", 5)


async def _made(desk: Desk) -> Say:
    await with_test_app(desk)
    _, made, _ = await desk.say(OPERATOR, OPS, "测试下单 M1001 alipay_qr 1.00")
    assert isinstance(made, Say)
    return made


async def test_refusals_make_nothing(desk: Desk) -> None:
    for user_id, chat_id, text, code in (
        (SUPPORT, OPS, "测试下单", "not_permitted"),
        (FINANCE, OPS, "/test_order M1001 alipay_qr 1.00", "not_permitted"),
        (OPERATOR, SPRUCE, "测试下单", "staff_only"),
        (OPERATOR, SPRUCE, "测试下单 M1001 alipay_qr 1.00", "staff_only"),
        (SUQING, SPRUCE, "测试下单", "not_permitted"),
        (OPERATOR, OPS, "测试下单 M9999 alipay_qr 1.00", "merchant_not_found"),
        (OPERATOR, OPS, "测试下单 M1001 gold 1.00", "product_unknown"),
        (OPERATOR, OPS, "测试下单 M1001 alipay_qr 1.00 C99", "channel_not_found"),
        (OPERATOR, OPS, "测试下单 M1001 alipay_qr 便宜", "amount_invalid"),
        (OPERATOR, OPS, "测试下单 M1001 alipay_qr 0", "amount_invalid"),
        (OPERATOR, OPS, "测试下单 M1001 alipay_qr 1.00 测试", "app_not_found"),
    ):
        said = await desk.said(user_id, chat_id, text)
        assert (said.screen, said.facts["code"]) == ("refusal", code), text
    await with_test_app(desk)
    said = await desk.said(OPERATOR, OPS, "测试下单 M1001 alipay_qr 900万")
    assert said.facts["code"] == "no_channel"
    assert await orders(desk) == 0
    for data in (AnswerTrial(ID, True).data(), ChooseForTrial(ID, "merchant", "M1001").data()):
        assert await desk.press(OPERATOR, OPS, data) == []
        assert desk.line.answers[-1].show_alert


async def test_a_press_begins_one(desk: Desk) -> None:
    asked = one_say(await desk.press(OPERATOR, OPERATOR, OpenTrial().data()))
    assert asked.facts["step"] == "merchant"
    assert await desk.press(SUPPORT, OPS, OpenTrial().data()) == []
    assert desk.line.answers[-1].show_alert
