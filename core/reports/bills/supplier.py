"""A supplier's bill: its days are windows over all merchants' books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import asyncpg

from core.books import ORDERS_SQL
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import MODE
from core.parties.suppliers import Supplier
from core.reports.bills.model import SupplierBill, SupplierLine
from core.reports.bills.vouchers import newest
from core.reports.bills.windows import balances_before, bounds, kept_of, live_of
from core.system.store import Tx


def accounts_of(supplier_no: str) -> list[str]:
    """The accounts that a supplier's bill adds up."""
    of_merchants = [f"{name}/{supplier_no}" for name in ("due", "cost", "suspense")]
    return [*of_merchants, f"supplier/{supplier_no}/settled"]


async def read(tx: Tx, supplier: Supplier, days: Days, today: date) -> SupplierBill:
    """The bill of some days, in a snapshot. today: the open day."""
    number, currency = supplier.supplier_no, supplier.currency
    span = await bounds(tx, supplier.id, supplier.day_cut, days)
    starts_at, ends_at = span.starts_at, span.ends_at
    live = await live_of(tx)
    accounts = accounts_of(number)
    before = await balances_before(tx, supplier.id, days.first, starts_at, currency, live, accounts)
    rows = await tx.fetch(
        _WINDOW, starts_at, ends_at, MODE, currency, accounts, supplier.id, live.since
    )
    open_ones = await tx.fetch(_UNCONFIRMED, starts_at, ends_at, MODE, currency, *accounts[:2])
    assumed = {(row["channel_no"], row["product_code"]): row for row in open_ones}
    lines = tuple(
        _line(row, assumed.get((row["channel_no"], row["product_code"])))
        for row in rows
        if row["paid"] or row["cost"] or row["due"]
    )
    paid_in = sum(row["settled"] for row in rows)
    records = await newest(tx, supplier.id, "payin", days)
    opening = owed(before, number)
    bill = SupplierBill(
        supplier_id=supplier.id,
        supplier_no=number,
        supplier_name=supplier.name,
        currency=currency,
        zone=span.zone,
        days=days,
        open=days.last >= today,
        starts_at=starts_at,
        ends_at=ends_at,
        opening_minor=opening,
        lines=lines,
        paid_in_minor=paid_in,
        paid_in_lines=records.lines,
        paid_in_count=records.count,
        closing_minor=opening + sum(line.due_minor for line in lines) - paid_in,
        suspense_minor=before.get(f"suspense/{number}", 0) + sum(row["suspense"] for row in rows),
    )
    kept = await kept_of(tx, supplier.id, days.last, currency, accounts)
    if kept is not None and owed(kept, number) != bill.closing_minor:
        raise Bug(
            f"the bill of {number} for {days} does not add up: opening and movements"
            f" {bill.closing_minor}, kept {owed(kept, number)}"
        )
    return bill


def _line(row: asyncpg.Record, assumed: asyncpg.Record | None) -> SupplierLine:
    line = SupplierLine(
        channel_no=row["channel_no"],
        product_code=row["product_code"],
        paid=row["paid"],
        amount_minor=row["cost"] - row["due"],
        cost_minor=row["cost"],
    )
    if assumed is None:
        return line
    return replace(
        line,
        unconfirmed=assumed["orders"],
        unconfirmed_minor=assumed["cost"] - assumed["due"],
        unconfirmed_cost_minor=assumed["cost"],
    )


def owed(balances: Mapping[str, int], supplier_no: str) -> int:
    """What a supplier owes us, by its accounts' balances."""
    settled = balances.get(f"supplier/{supplier_no}/settled", 0)
    return -balances.get(f"due/{supplier_no}", 0) - settled


# Who was paid is counted by channel: an order that is completed with money in suspense moves
# none of the other accounts.
_WINDOW: Final = f"""
SELECT channel_no, product_code,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'due/%'), 0)::bigint AS due,
       coalesce(-sum(minor) FILTER (WHERE account LIKE 'cost/%'), 0)::bigint AS cost,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'suspense/%'), 0)::bigint AS suspense,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'supplier/%'), 0)::bigint AS settled,
       coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid
FROM (
    SELECT kind, product_code, channel_no,
           CASE WHEN account = ANY($5::text[]) THEN account ELSE '' END AS account,
           sum(minor) AS minor, sum(events) AS events
    FROM moved_between($1, $2, $7, false)
    WHERE mode = $3 AND currency = $4
      AND (account = ANY($5::text[])
           OR channel_no = ANY(ARRAY(SELECT channel_no FROM channel WHERE supplier_id = $6)))
    GROUP BY 1, 2, 3, 4
) AS moved
GROUP BY channel_no, product_code
ORDER BY channel_no, product_code
"""  # noqa: S608 (our own words)

# Completions that were booked between $1 and $2 as if the supplier had the money, and that nobody
# had confirmed or reversed by $2. Those with money in suspense move neither due nor cost.
_UNCONFIRMED: Final = """
SELECT e.channel_no, e.product_code, count(DISTINCT c.id) AS orders,
       coalesce(sum(e.minor) FILTER (WHERE e.account = $5), 0)::bigint AS due,
       coalesce(-sum(e.minor) FILTER (WHERE e.account = $6), 0)::bigint AS cost
FROM completion c
JOIN ledger_entry e ON e.merchant_id = c.merchant_id AND e.booked_at = c.at
    AND e.booked_at >= $1 AND e.booked_at < $2 AND e.event_id = c.event_id
    AND e.mode = $3 AND e.currency = $4 AND e.account IN ($5, $6)
WHERE c.at >= $1 AND c.at < $2 AND c.reverses IS NULL
  AND NOT EXISTS (
      SELECT FROM supplier_payment p
      WHERE p.merchant_id = c.merchant_id AND p.order_id = c.order_id
        AND p.booked_as = 'confirmation' AND p.at < $2)
  AND NOT EXISTS (
      SELECT FROM completion r
      WHERE r.merchant_id = c.merchant_id AND r.reverses = c.id AND r.at < $2)
GROUP BY e.channel_no, e.product_code
"""
