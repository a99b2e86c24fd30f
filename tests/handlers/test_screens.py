from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiogram.types import InputRichMessage
from hypothesis import given
from hypothesis import strategies as st

from core.bills import Bill, PrepaidLine, ProductLine
from core.channels import Product
from core.money import Money, Rate
from core.orders import Attempt, Order
from core.outbox import Say
from core.people import RIGHTS
from handlers.buttons import MAX_BYTES, read_button
from handlers.intents import COMMANDS
from handlers.screens import (
    SCREENS,
    CardContext,
    Screen,
    render_bill,
    render_card,
    render_say,
    toast,
)  # fmt: skip
from handlers.screens.pieces import credit_bar
from handlers.screens.words import WORDS
from tests.handlers.telegram_html import read_html

LANGUAGES = ("zh", "en")
HOSTILE = "<b>&amp;\"'</code>%s %(x)s {y} \u202e"
ID = UUID("019a0000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 21, 1, 3, 27, tzinfo=UTC)
PRODUCTS = {"alipay_qr": Product("alipay_qr", "支付宝扫码", "Alipay QR")}

RECEIPT: dict[str, Any] = {
    "prepayment_id": str(ID), "record_no": "M1001-3", "merchant_no": "M1001",
    "merchant_name": HOSTILE, "merchant_id": str(ID), "minor": 72_000, "currency": "CNY",
    "original_minor": 100_000_000, "original_currency": "USDT", "conversion_rate": "7.2",
    "remark": HOSTILE, "before_minor": 0, "after_minor": 72_000, "advanced_minor": 72_000,
    "actor_name": HOSTILE, "at": AT.isoformat(), "day": "2026-11-21", "zone": "Asia/Shanghai",
    "reverses": "", "reverses_no": "M1001-2",
}  # fmt: skip
COMPLETION: dict[str, Any] = {
    "order_no": "P1", "merchant_order_no": HOSTILE, "merchant_id": str(ID), "order_id": str(ID),
    "version": 3, "minor": 10_000, "currency": "CNY", "status": "pending", "reason": HOSTILE,
    "supplier_says": "unknown", "supplier_why": "SECRET SUPPLIER", "created_at": AT.isoformat(),
    "age_min": 12, "completed_today": 1, "actor_name": HOSTILE, "confirmation_id": str(ID),
}  # fmt: skip
GROUP: dict[str, Any] = {
    "kind": "merchant", "title": HOSTILE, "language": "zh", "label": HOSTILE,
    "bound": [{"no": "M1001", "name": HOSTILE}], "admin": True, "reads_all": False,
    "chat_id": -100, "user_id": 2**52, "asked_at_s": 1_763_000_000, "minutes": 5, "actor_name": "x",
}  # fmt: skip
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "alarm_books": [{"count": count, "first": HOSTILE} for count in (1, 7)],
    "alarm_discrepancy": [
        {"kind": kind, "order_no": "P1", "supplier_no": "S01", "upstream_no": HOSTILE,
         "asked_minor": 1, "seen_minor": 2, "currency": "CNY"}
        for kind in ("short", "over", "duplicate")
    ],
    "alarm_exhausted": [
        {"order_no": "P1", "url": f"https://x/{HOSTILE}", "tries": tries} for tries in (1, 13)
    ],
    "balance": [
        {"merchant_no": "M1", "merchant_name": HOSTILE, "currency": "CNY", "balance_minor": minor,
         "advanced_minor": 500, "unpaid": 1, "at": AT.isoformat(), "zone": "UTC"}
        for minor in (-100, 0, 100)
    ],
    "bound": [
        {"no": "M1", "name": HOSTILE, "kind": kind, "new": new, "actor_name": HOSTILE}
        for kind in ("merchant", "supplier", "ops") for new in (True, False)
    ],
    "checklist": [GROUP, {**GROUP, "kind": "unbound", "bound": []}],
    "complete_dropped": [COMPLETION],
    "complete_question": [COMPLETION],
    "complete_settled_itself": [COMPLETION],
    "completed": [COMPLETION],
    "edited_money": [{"records": []}, {"records": ["M1-1", "M1-2"]}],
    "help": [
        {"rights": rights, "kind": kind, "name": HOSTILE}
        for rights in ([], ["look_up", "read_money"], sorted(RIGHTS))
        for kind in ("private", "merchant", "supplier", "ops", "unbound")
    ],
    "info": [GROUP, {**GROUP, "bound": [], "kind": "ops", "language": "en"}],
    "language_set": [{"language": "zh"}, {"language": "en"}],
    "money_unreadable": [
        {"line": 2, "text": HOSTILE, "why": why}
        for why in ("rate", "too_many", "phone", "amount", "line")
    ],
    "only_in_groups": [{}],
    "prepaid": [
        RECEIPT, {**RECEIPT, "minor": -5, "remark": "", "conversion_rate": ""},
        {**RECEIPT, "undone_by": HOSTILE, "undone_no": "M1001-4"},
    ],
    "prepaid_history": [
        {"merchant_no": "M1", "merchant_name": HOSTILE, "currency": "CNY", "zone": "UTC",
         "day": "2026-11-21", "count": 9, "sum_minor": 5, "lines": lines}
        for lines in (
            [],
            [{"at": AT.isoformat(), "record_no": "M1-1", "minor": 5, "actor_name": HOSTILE,
              "remark": HOSTILE, "undone_by": undone} for undone in ("", HOSTILE)],
        )
    ],
    "prepaid_undone": [{**RECEIPT, "minor": -72_000}],
    "rates": [
        {"merchant_no": "M1", "merchant_name": HOSTILE, "currency": "CNY", "lines": lines}
        for lines in (
            [],
            [{"code": "alipay_qr", "name_zh": HOSTILE, "name_en": HOSTILE, "percent": "1.2%",
              "fixed_minor": fixed} for fixed in (0, 10)],
        )
    ],
    "refusal": [
        {"code": "order_not_found", "facts": {"number": HOSTILE}, "line": line} for line in (0, 2)
    ],
    "stale_money": [{"lines": [1, 2], "all": True}, {"lines": [2], "all": False}],
    "unbind_dropped": [GROUP],
    "unbind_question": [GROUP],
    "unbound": [GROUP],
    "update_parked": [
        {"records": records, "pressed": pressed, "alarm": alarm}
        for records in ([], ["M1-1", "M1-2"])
        for pressed in (True, False)
        for alarm in (None, {"chat": HOSTILE, "update_id": 1, "fault": HOSTILE, "tries": 5})
    ],
    "usage": [
        {"command": command}
        for command in sorted(COMMANDS)
        if command not in ("bind_ops", "unbind", "info", "help", "start")
    ],
}  # fmt: skip

ORDER = Order(
    merchant_id=ID, id=ID, created_at=AT, order_no="P" + "0" * 19, app_id=ID, mode="live",
    merchant_order_no=HOSTILE, product_code="alipay_qr", amount=Money(10_000, "CNY"),
    subject=HOSTILE, notify_url=None, return_url=None, client_ip="203.0.113.9", metadata={},
    state="pending", version=2, live_attempt_no="A1", rate=Rate(12_000), tariff_id=ID,
    fee_minor=120,
    cost_minor=None, paid_attempt_no=None, paid_how=None, paid_late=False, supplier_open=False,
    disputed=False,
    created_day=date(2026, 11, 21), expires_at=AT + timedelta(minutes=30), paid_at=None,
    paid_day=None,
)  # fmt: skip
ATTEMPT = Attempt(
    merchant_id=ID, attempt_no="A1", order_id=ID, seq=1, supplier_id=ID, supplier_no="S01",
    channel_id=ID, channel_no="C01", document_id=ID, supplier_code="channel-x",
    amount=Money(10_000, "CNY"),
    cost=Rate(1), state="accepted", upstream_no=None, pay=None, said=HOSTILE, created_at=AT,
    sent_at=AT, asked=0, not_found_at=None,
)  # fmt: skip
CONTEXT = CardContext("M1001", HOSTILE, PRODUCTS, "none", "Asia/Shanghai", "预付", staff=True)
BILL = Bill(
    merchant_id=ID, merchant_no="M1001", merchant_name=HOSTILE, currency="CNY",
    zone="Asia/Shanghai", day=date(2026, 11, 21), open=True, starts_at=AT,
    ends_at=AT + timedelta(days=1), opening_minor=-50_000,
    products=(ProductLine("alipay_qr", 10, 8, 9, 100_000, 1_200, 98_800),),
    prepaid_minor=150_000,
    prepaid_lines=(
        PrepaidLine(AT, "M1001-1", 100_000, HOSTILE, HOSTILE, HOSTILE),
        PrepaidLine(AT, "M1001-2", 150_000, "王浩", "", ""),
    ),
    prepaid_count=7, other_minor=-1, closing_minor=-101_201, advanced_minor=200_000, unpaid=2,
)  # fmt: skip


def buttons(screen: Screen) -> list[str]:
    rows = screen.keyboard.inline_keyboard if screen.keyboard else []
    return [b.callback_data for row in rows for b in row if b.callback_data]


def flatten(value: object) -> str:
    """The text of a rich message's JSON."""
    if isinstance(value, dict):
        inner = [value[key] for key in ("text", "blocks", "cells") if key in value]
        return " ".join(flatten(part) for part in inner)
    if isinstance(value, list):
        return " ".join(flatten(part) for part in value)
    return str(value)


def test_every_screen_has_an_example_and_a_template() -> None:
    assert set(EXAMPLES) == set(SCREENS)
    folder = Path(__file__).parents[2] / "handlers/screens/templates"
    assert {path.stem for path in folder.iterdir()} == {*SCREENS, "card", "bill"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_screens_are_telegrams_html_whatever_people_write(name: str, language: str) -> None:
    for facts in EXAMPLES[name]:
        screen = render_say(Say(name, facts), language)
        text = read_html(screen.html)
        assert "None" not in text
        if HOSTILE in str(list(facts.values())):
            assert "<b>&amp;" in text or name in ("complete_dropped", "edited_money", "stale_money")
        for data in buttons(screen):
            assert len(data.encode()) <= MAX_BYTES
            found = read_button(data)
            assert found is not None
            assert found.data() == data


def test_a_receipt_shows_what_happened() -> None:
    text = read_html(render_say(Say("prepaid", RECEIPT), "zh").html)
    for part in ("+720.00 CNY", "100.000000 USDT × 7.2", "0.00 → 720.00", "M1001-3", "100%",
                 "11-21 09:03:27", "🟩" * 10):  # fmt: skip
        assert part in text


def test_a_question_in_a_merchants_group_names_no_supplier() -> None:
    screen = render_say(Say("complete_question", COMPLETION), "zh")
    assert "SECRET" not in screen.html
    assert len(buttons(screen)) == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", sorted(WORDS["order"]))
def test_cards(state: str, language: str) -> None:
    order = replace(ORDER, state=state)
    if order.settled:
        order = replace(order, paid_at=AT, paid_how="completed", paid_late=True, mode="test")
    for notification in ("none", "pending", "delivered", "exhausted"):
        context = replace(CONTEXT, notification=notification)
        screen = render_card(order, [ATTEMPT, ATTEMPT], context, language)
        text = read_html(screen.html)
        assert order.order_no in text
        assert "100.00 CNY" in text
        assert "channel-x" in text
        for data in buttons(screen):
            assert len(data.encode()) <= MAX_BYTES
            assert read_button(data) is not None
        hidden = render_card(order, [ATTEMPT], replace(context, staff=False), language)
        assert "channel-x" not in hidden.html
        assert "S01" not in hidden.html
    assert read_html(render_card(ORDER, [], CONTEXT, language).html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("live", [True, False])
def test_both_forms_of_the_bill_say_the_same(language: str, live: bool) -> None:
    screen = render_bill(BILL, "预付", language, live, PRODUCTS)
    text = read_html(screen.html)
    assert screen.rich is not None
    InputRichMessage.model_validate(screen.rich)
    rich = flatten(screen.rich)
    figures = re.compile(r"[+-]?[\d,]+\.\d{2}\b|\d+\.\d%|\d+%")
    assert set(figures.findall(text)) == set(figures.findall(rich))
    for part in ("-500.00", "+988.00", "-0.01", "-1,500.00", "-1,012.01", "80.0%", "M1001-2"):
        assert part in text
    for data in buttons(screen):
        assert len(data.encode()) <= MAX_BYTES
        assert data.endswith(":new") == live
    assert all(len(row) <= 3 for block in screen.rich["blocks"] for row in block.get("cells", []))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_bill_still_fits(language: str) -> None:
    huge = 10**15
    lines = tuple(
        ProductLine("<" * 40 + str(n), 10**6, 10**6, 10**6, huge, huge, huge) for n in range(60)
    )
    long = replace(
        BILL, merchant_name="&" * 200, products=lines, closing_minor=-huge,
        prepaid_lines=(PrepaidLine(AT, "M1001-999", huge, "<" * 99, "&" * 200, "<" * 99),) * 5,
    )  # fmt: skip
    assert read_html(render_bill(long, "预付", language, True, {}).html)
    empty = replace(
        BILL, products=(), prepaid_lines=(), prepaid_count=0, prepaid_minor=0, closing_minor=0,
        opening_minor=0, other_minor=0, advanced_minor=0, unpaid=0, open=False,
    )  # fmt: skip
    assert read_html(render_bill(empty, "下发", language, False, {}).html)


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15))
def test_the_credit_bar_has_ten_blocks(remaining: int, advanced: int) -> None:
    bar = credit_bar(remaining, advanced)
    if advanced <= 0:
        assert bar is None
        return
    assert bar is not None
    assert len(bar.blocks) == 10
    assert 0 <= bar.percent <= 100
    assert ("🟥" in bar.blocks) == (0 < bar.percent < 20)


@pytest.mark.parametrize("language", LANGUAGES)
def test_toasts_fit(language: str) -> None:
    for name, facts in (
        ("how_to_complete", {"order_no": "P" * 20}), ("notified_again", {}),
        *(("supplier_says", {"state": state}) for state in WORDS["standing"]),
    ):  # fmt: skip
        assert 0 < len(toast(name, facts, language)) <= 200
