"""A desk in several currencies: whose counts where, and how one asks for another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.delivery.outbox import Bill, DeskBill, Fact, Say
from core.kernel.holder import HOUSE
from core.reports.exports import Taken
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.day_buttons import OpenChart, OpenExport, TurnBill
from handlers.screens import render_say
from tests.core.abroad import open_shop, open_supplier
from tests.handlers.support import ADMIN, FINANCE, HENGTONG, OPERATOR, OPS, SPRUCE, Desk
from tests.handlers.telegram_html import read_html

DAYS = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
async def wide(desk: Desk) -> Desk:
    """With a merchant and a supplier in Kuwait, each in the group of another."""
    runtime = desk.runtime
    merchant, _ = await open_shop(runtime, "KWD", "M3001")
    supplier = await open_supplier(runtime, "KWD")
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_merchant(tx, SPRUCE, merchant.id)
        await runtime.people.groups.bind_supplier(tx, HENGTONG, supplier.id)
    return desk


async def waiting(desk: Desk) -> list[Taken]:
    queue, found = desk.runtime.reports.exports.queue, []
    while (taken := await queue.take()) is not None:
        found.append(taken)
        await queue.finish(taken, digest="", file_id="")
    return found


def refusal(facts: list[Fact]) -> tuple[str, dict[str, Any]]:
    (said,) = facts
    assert isinstance(said, Say)
    return said.facts["code"], said.facts["facts"]


async def test_the_platforms_books_are_asked_for_by_currency(wide: Desk) -> None:
    for text, currency in (("账单", "CNY"), ("账单 KWD", "KWD"), ("/bill kwd yesterday", "KWD")):
        (bill,) = await wide.say(FINANCE, OPS, text)
        assert isinstance(bill, DeskBill)
        assert (bill.supplier_id, bill.currency) == (None, currency)
    for text, currency in (("导出", "CNY"), ("导出 KWD", "KWD"), ("图表 kwd", "KWD"),
                           ("/export csv KWD", "KWD")):  # fmt: skip
        assert await wide.say(FINANCE, OPS, text) == []
        (taken,) = await waiting(wide)
        assert (taken.paper.holder, taken.paper.currency) == ("p", currency)
    for text, currency, other in (("实时统计", "CNY", "KWD"), ("今日跑量 KWD", "KWD", "CNY")):
        said = await wide.said(FINANCE, OPS, text)
        assert (said.facts["currency"], said.facts["also"]) == (currency, [other])
        assert f"另有：{other}" in read_html(render_say(said, "zh").html)
    nobodys = ("currency_not_here", {"currency": "EUR", "currencies": "CNY, KWD"})
    for text in ("账单 EUR", "导出 EUR", "实时统计 EUR"):
        assert refusal(await wide.say(FINANCE, OPS, text)) == nobodys
    assert refusal(await wide.say(OPERATOR, OPS, "账单 EUR"))[0] == "not_permitted"
    (cut,) = await wide.say(ADMIN, OPS, "日切 06:00")
    assert isinstance(cut, Say)
    assert cut.screen == "day_cut_set"
    assert await waiting(wide) == []


async def test_in_the_groups_of_others_their_own_counts(wide: Desk) -> None:
    both = await wide.say(OPERATOR, SPRUCE, "账单")
    souq = (await wide.runtime.parties.merchants.by_no("M3001")).id
    gulf = (await wide.runtime.parties.suppliers.by_no("S77")).id
    assert len(both) == 2
    (bill,) = await wide.say(OPERATOR, SPRUCE, "账单 KWD")
    assert isinstance(bill, Bill)
    assert bill.merchant_id == str(souq)
    (theirs,) = await wide.say(OPERATOR, HENGTONG, "账单 KWD")
    assert isinstance(theirs, DeskBill)
    assert (theirs.supplier_id, theirs.currency) == (str(gulf), None)
    assert await wide.say(OPERATOR, SPRUCE, "导出 KWD") == []
    (taken,) = await waiting(wide)
    assert (taken.paper.holder_id, taken.paper.currency) == (souq, "KWD")
    for user_id, chat_id, text, currencies in (
        (OPERATOR, SPRUCE, "账单 USD", "CNY, KWD"), (OPERATOR, SPRUCE, "导出 USD", "CNY, KWD"),
        (OPERATOR, SPRUCE, "/stats M1001 KWD", "CNY"), (OPERATOR, HENGTONG, "图表 S77 CNY", "KWD"),
        (OPERATOR, OPS, "账单 M3001 CNY", "KWD"),
    ):  # fmt: skip
        code, said = refusal(await wide.say(user_id, chat_id, text))
        assert (code, said["currencies"]) == ("currency_not_here", currencies), text
    assert await waiting(wide) == []


async def test_buttons_keep_the_currency(wide: Desk) -> None:
    turn = TurnBill("p", HOUSE, "yesterday", currency="KWD")
    (bill,) = await wide.press(FINANCE, OPS, turn.data())
    assert isinstance(bill, DeskBill)
    assert bill.currency == "KWD"
    for button in (
        OpenChart("p", HOUSE, *DAYS, currency="KWD"),
        OpenChart("p", HOUSE, *DAYS, replace=True, currency="KWD"),
        OpenExport("excel", "p", HOUSE, *DAYS, currency="KWD"),
    ):
        await wide.press(FINANCE, OPS, button.data())
        (taken,) = await waiting(wide)
        assert taken.paper.currency == "KWD"
    for forged in ("bill:pEUR:today", "bill:pXXX:today", "bill:pkwd:today", "bill:p':today",
                   f"chart:pEUR:{20261101}-{20261130}"):  # fmt: skip
        assert await wide.press(FINANCE, OPS, forged) == []
        assert await waiting(wide) == []


def test_the_longest_button_fits() -> None:
    for currency in (None, "KWD", "USDT"):
        for button in (
            TurnBill("p", HOUSE, "this_month", fresh=True, currency=currency),
            OpenChart("p", HOUSE, *DAYS, replace=True, currency=currency),
            OpenExport("excel", "p", HOUSE, *DAYS, currency=currency),
        ):
            data = button.data()
            assert len(data.encode()) <= MAX_BYTES
            assert read_button(data) == button


@pytest.mark.parametrize("text", ["/discrepancies", "授信", "/adjust -20 x"])
async def test_a_suppliers_group_is_not_told_to_name_merchants(desk: Desk, text: str) -> None:
    said = await desk.said(FINANCE, HENGTONG, text)
    assert said.facts["code"] == "merchant_not_here"
    zh, en = (read_html(render_say(said, language).html) for language in ("zh", "en"))
    assert "供应商群" in zh
    assert "This is a supplier's group" in en
    assert "M1001" not in zh + en
