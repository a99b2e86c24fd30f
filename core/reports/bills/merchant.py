"""A merchant's bill: its own days, from what is rolled up and the live tail."""

from __future__ import annotations

from datetime import date
from typing import Final

from core.books import ORDER_KINDS, Position
from core.kernel.days import EARLIEST, Days
from core.kernel.errors import Bug
from core.kernel.holder import MODE
from core.parties.merchants import Merchant
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
from core.reports.bills.windows import ONE_DAY, bounds
from core.system.store import Tx


async def read(tx: Tx, merchant: Merchant, days: Days, today: date) -> Bill:
    """The bill of some days, in a snapshot. today: the open day."""
    whose = (merchant.id, MODE, merchant.currency)
    opening = await _position(tx, merchant, days.first - ONE_DAY)
    closing = await _position(tx, merchant, days.last)
    rows = await tx.fetch(_SUMS, *whose, days.first, days.last)
    sums = [Sums.of(row) for row in rows]
    rows = await tx.fetch(_COHORTS, *whose, days.first, days.last)
    cohorts = {row["product_code"]: Cohort(row["created"], row["paid"]) for row in rows}
    starts_at, ends_at = await bounds(tx, merchant.id, merchant.day_cut, days)
    prepaid = await newest(tx, merchant.id, "prepayment", days)
    of_products = products(sums, cohorts)
    bill = Bill(
        merchant_id=merchant.id,
        merchant_no=merchant.merchant_no,
        merchant_name=merchant.name,
        currency=merchant.currency,
        zone=merchant.day_cut.zone,
        days=days,
        open=days.last >= today,
        starts_at=starts_at,
        ends_at=ends_at,
        opening_minor=opening.minor,
        products=of_products,
        channels=channels(sums),
        carried=sum(line.paid - line.cohort_paid for line in of_products),
        movements=movements(sums),
        prepaid_minor=prepaid_minor(sums),
        prepaid_lines=prepaid.lines,
        prepaid_count=prepaid.count,
        closing_minor=closing.minor,
        advanced_minor=closing.advanced_minor,
        unpaid=await tx.fetchval(_UNPAID, merchant.id, MODE, days.first, days.last),
        by_day=await _by_day(tx, merchant, days, opening.minor) if len(days) > 1 else (),
    )
    _assert_joins(bill)
    return bill


async def _position(tx: Tx, merchant: Merchant, day: date) -> Position:
    """What we owed the merchant at the end of a day; where it is not over, what we owe now."""
    row = await tx.fetchrow(
        _POSITION, merchant.id, MODE, merchant.currency, day, EARLIEST - ONE_DAY
    )
    if row is None:
        raise Bug("sums always have a row")
    return Position(row["payable"], row["prepaid"])


async def _by_day(tx: Tx, merchant: Merchant, days: Days, opening: int) -> tuple[DayLine, ...]:
    rows = await tx.fetch(
        _BY_DAY,
        merchant.id,
        MODE,
        merchant.currency,
        days.first,
        days.last,
        ORDER_KINDS,
        PREPAID_KINDS,
    )
    booked = {row["day"]: row for row in rows}
    lines = []
    for day in days:
        row = booked.get(day)
        paid, fee, net, prepaid, moved = tuple(row)[1:] if row else (0,) * 5
        lines.append(
            DayLine(
                day=day,
                paid=paid,
                amount_minor=net + fee,
                fee_minor=fee,
                net_minor=net,
                prepaid_minor=-prepaid,
                other_minor=moved - net - prepaid,
                opening_minor=opening,
                closing_minor=opening + moved,
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


# From the balances of the newest closed day on, so that nothing before it is added up again.
_POSITION: Final = """
WITH base AS (
    SELECT coalesce(max(day), $5) AS day FROM business_day
    WHERE holder_id = $1 AND day <= $4 AND closed_at IS NOT NULL
)
SELECT coalesce(sum(minor) FILTER (WHERE account = 'payable'), 0)::bigint AS payable,
       coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0)::bigint AS prepaid
FROM (
    SELECT account, minor FROM closing
    WHERE holder_id = $1 AND mode = $2 AND currency = $3 AND day = (SELECT day FROM base)
    UNION ALL
    SELECT account, minor FROM movement
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3
      AND day > (SELECT day FROM base) AND day <= $4
) AS position
"""

# Hours are added up first, so that little is left to be told apart.
_SUMS: Final = """
SELECT kind, product_code, channel_no,
       coalesce(sum(minor) FILTER (WHERE account = 'payable'), 0)::bigint AS payable_minor,
       coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0)::bigint AS prepaid_minor,
       coalesce(sum(minor) FILTER (WHERE account = 'fees'), 0)::bigint AS fee_minor,
       coalesce(-sum(minor) FILTER (WHERE account LIKE 'cost/%'), 0)::bigint AS cost_minor,
       sum(events)::bigint AS events
FROM (
    SELECT kind, product_code, channel_no, account, sum(minor) AS minor, sum(events) AS events
    FROM movement
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
    GROUP BY kind, product_code, channel_no, account
) AS moved
GROUP BY kind, product_code, channel_no
"""

_COHORTS: Final = """
SELECT product_code, sum(created) AS created, sum(paid_in_day) AS paid
FROM order_movement
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
GROUP BY product_code HAVING sum(created) > 0
"""

_BY_DAY: Final = """
SELECT day,
       coalesce(sum(events) FILTER (WHERE kind = ANY($6)), 0)::bigint AS paid,
       coalesce(sum(minor) FILTER (WHERE account = 'fees' AND kind = ANY($6)), 0)::bigint AS fee,
       coalesce(sum(minor) FILTER (WHERE account = 'payable' AND kind = ANY($6)), 0)::bigint
           AS net,
       coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'prepaid')
           AND kind = ANY($7)), 0)::bigint AS prepaid,
       coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'prepaid')), 0)::bigint AS moved
FROM (
    SELECT day, kind, account, sum(minor) AS minor, sum(events) AS events
    FROM movement
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5
    GROUP BY day, kind, account
) AS moved
GROUP BY day
"""

_UNPAID: Final = (
    "SELECT count(*) FROM orders WHERE merchant_id = $1 AND mode = $2"
    " AND created_day BETWEEN $3 AND $4 AND state IN ('created', 'pending')"
)
