"""The points of charts, from what is rolled up and the live tail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import asyncpg

from core.bills import MODE, Bill, PlatformBill, SupplierBill
from core.clock import DayCut
from core.exports.papers import ChartFacts, Point
from core.store import Tx

_HOUR: Final = timedelta(hours=1)
_AnyBill = Bill | SupplierBill | PlatformBill


async def chart_of_merchant(tx: Tx, bill: Bill, cut: DayCut) -> ChartFacts:
    """A merchant's chart, in the snapshot of its bill."""
    span = (bill.merchant_id, MODE, bill.currency, bill.days.first, bill.days.last)
    found = [*await tx.fetch(_MERCHANT_MONEY, *span), *await tx.fetch(_MERCHANT_ORDERS, *span)]
    points = _points(bill, cut, found)
    return _facts(bill, bill.merchant_no, bill.merchant_name, points, bill.net_minor)


async def chart_of_supplier(tx: Tx, bill: SupplierBill, cut: DayCut) -> ChartFacts:
    """A supplier's chart: what it took; orders are merchants' business."""
    due, cost = f"due/{bill.supplier_no}", f"cost/{bill.supplier_no}"
    found = await tx.fetch(_SUPPLIER_MONEY, bill.starts_at, bill.ends_at, MODE, bill.currency,
                           due, cost)  # fmt: skip
    points = _points(bill, cut, found)
    due_minor = sum(line.due_minor for line in bill.lines)
    return _facts(bill, bill.supplier_no, bill.supplier_name, points, due_minor, orders=False)


async def chart_of_platform(tx: Tx, bill: PlatformBill, cut: DayCut) -> ChartFacts:
    """The platform's chart: all merchants together."""
    span = (bill.starts_at, bill.ends_at, MODE, bill.currency)
    found = [*await tx.fetch(_ALL_MONEY, *span), *await tx.fetch(_ALL_ORDERS, *span)]
    return _facts(bill, "", "", _points(bill, cut, found), bill.net_minor)


def _facts(
    bill: _AnyBill, no: str, name: str, points: tuple[Point, ...], net_minor: int,
    *, orders: bool = True,
) -> ChartFacts:  # fmt: skip
    return ChartFacts(
        no, name, bill.currency, bill.zone, bill.days, bill.open, points, net_minor, orders
    )


def _points(bill: _AnyBill, cut: DayCut, found: Iterable[asyncpg.Record]) -> tuple[Point, ...]:
    """One for each hour of a day, or each of several days; zeros where nothing happened."""
    by_hour = len(bill.days) == 1
    sums: defaultdict[datetime | date, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in found:
        at = row["hour"] if by_hour else row["day"] or cut.day_of(row["hour"])
        for place, name in enumerate(("amount_minor", "paid", "created", "cohort_paid")):
            sums[at][place] += row[name]
    slots = _hours(bill) if by_hour else _dates(bill)
    return tuple(Point(slot, *sums[slot]) for slot in slots)


def _hours(bill: _AnyBill) -> list[datetime]:
    first = bill.starts_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [first]
    while hours[-1] + _HOUR < bill.ends_at:
        hours.append(hours[-1] + _HOUR)
    return hours


def _dates(bill: _AnyBill) -> list[date]:
    return [bill.days.first + timedelta(days=n) for n in range(len(bill.days))]


_AMOUNT: Final = """
SELECT hour, day, coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'fees')), 0)::bigint
           AS amount_minor,
       coalesce(sum(events), 0)::bigint AS paid, 0 AS created, 0 AS cohort_paid
"""
_CREATED: Final = """
SELECT hour, day, 0 AS amount_minor, 0 AS paid, sum(created)::bigint AS created,
       sum(paid_in_day)::bigint AS cohort_paid
"""
_MERCHANT_MONEY: Final = f"""{_AMOUNT} FROM movement
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
  AND kind IN ('order', 'completed')
GROUP BY hour, day"""
_MERCHANT_ORDERS: Final = f"""{_CREATED} FROM order_movement
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
GROUP BY hour, day"""
# Merchants' days are their own: hours are put into the platform's, or the supplier's.
_ALL_MONEY: Final = f"""{_AMOUNT.replace("day,", "NULL::date AS day,")}
FROM moved_between($1, $2)
WHERE mode = $3 AND currency = $4 AND kind IN ('order', 'completed')
GROUP BY hour"""
_ALL_ORDERS: Final = f"""{_CREATED.replace("day,", "NULL::date AS day,")}
FROM order_movement
WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND hour < $2 AND mode = $3
  AND currency = $4
GROUP BY hour"""
_SUPPLIER_MONEY: Final = """
SELECT hour, NULL::date AS day, -sum(minor)::bigint AS amount_minor,
       coalesce(sum(events) FILTER (WHERE kind IN ('order', 'completed')), 0)::bigint AS paid,
       0 AS created, 0 AS cohort_paid
FROM moved_between($1, $2)
WHERE mode = $3 AND currency = $4 AND account IN ($5, $6)
GROUP BY hour
"""
