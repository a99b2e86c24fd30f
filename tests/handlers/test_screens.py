from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery.outbox import Say, Stored, values_of
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.people.people import RIGHTS, ROLES
from core.supply.channels import Product
from core.trade.completions import CompleteQuestionNotice
from core.trade.enquiries import Enquiry, EnquiryView
from core.trade.orders import Attempt, Order, Terms
from core.trade.orders.lifecycle import ORDER_NEXT, order_after
from handlers.alarms.screens import sent_again
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.context import MAX_TOAST_CHARS
from handlers.kit.refusals import already_done
from handlers.kit.screen import TEMPLATES, credit_bar
from handlers.kit.vocabulary import WORDS, word
from handlers.orders.buttons import OnCard
from handlers.orders.toasts import notified_again, reason_wanted, supplier_says
from handlers.screens import (
    ALARMS,
    ASKS,
    VIEWS,
    CardContext,
    Screen,
    render_card,
    render_enquiry,
    render_say,
    render_supplier_card,
)  # fmt: skip
from handlers.topics import TOPICS
from tests.handlers.orders.examples import COMPLETION
from tests.handlers.telegram_html import read_html
from tests.handlers.written import AT, HOSTILE, ID

LANGUAGES = ("zh", "en")


def collected(name: str) -> dict[str, list[dict[str, Any]]]:
    """The notices that the topics' `examples.py` hold under a name, by screen, as they are kept."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(Path(__file__).parent.glob("*/examples.py")):
        module = import_module(f"tests.handlers.{path.parent.name}.examples")
        for notice in getattr(module, name, ()):
            found.setdefault(notice.screen, []).append(values_of(notice))
    return found


PRODUCTS = {"alipay_qr": Product("alipay_qr", "支付宝扫码", "Alipay QR")}

EXAMPLES = collected("EXAMPLES")

ORDER = Order(
    merchant_id=ID, id=ID, created_at=AT, order_no="P" + "0" * 19, app_id=ID, mode="live",
    merchant_order_no=HOSTILE, terms=Terms("alipay_qr", Rate(12_000), ID, 120),
    amount=Money(10_000, "CNY"),
    subject=HOSTILE, notify_url=None, return_url=None, client_ip="203.0.113.9", payer_id="",
    metadata={},
    state="pending", version=2, live_attempt_no="A1",
    cost_minor=None, paid_attempt_no=None, paid_how=None, paid_late=False, supplier_open=False,
    disputed=False,
    created_day=date(2026, 11, 21), expires_at=AT + timedelta(minutes=30), paid_at=None,
    paid_day=None,
)  # fmt: skip
ATTEMPT = Attempt(
    merchant_id=ID, attempt_no="A1", order_id=ID, seq=1, supplier_id=ID, supplier_no="S01",
    channel_id=ID, channel_no="C01", channel_day=date(2026, 11, 21), document_id=ID,
    supplier_code="channel-x",
    amount=Money(10_000, "CNY"),
    cost=Tariff.flat(Rate(1)), state="accepted", upstream_no=None, pay=None, said=HOSTILE,
    created_at=AT, sent_at=AT, asked=0, not_found_at=None,
)  # fmt: skip
CONTEXT = CardContext(
    "M1001", HOSTILE, PRODUCTS, "none", "Asia/Shanghai", "预付", staff=True, fee_minor=120,
    rights=frozenset(RIGHTS),
)  # fmt: skip


def buttons(screen: Screen) -> list[str]:
    rows = screen.keyboard.inline_keyboard if screen.keyboard else []
    return [b.callback_data for row in rows for b in row if b.callback_data]


def test_every_screen_has_an_example_and_a_template() -> None:
    assert set(EXAMPLES) == set(VIEWS)
    there = {path.stem for folder in TEMPLATES for path in folder.glob("*.html")}
    # Figures are written on a sheet, as bills are; how a merchant stands is part of receipts,
    # who approved something, the terms of a channel and why money was not read are of several
    # screens, and "alarm" is the end of every alarm.
    helps = {f"help_{topic.name}" for topic in TOPICS}
    alarms = {"alarm", *(f"alarm_{kind}" for kind in ALARMS)}
    asks = {"approval", *(f"ask_{kind}" for kind in ASKS)}
    parts = {
        "app_keys", "approver", "balance_lines", "balance_names", "below", "broadcast",
        "factor_secret", "group_link", "hire_link", "card", "enquiry", "large_lines", "losses",
        "setting_value", "supplier_card", "sheet", "standing", "terms", "unread",
    }  # fmt: skip
    assert there - helps == {*VIEWS, *alarms, *asks, *parts} - {"statistics"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_screens_are_telegrams_html_whatever_people_write(name: str, language: str) -> None:
    for facts in EXAMPLES[name]:
        screen = render_say(Say(Stored(name, facts)), language)
        text = read_html(screen.html)
        assert "None" not in text
        if HOSTILE in str(list(facts.values())):
            assert "<b>&amp;" in text or name in ("complete_dropped", "edited_money", "stale_money")
        for data in buttons(screen):
            assert len(data.encode()) <= MAX_BYTES
            found = read_button(data)
            assert found is not None
            assert found.data() == data


def largest(facts: Any, text: str) -> Any:
    """The facts with everything that people write as long as it can be."""
    if isinstance(facts, dict):
        return {name: largest(value, text) for name, value in facts.items()}
    if isinstance(facts, list):
        return [largest(value, text) for value in facts]
    return text if facts == HOSTILE else facts


MAX_WRITTEN = 500  # no text of people's is kept longer than this
LARGEST = collected("LARGEST")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_largest_message_is_one_that_telegram_takes(name: str, language: str) -> None:
    for facts in [*EXAMPLES[name], *LARGEST.get(name, [])]:
        for written in ("&" * MAX_WRITTEN, "😀" * (MAX_WRITTEN // 2)):  # two units, says Telegram
            text = read_html(render_say(Say(Stored(name, largest(facts, written))), language).html)
            assert len(text.encode("utf-16-le")) // 2 <= 4096


def test_rates_that_find_no_room_are_counted() -> None:
    for facts in LARGEST["rates"]:
        text = read_html(render_say(Say(Stored("rates", facts)), "en").html)
        shown = text.count("product_")
        assert shown >= 2
        left_out = len(facts["lines"]) - shown
        assert (f"… and {left_out} more" in text) == (left_out > 0)


def test_a_question_in_a_merchants_group_names_no_supplier() -> None:
    screen = render_say(Say(CompleteQuestionNotice(ID, COMPLETION)), "zh")
    assert "SECRET" not in screen.html
    assert len(buttons(screen)) == 2


STATES = sorted({state for state, _ in ORDER_NEXT} | set(ORDER_NEXT.values()))


def orders_of(state: str) -> list[Order]:
    """The order in a state with every flag that may stand beside it."""
    order = replace(ORDER, state=state)
    if not order.settled:
        return [replace(order, supplier_open=is_open) for is_open in (False, True)]
    paid = [
        replace(order, paid_at=AT, paid_how=how, paid_late=late, mode="test", cost_minor=65)
        for how in ("reported", "asked", "completed")
        for late in (False, True)
    ]
    disputed = [
        replace(one, disputed=True)
        for one in paid
        if one.paid_how == "completed" and order_after(state, "dispute") is not None
    ]
    return paid + disputed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_with_every_flag_has_words_of_its_own(language: str) -> None:
    heads: dict[str, set[str]] = {}
    for order in (one for state in STATES for one in orders_of(state)):
        text = read_html(render_card(order, [ATTEMPT], CONTEXT, language).html)
        head = text.splitlines()[0]
        assert word("order", order.standing, language) in head
        heads.setdefault(head, set()).add(order.standing)
        said = {"zh": ("补单", "逾期"), "en": ("by hand", "late")}[language]
        for flag, words in (
            (order.paid_how == "completed", said[0]),
            (order.paid_late and not order.disputed, said[1]),
        ):
            assert (words in text) == flag, (order.state, text)
        may_come = {"zh": "仍可能到账", "en": "money may still come"}[language]
        ended = order.state in ("failed", "expired", "closed")
        assert (may_come in text) == (ended and order.supplier_open)
    assert all(len(standings) == 1 for standings in heads.values())
    assert set.union(*heads.values()) == set(WORDS["order"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_whose_completion_was_reversed_does_not_say_that_it_is_paid(language: str) -> None:
    disputed = [order for order in orders_of("paid") if order.disputed]
    assert disputed
    for order in disputed:
        text = read_html(render_card(order, [ATTEMPT], CONTEXT, language).html)
        for words in ("✅", "已支付 ·", "手续费", "Fee ", "Paid "):
            assert words not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_cards(state: str, language: str) -> None:
    order = orders_of(state)[-1]
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
        for action in ("why", "log"):
            assert OnCard(ID, action).data() in buttons(screen)
            assert OnCard(ID, action).data() not in buttons(hidden)
        assert "S01" not in hidden.html
    assert read_html(render_card(ORDER, [], CONTEXT, language).html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", sorted(WORDS["attempt"]))
def test_suppliers_cards(state: str, language: str) -> None:
    attempt = replace(ATTEMPT, state=state, upstream_no="<77&1>")
    paid = replace(ORDER, state="paid", paid_at=AT, mode="test")
    for order in (ORDER, paid):
        screen = render_supplier_card(order, [attempt, attempt], "Asia/Shanghai", language)
        text = read_html(screen.html)
        for part in ("A1", "<77&1>", "100.00 CNY", "S01", "channel-x"):
            assert text.count(part) >= 2, part
        assert buttons(screen) == []
        for secret in (HOSTILE, order.order_no, "M1001"):
            assert secret not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_supplier_is_asked_without_a_word_of_the_merchant(language: str) -> None:
    asked = Enquiry(
        id=ID, merchant_id=ID, order_id=ID, supplier_id=ID, attempt_no="A1", from_chat_id=-1,
        from_message_id=1, media=(), state="open", asked_at=AT, asked_by_name=HOSTILE,
        answered_at=None, taken_by_name="", chased_at=None, chases=0, album=None,
        gathered_at=None,
    )  # fmt: skip
    shown = set[str]()
    for enquiry in (
        asked,
        replace(asked, taken_by_name="<Li>"),
        replace(asked, state="answered", taken_by_name="<Li>"),
        replace(asked, state="paid"),
        replace(asked, state="closed"),
    ):
        view = EnquiryView(enquiry, Money(10_000, "CNY"), AT, "<77&1>", "Asia/Shanghai")
        screen = render_enquiry(view, language)
        text = read_html(screen.html)
        shown.add(text)
        assert [part for part in ("A1", "100.00 CNY", "<77&1>") if part not in text] == []
        assert HOSTILE not in text
        assert ("<Li>" in text) == bool(enquiry.taken_by_name)
        assert bool(buttons(screen)) == (enquiry == asked)
    assert len(shown) == 5


def test_staff_see_channel_cost_and_margin_once_an_order_is_paid() -> None:
    paid = replace(ORDER, state="paid", paid_at=AT, paid_how="reported", cost_minor=130)
    text = read_html(render_card(paid, [ATTEMPT], CONTEXT, "zh").html)
    assert "C01" in text
    assert "成本 1.30 · 利润 -0.10" in text
    for order, context in (
        (ORDER, CONTEXT), (paid, replace(CONTEXT, staff=False)),
        (replace(paid, disputed=True), CONTEXT),
    ):  # fmt: skip
        assert "利润" not in render_card(order, [ATTEMPT], context, "zh").html


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
    toasts = (
        reason_wanted(language),
        notified_again(language),
        already_done(language),
        *(supplier_says(state, language) for state in WORDS["standing"]),
        *(word("channel_move", move, language) for move in WORDS["channel_move"]),
    )
    assert all(0 < len(toast) <= MAX_TOAST_CHARS for toast in toasts)
    for count in (0, 1, 200):
        assert str(count) in sent_again(count, language)


def test_a_card_offers_what_those_who_read_it_may_do() -> None:
    """In private one person, in ops all staff, elsewhere the merchant's people, and staff the rest
    behind a button of its own."""
    paid = replace(
        ORDER, state="paid", paid_at=AT, paid_day=AT.date(), paid_how="reported", cost_minor=50
    )
    merchants, operators = ROLES["merchant_staff"], ROLES["operator"]
    for order, staff, rights, offered in (
        (ORDER, True, RIGHTS, "ask chase complete why log"),
        (ORDER, True, operators, "ask chase complete why log"),
        (ORDER, True, operators - {"complete", "see_channel"}, "ask chase"),
        (ORDER, False, merchants, "ask chase more"),
        (paid, True, RIGHTS, "notify refund why log"),
        (paid, True, operators, "notify why log"),
        (paid, True, frozenset(), ""),
        (paid, False, merchants, "more"),
        (replace(paid, state="refunded"), False, merchants, "more"),
    ):
        context = replace(CONTEXT, staff=staff, rights=frozenset(rights), notification="delivered")
        screen = render_card(order, [ATTEMPT], context, "en")
        assert [one.split(":")[1] for one in buttons(screen)] == offered.split(), order.state
