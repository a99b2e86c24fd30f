"""Statistics against a brute-force reading of orders, attempts and entries."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.reports.statistics import By, Figures, Query, Row, last_seven_days
from tests.core.reports.bills.books import Books
from tests.core.support import Desk, SetClock, refused

ZONE = "Asia/Shanghai"
ONE_DAY = timedelta(days=1)
FIELDS = {
    "merchant": "merchant_id", "product": "product_code", "channel": "channel_no",
    "hour": "hour", "day": "day",
}  # fmt: skip


async def some_hours(desk: Desk, neighbour: Desk) -> None:
    """Orders of two merchants with different cuts, some paid later, some on another day."""
    desk.clock.go_to_noon()
    late = []
    for n in range(9):
        for whose in (desk, neighbour):
            product = "wechat_qr" if n % 3 == 0 else "alipay_qr"
            opened = [await whose.open(10000 + n, product=product) for _ in range(2)]
            if n % 2:
                await whose.see(opened[0], 10000 + n)
            else:
                late.append((whose, opened[0], 10000 + n))
            if n == 4:
                await whose.see(opened[1], 500)  # short: its cost counts, it is not paid
        if n == 5:
            await desk.runtime.ledger.calendar.roll(desk.merchant.id)
        desk.clock.advance(3 * 3600)
    for whose, opened_late, minor in late[::2]:
        await whose.see(opened_late, minor)


async def read(desk: Desk, days: int = 3, **changes: Any) -> Figures:
    today = desk.clock.now().astimezone(ZoneInfo(ZONE)).date()
    query = Query(today - timedelta(days=days - 1), today + timedelta(days=1), **changes)
    return await desk.runtime.reports.statistics.read(query)


async def by_hand(desk: Desk, by: tuple[str, ...], channel: str | None) -> dict[Any, Counter[str]]:
    """The same figures, order by order and entry by entry."""
    found: dict[Any, Counter[str]] = {}

    def add(row: Any, at: str, day: str, **figures: int) -> None:
        values = {
            "merchant": row["merchant_id"], "product": row["product_code"],
            "channel": row["channel_no"], "day": row[day],
            "hour": row[at].astimezone(ZoneInfo(ZONE)).hour,
        }  # fmt: skip
        if channel is None or values["channel"] == channel:
            found.setdefault(tuple(values[key] for key in by), Counter()).update(figures)

    store = desk.runtime.system.store
    if "channel" in by or channel is not None:
        for row in await store.fetch(
            "SELECT a.*, o.product_code, d.day FROM attempt a"
            " JOIN orders o ON o.merchant_id = a.merchant_id AND o.id = a.order_id"
            " JOIN business_day d ON d.holder_id = a.merchant_id"
            "  AND a.created_at >= d.starts_at AND a.created_at < d.ends_at"
        ):
            add(row, "created_at", "day", created=1, cohort_paid=int(row["state"] == "paid"))
    else:
        for row in await store.fetch("SELECT *, '' AS channel_no FROM orders"):
            add(row, "created_at", "created_day", created=1,
                cohort_paid=int(row["paid_at"] is not None))  # fmt: skip
    for row in await store.fetch("SELECT * FROM ledger_entry WHERE mode = 'live'"):
        order = row["kind"] == "order"
        add(
            row, "booked_at", "day",
            paid=int(order and row["account"] == "payable"),
            amount_minor=row["minor"] if order and row["account"] in ("payable", "fees") else 0,
            fee_minor=row["minor"] if row["account"] == "fees" else 0,
            cost_minor=-row["minor"] if row["account"].startswith("cost/") else 0,
        )  # fmt: skip
    return found


def figures(row: Row) -> dict[str, int]:
    names = ("created", "cohort_paid", "paid", "amount_minor", "fee_minor", "cost_minor")
    return {name: getattr(row, name) for name in names}


async def test_every_cut_equals_the_orders(desk: Desk, neighbour: Desk) -> None:
    await some_hours(desk, neighbour)
    for size in range(4):
        for by in combinations(get_args(By), size):
            for channel in (None, "C01"):
                chosen = None if channel is None else (channel,)
                answer = await read(desk, by=by, channel_nos=chosen, zone=ZONE)
                expected = await by_hand(desk, by, channel)
                seen = {
                    tuple(getattr(row, FIELDS[key]) for key in by): figures(row)
                    for row in answer.rows
                }
                assert seen == {
                    key: {**figures(answer.total), **dict.fromkeys(figures(answer.total), 0), **c}
                    for key, c in expected.items()
                }
                assert list(seen) == sorted(seen)
                for name, total in figures(answer.total).items():
                    assert total == sum(row[name] for row in seen.values())
                for row in answer.rows:
                    others = set(FIELDS) - set(by)
                    assert all(getattr(row, FIELDS[key]) is None for key in others)
    live = (await read(desk, by=("day", "hour"))).rows
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)
    assert (await read(desk, by=("day", "hour"))).rows == live


async def test_what_suppliers_and_the_platform_took_is_what_their_bills_say(
    desk: Desk, neighbour: Desk
) -> None:
    await some_hours(desk, neighbour)
    runtime = desk.runtime
    today = await runtime.reports.bills.open_day(HOUSE)
    supplier = await runtime.parties.suppliers.by_no("S01")
    cuts: tuple[By, ...] = ("merchant", "product", "channel")
    for days in (Days.one(today), Days.one(today - ONE_DAY), Days(today - 3 * ONE_DAY, today)):
        bill = await runtime.reports.bills.platform(days)
        for by, found in zip(
            cuts, await runtime.reports.statistics.of_platform(days, cuts), strict=True
        ):
            total = found.total
            assert total.paid == sum(line.paid for line in bill.products)
            assert total.amount_minor == sum(line.amount_minor for line in bill.products)
            assert (total.fee_minor, total.cost_minor) == (bill.fee_minor, bill.cost_minor)
            if by == "channel":
                within = (bill.starts_at, bill.ends_at)
                assert (total.created, total.cohort_paid) == await sent(desk, *within)
            else:
                cohort = sum(line.cohort_paid for line in bill.products)
                assert (total.created, total.cohort_paid) == (bill.created, cohort)
            keys = [getattr(row, FIELDS[by]) for row in found.rows]
            assert len(set(keys)) == len(keys)
            if by == "product":
                lines = {line.product_code: line for line in bill.products if line.paid}
                rows = {row.product_code: row for row in found.rows if row.paid}
                assert {code: row.amount_minor for code, row in rows.items()} == {
                    code: line.amount_minor for code, line in lines.items()
                }
        theirs = await runtime.reports.bills.supplier(supplier.id, days)
        told = await runtime.reports.statistics.of_supplier(supplier.id, days)
        for name in ("paid", "amount_minor", "cost_minor"):
            assert getattr(told.total, name) == sum(getattr(x, name) for x in theirs.lines)
        assert told.total.fee_minor == 0
        assert {row.channel_no for row in told.rows if row.paid} == {
            line.channel_no for line in theirs.lines if line.paid
        }
        within = (theirs.starts_at, theirs.ends_at)
        assert (told.total.created, told.total.cohort_paid) == await sent(desk, *within, "S01")


async def sent(
    desk: Desk, starts_at: datetime, ends_at: datetime, supplier_no: str = ""
) -> tuple[int, int]:
    """Attempts that were made in a window and sent, and how many of them are paid."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT supplier_no, state, created_at FROM attempt"
    )
    states = [
        row["state"] for row in rows
        if starts_at <= row["created_at"] < ends_at and supplier_no in ("", row["supplier_no"])
    ]  # fmt: skip
    return len(states), states.count("paid")


async def test_the_platform_counts_what_its_bill_counts_wherever_merchants_days_are_cut(
    desk: Desk, clock: SetClock
) -> None:
    """The platform's day begins at 00:00, the merchant's at 16:00: of three orders of the same
    day of the platform, only one is of the merchant's open day."""
    runtime = desk.runtime
    house = await runtime.ledger.calendar.cut_of(HOUSE)
    today = await runtime.reports.bills.open_day(HOUSE)
    clock.go_to(house.start_of(today + ONE_DAY))
    today = await runtime.reports.bills.open_day(HOUSE)
    cut = DayCut((datetime.combine(today, house.at) + timedelta(hours=16)).time(), house.zone)
    merchant = await runtime.parties.merchants.open(
        "M7001", "Another cut", day_cut=cut, reviewed=True
    )
    await runtime.parties.merchants.apps.open(merchant, mode="live", name="shop", notify_url=None)
    (app,) = await runtime.parties.merchants.apps.of(merchant)
    await runtime.parties.merchants.offers.set_tariff(
        merchant, "alipay_qr", Tariff.flat(Rate(10_000)), actor="t"
    )
    whose = replace(desk, merchant=merchant, app=app)
    for hours, paid in ((10, True), (5, True), (2, False)):
        clock.advance(hours * 3600)
        opened = await whose.open(5_000)
        if paid:
            await whose.see(opened, 5_000)
    await runtime.reports.bills.open_day(merchant.id)
    days = Days.one(today)
    bill = await runtime.reports.bills.platform(days)
    (line,) = bill.products
    assert (line.created, line.cohort_paid, line.paid) == (3, 2, 2)
    by: tuple[By, ...] = ("merchant", "product", "channel")
    for found in await runtime.reports.statistics.of_platform(days, by):
        total = found.total
        assert (total.created, total.cohort_paid, total.paid) == (3, 2, 2)
    supplier = await runtime.parties.suppliers.by_no("S01")
    theirs = await runtime.reports.statistics.of_supplier(supplier.id, days)
    assert (theirs.total.created, theirs.total.cohort_paid, theirs.total.paid) == (3, 2, 2)


async def test_merchants_that_the_bill_does_not_name_are_among_its_others(desk: Desk) -> None:
    await desk.open(10_000)
    for n in range(22):
        whose = await desk.runtime.parties.merchants.open(f"M{2000 + n}", f"m{n}", reviewed=True)
        books = Books(desk.runtime, desk.clock)
        await books.pay(whose, 1000 + n)
    days = Days.one(await desk.runtime.reports.bills.open_day(HOUSE))
    (found,) = await desk.runtime.reports.statistics.of_platform(days, ["merchant"])
    assert len(found.rows) == 21
    others = found.rows[-1]
    assert (others.merchant_id, others.paid, others.amount_minor) == (None, 2, 2001)
    assert others.created == found.total.created == 1


async def test_filters_compose(desk: Desk, neighbour: Desk) -> None:
    await some_hours(desk, neighbour)
    whole = await read(desk, by=("merchant", "product"))
    for row in whole.rows:
        assert row.merchant_id is not None
        assert row.product_code is not None
        one = await read(desk, merchant_ids=(row.merchant_id,), product_codes=(row.product_code,))
        assert figures(one.total) == figures(row)
        assert row.success == Fraction(row.cohort_paid, row.created)
    assert (await read(desk, merchant_ids=())).rows == (await read(desk, product_codes=())).rows
    for nothing in (
        {"merchant_ids": ()},
        {"product_codes": ("bank_web",)},
        {"channel_nos": ()},
        {"mode": "test"},
        {"mode": "test", "channel_nos": ("C01", "C02")},
        {"product_codes": ("bank_web",), "by": ("channel",)},
        {"currency": "USD"},
    ):
        answer = await read(desk, **nothing)
        assert set(figures(answer.total).values()) == {0}
        assert (answer.total.success, answer.total.success_tenths) == (None, None)
    assert whole.days == 3  # of the four that are asked for, the last one has not begun
    total = whole.total
    assert whole.average.paid == (total.paid * 2 + 3) // 6
    assert whole.average.amount_minor == (total.amount_minor * 2 + 3) // 6
    assert total.margin_minor == total.fee_minor - total.cost_minor


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"last": date(2026, 1, 1)}, "range_reversed"),
        ({"last": date(2028, 1, 1)}, "range_too_long"),
        ({"by": ("colour",)}, None),
        ({"by": ("day", "day")}, None),
        ({"by": ("day; DROP TABLE orders",)}, None),
        ({"mode": "both"}, None),
    ],
)
def test_what_cannot_be_asked(changes: dict[str, Any], code: str | None) -> None:
    values: dict[str, Any] = {"first": date(2026, 11, 1), "last": date(2026, 11, 7), **changes}
    with pytest.raises(Bug if code is None else Refusal) as caught:
        Query(**values)
    assert code is None or refused(caught.value) == code


def test_the_last_seven_days_are_whole() -> None:
    days = last_seven_days(date(2026, 11, 21))
    assert (days.first, days.last, len(days)) == (date(2026, 11, 14), date(2026, 11, 20), 7)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_success_is_rounded_half_up(created: int, paid: int) -> None:
    row = Row(created, min(paid, created), 0, 0, 0, 0)
    if row.success is None or row.success_tenths is None:
        assert created == 0
    else:
        assert -1 < 2 * (row.success * 1000 - row.success_tenths) < 1 or (
            2 * (row.success * 1000 - row.success_tenths) == -1
        )
