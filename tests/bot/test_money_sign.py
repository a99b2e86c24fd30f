"""One sign everywhere: an advance is positive, what is taken back negative, on every screen and in
every file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.file_builder import Builder, Progress
from bot.painter import Painter
from core.accounts.vouchers import Advance, Cause
from core.delivery.outbox import Bill, DeskBill, Say
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.reports.exports import Paper
from core.runtime import Runtime
from handlers.bills.screens import PrepaidHistory
from handlers.screens import render_say
from tests.bench.formulas import Sheets
from tests.core.support import CHAT, FINANCE, OPS_CHAT, SetClock, facts

ADVANCED, TAKEN_BACK, LEFT = 123_456, -34_567, 88_889
# A figure with the sign before it, as screens and files write it.
FIGURE = re.compile(r"([+\-−]?)\s?(1,?234\.56|345\.67|888\.89)(?!\d)")
SIGNS = {"1234.56": "+", "345.67": "-", "888.89": "+"}


@pytest.fixture
async def days(runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App]) -> Days:
    """A day on which M1001 was advanced 1,234.56 and gave 345.67 back."""
    clock.go_to_noon()
    actor = await runtime.people.access.actor(FINANCE, "Lin", CHAT, private=False)
    for number, minor in enumerate((ADVANCED, TAKEN_BACK), start=1):
        advance = Advance(Money(minor, "CNY"), "")
        await runtime.accounts.prepayments.record(actor, shop[0], advance, Cause(CHAT, number, 1))
    return Days.one(await runtime.reports.bills.open_day(shop[0].id))


def signs(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Each figure that was found, with its sign."""
    found = FIGURE.findall("\n".join(texts))
    return [(figure.replace(",", ""), sign.replace("−", "-")) for sign, figure in found]


def assert_one_sign(texts: list[str], *wanted: str) -> None:
    """wanted: figures that must be there. A plus may be left out."""
    found = signs(texts)
    assert set(wanted) <= {figure for figure, _ in found}
    assert [(figure, sign) for figure, sign in found if (sign or "+") != SIGNS[figure]] == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_on_every_screen(
    runtime: Runtime, shop: tuple[Merchant, App], days: Days, language: str
) -> None:
    merchant = shop[0]
    chats = (CHAT, OPS_CHAT)
    async with runtime.system.store.transaction() as tx:
        await tx.execute("UPDATE chat_group SET language = $1", language)
    said = [fact for fact in await facts(runtime, CHAT) if isinstance(fact, Say)]
    assert_one_sign([render_say(one, language).html for one in said], "1234.56", "345.67")
    painter = Painter(runtime)
    for chat_id in chats:
        group = await runtime.people.groups.find(chat_id)
        bill, _ = await painter.bill(chat_id, group, Bill(str(merchant.id)), stays=True)
        assert_one_sign([bill.html, str(bill.rich)], "1234.56", "345.67", "888.89")
    platform, _ = await painter.desk_bill(OPS_CHAT, DeskBill(), stays=True)
    assert_one_sign([platform.html, str(platform.rich)], "888.89")
    page = await runtime.accounts.vouchers.page(
        merchant.id, "prepayment", (days.first, days.last), 1
    )
    history = PrepaidHistory(
        "m", merchant.id, merchant.merchant_no, merchant.name, "CNY", "UTC", days.first,
        days.last, 1, 1, page.count, page.sum_minor, page.lines,
    )  # fmt: skip
    assert_one_sign([render_say(Say(history), language).html], "1234.56", "345.67", "888.89")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_in_every_file(
    runtime: Runtime, shop: tuple[Merchant, App], days: Days, language: str, tmp_path: Path
) -> None:
    builder = Builder(runtime)
    papers = (Paper("excel", "m", shop[0].id, days), Paper("excel", "p", HOUSE, days))
    for paper in papers:
        book = await builder.file(paper, language, tmp_path, Progress())
        assert book.path is not None
        sheets = Sheets(book.path)
        assert sheets.wrong() == []
        assert_one_sign(list(figures(sheets)), "888.89")
    table = await builder.file(
        Paper("csv", "m", shop[0].id, days, table="prepayments"), language, tmp_path, Progress()
    )
    assert table.path is not None
    with table.path.open(encoding="utf-8-sig", newline="") as file:
        assert_one_sign([cell for row in csv.reader(file) for cell in row], "1234.56", "345.67")


def figures(sheets: Sheets) -> Iterable[str]:
    """The cells of all sheets, numbers as amounts."""
    for name in sheets.names:
        for row in sheets.formulas[name].values:
            for cell in row:
                yield _written(cell)


def _written(cell: Any) -> str:
    return f"{Decimal(str(cell)):.2f}" if isinstance(cell, int | float | Decimal) else str(cell)
