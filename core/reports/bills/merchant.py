"""A merchant's bill: its own days, from what is rolled up and the live tail."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Final

import asyncpg

from core.books import ORDER_KINDS, ORDERS_SQL, Position
from core.kernel.days import EARLIEST, Days
from core.kernel.errors import Bug
from core.kernel.holder import MODE
from core.parties.merchants import Merchant
from core.reports.bills import completions
from core.reports.bills.lines import (
    PREPAID_KINDS,
    Cohort,
    Sums,
    channels,
    movements,
    prepaid_minor,
    products,
)
from core.reports.bills.model import Bill, DayLine
from core.reports.bills.vouchers import newest
from core.reports.bills.windows import ONE_DAY, Bounds, bounds, tails_of
from core.system.store import Tx


async def read(tx: Tx, merchant: Merchant, days: Days, today: date) -> Bill:
    """The bill of some days, in a snapshot. today: the open day."""
    span = await bounds(tx, merchant.id, merchant.day_cut, days)
    numbers = await _numbers(tx, merchant, days, span)
    sums = [Sums(**row) for row in json.loads(numbers["sums"])]
    cohorts = {
        row["product_code"]: Cohort(row["created"], row["paid"])
        for row in json.loads(numbers["cohorts"])
    }
    prepaid = await newest(tx, merchant.id, "prepayment", days)
    # Most days have none, and are not asked twice.
    done = await completions.newest(tx, merchant.id, days) if numbers["completed"] else ((), 0)
    of_products = products(sums, cohorts)
    closing = Position(numbers["payable"], numbers["prepaid"])
    bill = Bill(
        merchant_id=merchant.id,
        merchant_no=merchant.merchant_no,
        merchant_name=merchant.name,
        currency=merchant.currency,
        zone=span.zone,
        days=days,
        open=days.last >= today,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        opening_minor=numbers["opening"],
        products=of_products,
        channels=channels(sums),
        carried=sum(x.paid - x.reversed - x.cohort_paid for x in of_products),
        movements=movements(sums),
        prepaid_minor=prepaid_minor(sums),
        prepaid_lines=prepaid.lines,
        prepaid_count=prepaid.count,
        completed_lines=done[0],
        completed_count=done[1],
        closing_minor=closing.minor,
        advanced_minor=closing.advanced_minor,
        unpaid=numbers["unpaid"],
        by_day=_by_day(days, numbers, prepaid_minor(sums)) if len(days) > 1 else (),
    )
    _assert_joins(bill)
    return bill


async def _numbers(tx: Tx, merchant: Merchant, days: Days, span: Bounds) -> asyncpg.Record:
    """All sums of a bill: one question, for which is read first where it may begin to add up. The
    planner sees that as values, and how little lies behind them."""
    tails = await tails_of(tx, [merchant.id])
    base = await tx.fetchrow(_BASE, merchant.id, days.first, days.last, EARLIEST - ONE_DAY)
    if base is None:
        raise Bug("sums always have a row")
    numbers = await tx.fetchrow(
        _NUMBERS,
        merchant.id,
        MODE,
        merchant.currency,
        days.first,
        days.last,
        *tails.rolled_to,
        base["opening_day"],
        base["closing_day"],
        ORDER_KINDS,
        PREPAID_KINDS,
        span.starts_at - _AROUND,
        span.ends_at + _AROUND,
        *tails.until,
    )
    if numbers is None:
        raise Bug("sums always have a row")
    return numbers


def _by_day(days: Days, numbers: asyncpg.Record, prepaid_minor: int) -> tuple[DayLine, ...]:
    """prepaid_minor: what was advanced in all these days."""
    booked = {date.fromisoformat(row["day"]): row for row in json.loads(numbers["by_day"])}
    opening, advanced = numbers["opening"], -numbers["prepaid"] - prepaid_minor
    lines = []
    for day in days:
        row = booked.get(day, _NOTHING)
        net, prepaid, moved = row["net"], row["prepaid"], row["moved"]
        advanced -= prepaid
        lines.append(
            DayLine(
                day=day,
                paid=row["paid"],
                amount_minor=net + row["fee"],
                fee_minor=row["fee"],
                net_minor=net,
                prepaid_minor=-prepaid,
                other_minor=moved - net - prepaid,
                other_fee_minor=row["other_fee"],
                opening_minor=opening,
                closing_minor=opening + moved,
                advanced_minor=advanced,
            )
        )
        opening += moved
    return tuple(lines)


def _assert_joins(bill: Bill) -> None:
    added = bill.opening_minor + bill.net_minor + bill.other_minor - bill.prepaid_minor
    ends = bill.by_day[-1].closing_minor if bill.by_day else added
    if not added == ends == bill.closing_minor:
        raise Bug(
            f"the bill of {bill.merchant_no} for {bill.days} does not add up: opening and"
            f" movements {added}, its days {ends}, closing {bill.closing_minor}"
        )


# An order is created within its day, or a while later where nobody closes that: the months of other
# orders are not looked at.
_AROUND: Final = timedelta(days=3)
_NOTHING: Final = dict.fromkeys(("paid", "fee", "other_fee", "net", "prepaid", "moved"), 0)

# The newest closed days before the bill's beginning and end: nothing before is added up again.
_BASE: Final = """
SELECT coalesce((SELECT max(day) FROM business_day
                 WHERE holder_id = $1 AND day < $2 AND closed_at IS NOT NULL), $4) AS opening_day,
       coalesce((SELECT max(day) FROM business_day
                 WHERE holder_id = $1 AND day <= $3 AND closed_at IS NOT NULL), $4) AS closing_day
"""

# $6 and $13: where the live tail lies. $7 and $8: the closed days that are added to, of the opening
# and of the closing position.
_NUMBERS: Final = f"""
WITH moved AS MATERIALIZED (
    SELECT day, kind, product_code, channel_no, account, sum(minor) AS minor, sum(events) AS events
    FROM movement($1, $6, $13, false)
    WHERE mode = $2 AND currency = $3 AND day > $7 AND day <= $5
    GROUP BY day, kind, product_code, channel_no, account
), stands AS (
    SELECT account, minor, day = $7 AS opens, day = $8 AS closes FROM closing
    WHERE holder_id = $1 AND mode = $2 AND currency = $3 AND day IN ($7, $8)
      AND account IN ('payable', 'prepaid')
  UNION ALL
    SELECT account, minor, day < $4, day > $8 FROM moved WHERE account IN ('payable', 'prepaid')
), sums AS (
    SELECT kind, product_code, channel_no,
           coalesce(sum(minor) FILTER (WHERE account = 'payable'), 0)::bigint AS payable_minor,
           coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0)::bigint AS prepaid_minor,
           coalesce(sum(minor) FILTER (WHERE account = 'fees'), 0)::bigint AS fee_minor,
           coalesce(-sum(minor) FILTER (WHERE account LIKE 'cost/%'), 0)::bigint AS cost_minor,
           sum(events)::bigint AS events
    FROM moved WHERE day >= $4 GROUP BY kind, product_code, channel_no
), by_day AS (
    SELECT day,
           coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid,
           coalesce(sum(minor) FILTER (WHERE account = 'fees' AND kind = ANY($9)), 0)::bigint
               AS fee,
           coalesce(sum(minor) FILTER (WHERE account = 'fees' AND kind <> ALL($9)), 0)::bigint
               AS other_fee,
           coalesce(sum(minor) FILTER (WHERE account = 'payable' AND kind = ANY($9)), 0)::bigint
               AS net,
           coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'prepaid')
               AND kind = ANY($10)), 0)::bigint AS prepaid,
           coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'prepaid')), 0)::bigint
               AS moved
    FROM moved WHERE day >= $4 GROUP BY day
), cohorts AS (
    SELECT product_code, sum(created)::bigint AS created, sum(paid_in_day)::bigint AS paid
    FROM order_movement($1, $6, $13, false)
    WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
    GROUP BY product_code HAVING sum(created) > 0
)
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]')::text FROM sums s) AS sums,
       (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]')::text FROM by_day d) AS by_day,
       (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]')::text FROM cohorts c) AS cohorts,
       (SELECT coalesce(sum(minor), 0)::bigint FROM stands WHERE opens) AS opening,
       (SELECT coalesce(sum(minor), 0)::bigint FROM stands WHERE closes AND account = 'payable')
           AS payable,
       (SELECT coalesce(sum(minor), 0)::bigint FROM stands WHERE closes AND account = 'prepaid')
           AS prepaid,
       (SELECT count(*) FROM orders
        WHERE merchant_id = $1 AND mode = $2 AND created_day BETWEEN $4 AND $5
          AND state IN ('created', 'pending')
          AND created_at >= $11 AND created_at < $12) AS unpaid,
       EXISTS (SELECT FROM completion WHERE merchant_id = $1 AND day BETWEEN $4 AND $5) AS completed
"""  # noqa: S608 (our own words)
