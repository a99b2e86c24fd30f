"""The points of charts, from what is rolled up and the live tail.

core.reports.statistics counts other orders as successful (paid by now, not on their day) and cuts
hours by merchants' days only, so it does not say the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core.books import ORDER_KINDS, ORDERS_SQL
from core.kernel.clock import DayCut
from core.kernel.holder import HOUSE, MODE
from core.reports.bills import Bill, PlatformBill, SupplierBill, live_of, tails_of
from core.reports.exports.papers import ChartFacts, Point
from core.system.store import Tx

_HOUR: Final = timedelta(hours=1)
_AnyBill = Bill | SupplierBill | PlatformBill


async def chart_of_merchant(tx: Tx, bill: Bill) -> ChartFacts:
    """A merchant's chart, in the snapshot of its bill."""
    tails = await tails_of(tx, [bill.merchant_id])
    days = (bill.days.first, bill.days.last)
    span = (
        bill.merchant_id, MODE, bill.currency, *days, *tails.rolled_to, *tails.until,
        _by_hour(bill),
    )  # fmt: skip
    booked = await tx.fetch(_MERCHANT_MONEY, *span, ORDER_KINDS)
    found = [*booked, *await tx.fetch(_MERCHANT_ORDERS, *span)]
    points = _points(bill, found)
    return _facts(bill, bill.merchant_no, bill.merchant_name, points, bill.net_minor)


async def chart_of_supplier(tx: Tx, bill: SupplierBill, cut: DayCut) -> ChartFacts:
    """A supplier's chart: what it took; orders are merchants' business."""
    due, cost = f"due/{bill.supplier_no}", f"cost/{bill.supplier_no}"
    windows = await _windows(tx, bill, bill.supplier_id, cut)
    live = await live_of(tx)
    found = await tx.fetch(
        _SUPPLIER_MONEY, *windows, MODE, bill.currency, due, cost, live.since,
        _by_hour(bill),
    )  # fmt: skip
    points = _points(bill, found)
    due_minor = sum(line.due_minor for line in bill.lines)
    return _facts(bill, bill.supplier_no, bill.supplier_name, points, due_minor, orders=False)


async def chart_of_platform(tx: Tx, bill: PlatformBill, cut: DayCut) -> ChartFacts:
    """The platform's chart: all merchants together."""
    span = (*await _windows(tx, bill, HOUSE, cut), MODE, bill.currency)
    live = await live_of(tx)
    booked = await tx.fetch(_ALL_MONEY, *span, ORDER_KINDS, live.since, _by_hour(bill))
    orders = await tx.fetch(_ALL_ORDERS, *span, live.since, live.until, _by_hour(bill))
    found = [*booked, *orders]
    return _facts(bill, "", "", _points(bill, found), bill.net_minor)


def _facts(
    bill: _AnyBill, no: str, name: str, points: tuple[Point, ...], net_minor: int,
    *, orders: bool = True,
) -> ChartFacts:  # fmt: skip
    return ChartFacts(
        no, name, bill.currency, bill.zone, bill.days, bill.open, points, net_minor, orders
    )


async def _windows(
    tx: Tx, bill: _AnyBill, holder_id: UUID, cut: DayCut
) -> tuple[list[date], list[datetime], list[datetime]]:
    """The days of a supplier or the platform, when each begins, and when it ends."""
    days = list(bill.days)
    rows = await tx.fetch(_STARTS, holder_id, days)
    starts = {row["day"]: row["starts_at"] for row in rows}
    begins = [bill.starts_at]
    for day in days[1:]:
        at = starts.get(day) or cut.start_of(day)
        begins.append(min(max(at, begins[-1]), bill.ends_at))
    return days, begins, [*begins[1:], bill.ends_at]


def _by_hour(bill: _AnyBill) -> bool:
    """A chart of one day shows its hours; others read no hours."""
    return len(bill.days) == 1


def _points(bill: _AnyBill, found: Iterable[asyncpg.Record]) -> tuple[Point, ...]:
    """One for each hour of a day, or each of several days; zeros where nothing happened.

    Sums are kept by hours of UTC. Where a day does not begin with one, its first point is only
    the part of the hour that is left, and its last one the part before it ends.
    """
    by_hour = _by_hour(bill)
    sums: defaultdict[datetime | date, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in found:
        at = max(row["hour"], bill.starts_at) if by_hour else row["day"]
        for place, name in enumerate(("amount_minor", "paid", "created", "cohort_paid")):
            sums[at][place] += row[name]
    slots = _hours(bill) if by_hour else list(bill.days)
    return tuple(Point(slot, *sums[slot]) for slot in slots)


def _hours(bill: _AnyBill) -> list[datetime]:
    first = bill.starts_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = -(-(bill.ends_at - first) // _HOUR)
    return [bill.starts_at, *(first + n * _HOUR for n in range(1, count))]


_AMOUNT: Final = f"""
SELECT hour, day, coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'fees')), 0)::bigint
           AS amount_minor,
       coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid, 0 AS created, 0 AS cohort_paid
"""
_CREATED: Final = """
SELECT hour, day, 0 AS amount_minor, 0 AS paid, sum(created)::bigint AS created,
       sum(paid_in_day)::bigint AS cohort_paid
"""
_MERCHANT_MONEY: Final = f"""{_AMOUNT} FROM movement($1, $6, $7, $8)
WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5 AND kind = ANY($9)
GROUP BY hour, day"""
_MERCHANT_ORDERS: Final = f"""{_CREATED} FROM order_movement($1, $6, $7, $8)
WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
GROUP BY hour, day"""
_STARTS: Final = "SELECT day, starts_at FROM business_day WHERE holder_id = $1 AND day = ANY($2)"

# Merchants' days are their own, so what moved is looked at in windows. $1 the days, $2 and $3 when
# they begin and end.
_WINDOWS: Final = "unnest($1::date[], $2::timestamptz[], $3::timestamptz[]) AS w (day, first, last)"
_ALL_MONEY: Final = f"""{_AMOUNT.replace("day,", "w.day,")}
FROM {_WINDOWS}, moved_between(w.first, w.last, $7, $8) m
WHERE mode = $4 AND currency = $5 AND kind = ANY($6)
GROUP BY hour, w.day"""
_SUPPLIER_MONEY: Final = f"""
SELECT hour, w.day, -sum(minor)::bigint AS amount_minor,
       coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid,
       0 AS created, 0 AS cohort_paid
FROM {_WINDOWS}, moved_between(w.first, w.last, $8, $9) m
WHERE mode = $4 AND currency = $5 AND account IN ($6, $7)
GROUP BY hour, w.day
"""  # noqa: S608 (our own words)
_ALL_ORDERS: Final = f"""{_CREATED.replace("day,", "w.day,", 1)}
FROM {_WINDOWS}, created_between(w.first, w.last, $6, $7, $8) o
WHERE mode = $4 AND currency = $5
GROUP BY hour, w.day"""
