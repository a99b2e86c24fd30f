"""The receipt of a message of many lines, as people see and press it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.accounts.vouchers import VoucherReceipt
from core.delivery.outbox import Say
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.refusals import already_done
from handlers.money.buttons import UndoVoucher
from handlers.screens import render_say
from tests.handlers.money.examples import (
    ADJUSTED,
    ADJUSTED_UNDONE,
    PAID_IN,
    PAID_IN_UNDONE,
    PREPAID,
)
from tests.handlers.money.test_prepayments import balance
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    OPERATOR,
    OPS,
    SPRUCE,
    Desk,
    labelled,
    one_say,
)  # fmt: skip
from tests.handlers.telegram_html import read_html

TWENTY = "\n".join(f"+{n * 100} 第{n}笔" for n in range(1, 21))


def labels(receipt: Say) -> list[list[str]]:
    """The buttons under a receipt, row by row."""
    keyboard = render_say(receipt, "zh").keyboard
    return [[b.text for b in row] for row in keyboard.inline_keyboard] if keyboard else []


async def test_twenty_lines_are_one_receipt_with_a_button_for_each(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, TWENTY)
    assert receipt.screen == "receipt"
    for language in ("zh", "en"):
        screen = render_say(receipt, language)
        text = read_html(screen.html)
        for n, line in enumerate(receipt.facts["lines"], 1):
            assert f"{n}. +{n * 100:,}.00 · {line['record_no']} · 第{n}笔" in text
            assert f"{line['before_minor'] / 100:,.2f} → {line['after_minor'] / 100:,.2f}" in text
        assert "+21,000.00 CNY" in text
        assert receipt.facts["lines"][0]["actor_name"] in text
        assert text.count("\n\n") == 3, "nothing stands between its lines"
        assert screen.keyboard is not None
        for row in screen.keyboard.inline_keyboard:
            assert len(row) <= 5
            for button in row:
                assert button.callback_data is not None
                assert len(button.callback_data.encode()) <= MAX_BYTES
                assert isinstance(read_button(button.callback_data), UndoVoucher)
    assert [label for row in labels(receipt) for label in row] == [f"↩️ {n}" for n in range(1, 21)]
    assert await balance(desk) == 2_100_000


async def test_more_lines_than_a_receipt_holds_are_refused(desk: Desk) -> None:
    refused = await desk.said(OPERATOR, SPRUCE, TWENTY + "\n+5.50")
    assert (refused.screen, refused.facts["why"]) == ("money_unreadable", "too_many")
    assert await balance(desk) == 0


async def test_undoing_a_line_strikes_it_and_leaves_the_others(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+100\n+200 房租\n+300")
    undone, struck = await desk.press(OPERATOR, SPRUCE, labelled(receipt, "↩️ 2"), message_id=500)
    assert isinstance(undone, Say)
    assert isinstance(struck, Say)
    assert (undone.screen, undone.reply_to) == ("prepaid_undone", 500)
    assert (struck.screen, struck.edit_message_id) == ("receipt", 500)
    html = render_say(struck, "zh").html
    assert f"<s><b>+200.00</b> · {receipt.facts['lines'][1]['record_no']} · 房租</s>" in html
    assert html.count("<s>") == 1
    assert undone.facts["record_no"] in html
    assert labels(struck) == [["↩️ 1", "↩️ 3"]]
    assert "+400.00 CNY" in html
    assert await balance(desk) == 40_000
    await desk.press(OPERATOR, SPRUCE, labelled(receipt, "↩️ 2"), message_id=500)
    assert desk.toast == already_done("zh")
    await desk.press(OPERATOR, SPRUCE, labelled(receipt, "↩️ 3"), message_id=500)
    assert desk.toast == ""
    *_, last = await desk.press(OPERATOR, SPRUCE, labelled(receipt, "↩️ 1"), message_id=500)
    assert desk.toast == ""
    assert isinstance(last, Say)
    assert labels(last) == []
    assert await balance(desk) == 0


async def test_two_people_undo_two_lines_at_once_and_both_stay_struck(desk: Desk) -> None:
    receipt = await desk.said(ADMIN, OPS, "+100 M1001\n+200 M1002\n+300 M1001")
    first, second = (labelled(receipt, f"↩️ {n}") for n in (1, 2))
    await asyncio.gather(
        desk.press(ADMIN, OPS, first, message_id=500),
        desk.press(ADMIN, OPS, second, message_id=500),
    )
    struck = await desk.runtime.system.store.fetchval(
        "SELECT facts->'facts'->'lines' FROM outbox WHERE chat_id = $1"
        " AND facts->>'edit_message_id' = '500' ORDER BY created_at DESC, id DESC LIMIT 1", OPS,
    )  # fmt: skip
    assert [bool(line.get("undone_by")) for line in struck] == [True, True, False]


async def test_each_line_of_another_is_asked_about_by_itself(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+100\n+200")
    questions = [
        one_say(await desk.press(FINANCE, SPRUCE, labelled(receipt, f"↩️ {n}"), message_id=500))
        for n in (1, 2)
    ]
    assert [q.facts["doubts"][0]["minor"] for q in questions] == [10_000, 20_000]
    assert await desk.press(FINANCE, SPRUCE, labelled(receipt, "↩️ 1"), message_id=500) == []
    said = await desk.press(FINANCE, SPRUCE, labelled(questions[1], "Undo"), message_id=800)
    screens = [fact.screen for fact in said if isinstance(fact, Say)]
    assert screens == ["prepaid_undone", "receipt", "slip_confirmed"]
    assert await balance(desk) == 10_000


async def test_a_suppliers_lines_and_usdt_are_told_alike(desk: Desk) -> None:
    receipt = await desk.said(FINANCE, HENGTONG, "+100u/7.2 \n+50")
    html = render_say(receipt, "en").html
    assert "Paid in by the supplier · 2 lines" in html
    assert "100.00 USDT × 7.2" in html
    assert "100.00 USDT × 7.2 · 0.00 → 720.00" in html
    assert "Overpaid by the supplier 0.00 → <b>770.00</b>" in html
    crossing = await desk.said(FINANCE, SPRUCE, "+50\n-20\n+1.00")
    assert "Prepaid balance 0.00 → <b>31.00</b>" in render_say(crossing, "en").html
    question = await desk.said(FINANCE, SPRUCE, "-2.00\n-40")
    booked = await desk.press(FINANCE, SPRUCE, labelled(question, "Book"), message_id=800)
    assert isinstance(booked[0], Say)
    assert "Owed to the merchant <b>11.00</b>" in render_say(booked[0], "en").html


async def test_ops_hears_of_a_private_message_once(desk: Desk) -> None:
    await desk.said(FINANCE, FINANCE, "+100 M1001\n+200 M1002")
    rows = await desk.runtime.system.store.fetch(
        "SELECT facts FROM outbox WHERE facts->>'screen' = 'deed' AND chat_id = $1", OPS
    )
    (deed,) = [row["facts"]["facts"] for row in rows]
    assert [one["holder_no"] for one in deed["deeds"]] == ["M1001", "M1002"]


def test_a_receipt_shows_what_happened() -> None:
    text = read_html(render_say(Say(PREPAID), "zh").html)
    for part in ("+720.00 CNY", "100.00 USDT × 7.2", "0.00 → 720.00", "M1001-3", "100%",
                 "11-21 09:03:27", "🟩" * 10):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("receipt", "parts"),
    [
        (PREPAID, ("📎", "Prepaid +720.00", "Prepaid balance 0.00 → 720.00", "M1001 ")),
        (ADJUSTED, ("in the merchant's favour", "Prepaid balance 0.00 → 720.00")),
        (
            replace(ADJUSTED, before_minor=0, after_minor=-2_000),
            ("Owed to the merchant 0.00 → 20.00",),
        ),
        (
            replace(ADJUSTED_UNDONE, before_minor=-2_000, after_minor=0),
            ("Owed to the merchant 20.00 → 0.00",),
        ),
        (
            replace(ADJUSTED, before_minor=500, after_minor=-2_000),
            ("Prepaid balance 5.00 → Owed to the merchant 20.00",),
        ),
        (PAID_IN, ("📎", "Paid in by the supplier", "owes us 0.00 → 720.00", "S01 ")),
        (PAID_IN_UNDONE, ("Undone: M1001-2", "owes us 0.00 → 720.00", "S01 ")),
    ],
)
def test_receipts_of_every_kind_say_whose_and_how_it_stands(
    receipt: VoucherReceipt, parts: tuple[str, ...]
) -> None:
    text = read_html(render_say(Say(receipt), "en").html) + " "
    for part in parts:
        assert part.strip() in text
    if not receipt.screen.endswith("_undone"):
        struck = render_say(Say(replace(receipt, undone_by="x", undone_no="S01-4")), "en")
        assert "<s>" in struck.html
        assert struck.keyboard is None
