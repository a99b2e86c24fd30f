"""Bills as people see them: as a rich message and as HTML, which say the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiogram.types import InputRichMessage
from hypothesis import given
from hypothesis import strategies as st

from core.books import MerchantBalance
from core.kernel.days import Days
from core.kernel.money import parse_money
from core.reports.bills import (
    Bill,
    ChannelLine,
    CompletedLine,
    DayLine,
    HandedOut,
    MerchantLine,
    Movement,
    PlatformBill,
    ProductLine,
    SupplierBill,
    SupplierDueLine,
    SupplierLine,
    VoucherLine,
)
from core.supply.channels import Product
from handlers.bills.merchant import render_bill
from handlers.bills.platform import render_platform_bill
from handlers.bills.supplier import render_supplier_bill
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.screen import Screen, percent
from tests.handlers.telegram_html import read_html

LANGUAGES = ("zh", "en")
HOSTILE = "<b>&amp;\"'</code>%s %(x)s {y} \u202e"
ID = UUID("019a0000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 21, 1, 3, 27, tzinfo=UTC)
DAY = date(2026, 11, 21)
PRODUCTS = {"alipay_qr": Product("alipay_qr", "支付宝扫码", "Alipay QR")}
MAX_RICH_CHARS = 32_768
MAX_BLOCKS = 500
PHONE_COLUMNS = 4
HUGE = 10**15


def voucher(no: str, minor: int, who: str, **more: object) -> VoucherLine:
    line = VoucherLine(AT, no, minor, minor, "CNY", "", who, "", False, "", ID)
    return replace(line, **more)  # type: ignore[arg-type]  # the fields of a VoucherLine


BILL = Bill(
    merchant_id=ID, merchant_no="M1001", merchant_name=HOSTILE, currency="CNY",
    zone="Asia/Shanghai", days=Days.one(DAY), open=True, starts_at=AT,
    ends_at=AT + timedelta(days=1), opening_minor=-50_000,
    products=(
        ProductLine("alipay_qr", 6, 5, 6, 100_000, 1_200, 98_800),
        ProductLine("gone", 0, 0, 1, 500, 0, 500, -2, -4_600, -55),
    ),
    channels=(ChannelLine("C01", "alipay_qr", 6, 100_000, 1_200, 650),),
    carried=3,
    movements=(Movement("refunds", -7_000, -80, 2), Movement("adjustments", -1, 0, 1)),
    prepaid_minor=150_000,
    prepaid_lines=(
        voucher("M1001-1", 100_000, HOSTILE, remark=HOSTILE, undone_by=HOSTILE),
        voucher(
            "M1001-2", 72_000, "王浩", original_minor=100_000_000, original_currency="USDT",
            conversion_rate="7.2", proof=True,
        ),
    ),
    prepaid_count=7,
    completed_lines=(
        CompletedLine(AT, "P26112100000017", 45_600, HOSTILE, ""),
        CompletedLine(AT, "P26112100000027", 65_400, "王浩", HOSTILE),
    ),
    completed_count=2, closing_minor=-107_701, advanced_minor=200_000, unpaid=2, by_day=(),
)  # fmt: skip
SUPPLIER = SupplierBill(
    supplier_id=ID, supplier_no="S01", supplier_name=HOSTILE, currency="CNY",
    zone="Asia/Shanghai", days=Days.one(DAY), open=False, starts_at=AT,
    ends_at=AT + timedelta(days=1), opening_minor=10_000,
    lines=(SupplierLine("C01", "alipay_qr", 6, 100_000, 650, 1, 20_000, 130),),
    paid_in_minor=50_000,
    paid_in_lines=(voucher("S01-1", 50_000, "周敏"),), paid_in_count=1, closing_minor=59_350,
    suspense_minor=9_900,
)  # fmt: skip
PLATFORM = PlatformBill(
    currency="CNY", zone="Asia/Shanghai", days=Days.one(DAY), open=True, starts_at=AT,
    ends_at=AT + timedelta(days=1), opening_minor=0, created=6, products=BILL.products,
    channels=BILL.channels,
    merchants=(
        MerchantLine("M1001", HOSTILE, 6, 100_000, 1_200, 650, MerchantBalance(50_000, 57_701, 0)),
        MerchantLine("M1002", "Northwind", 1, 500, 0, 0, MerchantBalance(0, 0, 50_000)),
    ),
    suppliers=(SupplierDueLine("S01", HOSTILE, 100_000, 650, 50_000, 59_350),),
    movements=BILL.movements, prepaid_minor=150_000, fee_minor=1_120, cost_minor=650,
    shortfall_minor=-100, adjust_minor=1, fx_minor=72_000, paid_out_minor=78_000,
    handed_out=(HandedOut("USDT", "7.2", "CNY", 3, 100_000_000, 72_000),),
    closing_minor=-57_701, suspense_minor=9_900,
)  # fmt: skip


def of_days(count: int) -> Bill:
    """A bill of so many days."""
    days = tuple(
        DayLine(DAY - timedelta(days=n), n, 10_000, 120, 9_880, 1_000 * (n % 2), -n, 0, 0, -n, 0)
        for n in range(count - 1, -1, -1)
    )
    return replace(BILL, days=Days(days[0].day, DAY), by_day=days)


def shown(bill: Bill, language: str, *, live: bool = False, staff: bool = False) -> Screen:
    return render_bill(
        bill, label="预付", language=language, live=live, products=PRODUCTS, staff=staff
    )


def all_of(language: str) -> list[Screen]:
    """Every sheet there is."""
    return [
        shown(BILL, language), shown(BILL, language, live=True, staff=True),
        shown(of_days(2), language), shown(of_days(31), language, staff=True),
        shown(of_days(366), language),
        render_supplier_bill(SUPPLIER, language=language, products=PRODUCTS),
        render_platform_bill(PLATFORM, language=language, products=PRODUCTS),
    ]  # fmt: skip


def flatten(value: object) -> str:
    """The text of a rich message's JSON."""
    if isinstance(value, dict):
        inner = [value[key] for key in ("text", "blocks", "cells") if key in value]
        return " ".join(flatten(part) for part in inner)
    if isinstance(value, list):
        return " ".join(flatten(part) for part in value)
    return str(value)


def rich_text(screen: Screen) -> str:
    """What the rich form says. Fails where Telegram or a telephone would not show it."""
    assert screen.rich is not None
    InputRichMessage.model_validate(screen.rich)
    blocks = screen.rich["blocks"]
    assert sum(1 + len(block.get("cells", [])) for block in blocks) <= MAX_BLOCKS
    assert all(len(row) <= PHONE_COLUMNS for block in blocks for row in block.get("cells", []))
    text = flatten(screen.rich)
    assert len(text) <= MAX_RICH_CHARS
    return text


FIGURE = re.compile(r"[+-]?[\d,]+\.\d{2}\b|\d+\.\d+%|\d+%|\d{2}-\d{2}|M1001-\d")


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_forms_say_the_same(language: str) -> None:
    for screen in all_of(language):
        text, rich = read_html(screen.html), rich_text(screen)
        assert sorted(FIGURE.findall(text)) == sorted(FIGURE.findall(rich))
        assert "None" not in text
        assert screen.keyboard is not None
        for button in [b for row in screen.keyboard.inline_keyboard for b in row]:
            assert button.callback_data is not None
            assert len(button.callback_data.encode()) <= MAX_BYTES
            found = read_button(button.callback_data)
            assert found is not None
            assert found.data() == button.callback_data


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_merchants_bill(language: str) -> None:
    text = read_html(shown(BILL, language).html)
    for part in (
        "500.00", "993.00", "-70.00", "-0.01", "1,500.00", "1,077.01", "83.3%", "–", "1.20%",
        "6/6", "1/0", "M1001-2", "100.00 USDT × 7.2", "📎", "53%", "456.00",
        "654.00", "-2", "-46.00", "-0.55",
        "P26112100000017", "11-21 09:03", "-70.80", "0.80", "11.20",
    ):  # fmt: skip
        assert part in text, part
    assert "3 of the paid orders were" in text or "有 3 笔为往日下单" in text
    assert "C01" not in text
    assert "6.50" not in text
    staff = read_html(shown(BILL, language, staff=True).html)
    for part in ("C01", "6.50", "+5.50"):
        assert part in staff, part


NOTHING = MerchantBalance(0, 0, 0)
EVERYTHING = MerchantBalance(HUGE, HUGE, HUGE)
OVER = "−"  # before a name whose amount is taken off
Ends = tuple[tuple[str, ...], tuple[str, ...]]  # how the lines of both ends begin
# Plus, minus; the ends of merchants' bills, the platform's, suppliers'.
ADDS_UP: dict[str, tuple[str, str, Ends, Ends, Ends]] = {
    "zh": (
        "加：", "减：", (("期初预付余额", "期初商户欠款"), ("期末预付余额", "期末商户欠款")),
        (("期初净额",), ("期末净额",)),
        (("期初应结", OVER + "期初供应商多付"), ("期末应结", OVER + "期末供应商多付")),
    ),
    "en": (
        "Add: ", "Less: ",
        (
            ("Opening prepaid balance", "Owed by the merchant before"),
            ("Closing prepaid balance", "Owed by the merchant now"),
        ),
        (("Opening balance, net",), ("Closing balance, net",)),
        (
            ("Due at the start", OVER + "Overpaid by the supplier at the start"),
            ("Due at the end", OVER + "Overpaid by the supplier at the end"),
        ),
    ),
}  # fmt: skip
MINOR = st.integers(-(10**13), 10**13)


def minor(line: str) -> int:
    """The amount at the end of a line."""
    return parse_money(line.rsplit(" ", 1)[1].replace(",", ""), "CNY").minor


def read_again(screen: Screen, language: str, ends: Ends) -> tuple[int, int]:
    """(the closing that opening, what is added and what is taken off come to; the shown one)."""
    add, less, *_ = ADDS_UP[language]
    lines = read_html(screen.html).splitlines()
    of = {sign: [minor(line) for line in lines if line.startswith(sign)] for sign in (add, less)}
    opening, closing = (
        [
            -minor(x) if name.startswith(OVER) else minor(x)
            for x in lines
            for name in names
            if x.startswith(name.removeprefix(OVER))
        ]
        for names in ends
    )
    assert opening
    assert closing
    return sum(opening) + sum(of[add]) - sum(of[less]), sum(closing)


@given(
    before=MINOR, prepaid=MINOR, net=MINOR, moved=st.lists(MINOR, min_size=4, max_size=4),
    language=st.sampled_from(LANGUAGES),
)  # fmt: skip
def test_every_bill_is_added_again_as_its_reader_reads_it(
    before: int, prepaid: int, net: int, moved: list[int], language: str
) -> None:
    _, _, of_merchants, of_platform, of_suppliers = ADDS_UP[language]
    movements = (
        Movement("reratings", moved[0], 0, 1),
        Movement("refunds", moved[1], 0, 1),
        Movement("credits", moved[2], 0, 1),
        Movement("adjustments", moved[3], 0, 1),
    )
    products = (ProductLine("alipay_qr", 1, 1, 1, net, 0, net),)
    after = before + net + sum(moved) - prepaid
    figures: dict[str, Any] = {
        "products": products, "movements": movements, "prepaid_minor": prepaid,
        "opening_minor": before, "closing_minor": after,
    }  # fmt: skip
    bill = shown(replace(BILL, **figures), language)
    platform = render_platform_bill(
        replace(PLATFORM, **figures), language=language, products=PRODUCTS
    )
    for screen, ends in ((bill, of_merchants), (platform, of_platform)):
        assert read_again(screen, language, ends) == (-after, -after)
    line = SupplierLine("C01", "alipay_qr", 1, net, moved[0])
    due = before + line.due_minor - prepaid
    supplier = replace(
        SUPPLIER, lines=(line,), paid_in_minor=prepaid, opening_minor=before, closing_minor=due
    )
    screen = render_supplier_bill(supplier, language=language, products=PRODUCTS)
    assert read_again(screen, language, of_suppliers) == (due, due)
    overpaid = {"zh": "期末供应商多付", "en": "Overpaid by the supplier at the end"}[language]
    assert (overpaid in read_html(screen.html)) == (due < 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_moved_nothing_has_no_line(language: str) -> None:
    quiet = replace(
        BILL, products=(), channels=(), movements=(), prepaid_lines=(), prepaid_count=0,
        completed_lines=(), completed_count=0,
        prepaid_minor=0, closing_minor=0, opening_minor=0, advanced_minor=0, unpaid=0, carried=0,
        open=False,
    )  # fmt: skip
    for staff in (True, False):
        text = read_html(shown(quiet, language, staff=staff).html)
        assert len(text.splitlines()) == 9
    owed = read_html(shown(replace(quiet, closing_minor=5), language).html)
    assert "0.05" in owed


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bill_of_several_days_has_a_row_a_day(language: str) -> None:
    screen = shown(of_days(20), language)
    text = read_html(screen.html)
    assert "2026-11-02 – 2026-11-21" in text
    for day in of_days(20).by_day:
        assert f"{day.day:%m-%d}" in text
    many = read_html(shown(of_days(366), language).html)
    assert "2025-11-21 – 2026-11-21" in many
    assert "366" in many
    assert "11-21" in many
    days = of_days(3)
    quiet = replace(
        days.by_day[1], paid=0, amount_minor=0, net_minor=0, prepaid_minor=0, other_minor=0
    )
    without = replace(days, by_day=(days.by_day[0], quiet, days.by_day[2]))
    text = read_html(shown(without, language).html)
    assert [f"{day.day:%m-%d} " in text for day in days.by_day] == [True, False, True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_live_bill_stays_what_it_is(language: str) -> None:
    for live in (True, False):
        keyboard = shown(BILL, language, live=live).keyboard
        assert keyboard is not None
        (turns, spans, detail, files) = keyboard.inline_keyboard
        others = [*turns, *spans]
        assert [(b.callback_data or "").endswith(":new") for b in others] == [live] * 7
        assert [(b.callback_data or "")[:5] for b in files] == ["chart", "excel"]
        assert [(b.callback_data or "")[:5] for b in detail] == ["paid:", "done:"]
        assert all((b.callback_data or "").endswith(":new") for b in detail)
    staff = shown(BILL, language, staff=True).keyboard
    assert staff is not None
    kinds = [(b.callback_data or "")[:5] for b in staff.inline_keyboard[2]]
    assert kinds == ["paid:", "comps"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suppliers_bill_names_no_merchant_and_no_fee(language: str) -> None:
    text = read_html(render_supplier_bill(SUPPLIER, language=language, products=PRODUCTS).html)
    for part in ("100.00", "800.00", "200.00", "198.70", "1,000.00", "6.50", "500.00",
                 "593.50", "99.00", "S01-1", "0.65%", "993.50"):  # fmt: skip
        assert part in text, part
    assert "M1001" not in text
    assert "12.00" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_platforms_bill_has_margin_and_what_suppliers_owe(language: str) -> None:
    text = read_html(render_platform_bill(PLATFORM, language=language, products=PRODUCTS).html)
    for part in ("+11.20", "-6.50", "+4.70", "-1.00", "+0.01", "+3.71", "720.00", "USDT × 7.2",
                 "100.00", "780.00", " 577.01", "M1002", "S01", "593.50", "500.00", "+577.01",
                 "-500.00"):  # fmt: skip
        assert part in text, part
    assert "/bill" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_platforms_bill_names_the_other_currencies(language: str) -> None:
    known = ("USD", "CNY", "KWD")
    bill = replace(PLATFORM, currency="CNY")
    for currencies, said in ((known, "USD, KWD"), (("CNY",), "")):
        screen = render_platform_bill(
            bill, language=language, products=PRODUCTS, currencies=currencies
        )
        text = read_html(screen.html)
        assert (f"{said}" in text and "/bill USD" in text) is bool(said)
        assert ("/bill USD" in str(screen.rich)) is bool(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_sheets_still_fit(language: str) -> None:
    lines = tuple(
        ProductLine("<" * 40 + str(n), 10**6, 10**6, 10**6, HUGE, HUGE, HUGE, 9, HUGE, HUGE)
        for n in range(60)
    )
    channels = tuple(ChannelLine("&" * 20, "<" * 40, 10**6, HUGE, HUGE, HUGE) for _ in range(60))
    paid = voucher("M1001-999", HUGE, "<" * 99, remark="&" * 200, undone_by="<" * 99)
    long = replace(
        of_days(366), merchant_name="&" * 200, products=lines, channels=channels,
        closing_minor=-HUGE, prepaid_lines=(paid,) * 50,
        movements=tuple(
            Movement(heading, HUGE, HUGE, 1)
            for heading in ("refunds", "credits", "adjustments", "reratings")
        ),
    )  # fmt: skip
    platform = replace(
        PLATFORM, products=lines, channels=channels, movements=long.movements,
        merchants=(MerchantLine("M1001", "&" * 99, 10**6, HUGE, HUGE, HUGE, EVERYTHING),) * 99,
        suppliers=(SupplierDueLine("S01", "<" * 99, HUGE, HUGE, HUGE, HUGE),) * 99,
    )  # fmt: skip
    supplier = replace(
        SUPPLIER, supplier_name="<" * 99, paid_in_lines=(paid,) * 50,
        lines=(SupplierLine("&" * 20, "<" * 40, 10**6, HUGE, HUGE),) * 60,
    )  # fmt: skip
    screens = (
        shown(long, language, staff=True),
        render_platform_bill(platform, language=language, products=PRODUCTS),
        render_supplier_bill(supplier, language=language, products=PRODUCTS),
    )
    for screen in screens:
        assert read_html(screen.html)
        rich_text(screen)


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**15), st.sampled_from([1, 2]))
def test_percentages_are_rounded_half_up(part: int, whole: int, places: int) -> None:
    text = percent(part, whole, places)
    if not whole:
        assert text == "–"
        return
    unit = 10**places
    scaled = int(text.rstrip("%").replace(".", ""))
    assert abs(abs(scaled) * whole - abs(part) * 100 * unit) * 2 <= whole
    assert percent(5, 6) == "83.3%"
    assert percent(1, 16, 1) == "6.3%"  # 6.25, up
    assert percent(-1, 10_000) == "0.0%"


def test_what_is_left_out_is_the_least() -> None:
    """Of more than a table holds, the largest are named, whatever their codes are."""
    count = 24
    products = tuple(
        ProductLine(f"p{n:02}", 1, 1, 1, 1_000 + n, 0, 1_000 + n) for n in range(count)
    )
    channels = tuple(ChannelLine(f"C{n:02}", "x", 1, 1_000 + n, 0, 0) for n in range(count))
    taken = tuple(SupplierLine(f"C{n:02}", "x", 1, 1_000 + n, 0) for n in range(count))
    merchants = (
        *(MerchantLine(f"M{n:02}", "m", 1, 1_000 + n, 0, 0, NOTHING) for n in range(count)),
        MerchantLine("", "", 9, 9_000_000, 0, 0, NOTHING),
    )
    suppliers = tuple(SupplierDueLine(f"S{n:02}", "s", 1_000 + n, 0, 0, 0) for n in range(count))
    bill = replace(BILL, products=products, channels=channels)
    for sheet, numbers in (
        (shown(bill, "en", staff=True), ("p", "C")),
        (
            render_supplier_bill(
                replace(SUPPLIER, lines=taken), language="en", products=PRODUCTS
            ),
            ("C",),
        ),
        (
            render_platform_bill(
                replace(
                    PLATFORM, products=products, channels=channels, merchants=merchants,
                    suppliers=suppliers,
                ),
                language="en", products=PRODUCTS,
            ),
            ("p", "C", "M", "S"),
        ),
    ):  # fmt: skip
        text = read_html(sheet.html)
        for letter in numbers:
            told = re.findall(rf"\b{letter}(\d\d)\b", text)
            assert told, letter
            assert told == [f"{n:02}" for n in range(count - 1, count - 1 - len(told), -1)]
        if "M" in numbers:
            assert text.index("Other merchants") > text.index("M23")
