"""The platform's bill: all merchants' books in the windows of the desk's own days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.books import ORDER_KINDS, ORDERS_SQL, MerchantBalance
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE, MODE
from core.reports.bills.cohorts import cohorts_between
from core.reports.bills.handed_out import handed_out
from core.reports.bills.lines import (
    Sums,
    channels,
    movements,
    position_minor,
    prepaid_minor,
    products,
)
from core.reports.bills.model import MerchantLine, PlatformBill, SupplierDueLine
from core.reports.bills.supplier import owed
from core.reports.bills.windows import Live, balances_before, bounds, kept_of, live_of
from core.system.store import Tx

SHOWN_MERCHANTS: Final = 20


async def read(tx: Tx, days: Days, today: date, cut: DayCut, currency: str) -> PlatformBill:
    """The bill of some days in one currency, in a snapshot. today: the desk's open day."""
    span = await bounds(tx, HOUSE, cut, days)
    starts_at, ends_at = span.starts_at, span.ends_at
    live = await live_of(tx)
    before = await balances_before(tx, HOUSE, days.first, starts_at, currency, live)
    moved = await tx.fetch(_WINDOW, starts_at, ends_at, MODE, currency, ORDER_KINDS, live.since)
    of_kinds = [row for row in moved if row["kind"] is not None]
    sums = [Sums.of(row) for row in of_kinds]
    cohorts = (await cohorts_between(tx, starts_at, ends_at, currency, live)).by_product
    opening = _position(before)
    closing = opening + position_minor(sums)
    of_merchants = {row["merchant_id"]: row for row in moved if row["merchant_id"] is not None}
    of_suppliers = {row["supplier_no"]: row for row in moved if row["supplier_no"]}
    suspense = sum(minor for account, minor in before.items() if account.startswith("suspense/"))
    bill = PlatformBill(
        currency=currency,
        zone=span.zone,
        days=days,
        open=days.last >= today,
        starts_at=starts_at,
        ends_at=ends_at,
        opening_minor=opening,
        created=sum(cohort.created for cohort in cohorts.values()),
        products=products(sums, cohorts),
        channels=channels(sums),
        merchants=await _merchants(tx, of_merchants, (ends_at, live), currency, sums),
        suppliers=await _suppliers(tx, of_suppliers, before),
        movements=movements(sums),
        prepaid_minor=prepaid_minor(sums),
        fee_minor=sum(row.fee_minor for row in sums),
        cost_minor=sum(row.cost_minor for row in sums),
        shortfall_minor=sum(row["shortfall"] for row in of_kinds),
        adjust_minor=sum(row["adjust"] for row in of_kinds),
        fx_minor=sum(row["fx"] for row in of_kinds),
        paid_out_minor=sum(row["paid_out"] for row in of_kinds),
        handed_out=await handed_out(tx, starts_at, ends_at, currency),
        closing_minor=closing,
        suspense_minor=suspense + sum(row["suspense"] for row in of_suppliers.values()),
    )
    await _assert_joins(tx, bill)
    return bill


def _position(balances: Mapping[str, int]) -> int:
    return balances.get("payable", 0) + balances.get("prepaid", 0)


async def _merchants(
    tx: Tx,
    moved: Mapping[UUID, asyncpg.Record],
    at: tuple[datetime, Live],
    currency: str,
    sums: Sequence[Sums],
) -> tuple[MerchantLine, ...]:
    """Those that took most, and all others in one line without a name. at: when they stand so, and
    what is live."""
    shown = sorted(moved.values(), key=lambda row: (-row["amount"], row["merchant_id"]))
    shown = [row for row in shown if row["merchant_id"] != HOUSE][:SHOWN_MERCHANTS]
    ids = [row["merchant_id"] for row in shown]
    ends_at, live = at
    called = {
        row["id"]: row
        for row in await tx.fetch(
            "SELECT id, merchant_no, name FROM merchant WHERE id = ANY($1)", ids
        )
    }
    rows = await tx.fetch(_STANDS, ids, ends_at, MODE, currency, live.since)
    stands = {row["id"]: MerchantBalance(row["prepaid"], row["owing"], row["owed"]) for row in rows}
    nothing = MerchantBalance(0, 0, 0)
    lines = [
        MerchantLine(
            merchant_no=called[row["merchant_id"]]["merchant_no"],
            merchant_name=called[row["merchant_id"]]["name"],
            paid=row["paid"],
            amount_minor=row["amount"],
            fee_minor=row["fee_minor"],
            cost_minor=row["cost_minor"],
            closing=stands.get(row["merchant_id"], nothing),
        )
        for row in shown
    ]
    orders = [row for row in sums if row.sold]
    amount = sum(row.amount_minor for row in orders)
    rest = MerchantLine(
        merchant_no="",
        merchant_name="",
        paid=sum(row.orders for row in orders) - sum(line.paid for line in lines),
        amount_minor=amount - sum(line.amount_minor for line in lines),
        fee_minor=sum(row.fee_minor for row in sums) - sum(line.fee_minor for line in lines),
        cost_minor=sum(row.cost_minor for row in sums) - sum(line.cost_minor for line in lines),
        closing=stands.get(None, nothing),
    )
    if rest != MerchantLine("", "", 0, 0, 0, 0, nothing):
        lines.append(rest)
    return tuple(lines)


async def _suppliers(
    tx: Tx, moved: Mapping[str, asyncpg.Record], before: Mapping[str, int]
) -> tuple[SupplierDueLine, ...]:
    """Every supplier that owed, took or paid something."""
    rows = await tx.fetch("SELECT supplier_no, name FROM supplier ORDER BY supplier_no")
    lines = []
    for supplier in rows:
        number = supplier["supplier_no"]
        opening, row = owed(before, number), moved.get(number)
        due, cost, settled = (
            (row["due"], row["cost_minor"], row["settled"]) if row is not None else (0, 0, 0)
        )
        if opening or due or cost or settled:
            closing = opening - due - settled
            lines.append(
                SupplierDueLine(number, supplier["name"], cost - due, cost, settled, closing)
            )
    return tuple(lines)


async def _assert_joins(tx: Tx, bill: PlatformBill) -> None:
    added = bill.opening_minor + bill.net_minor + bill.other_minor - bill.prepaid_minor
    kept = await kept_of(tx, HOUSE, bill.days.last, bill.currency)
    ends = bill.closing_minor if kept is None else _position(kept)
    stand = bill.closing.net_minor
    if not added == ends == stand == bill.closing_minor:
        raise Bug(
            f"the platform's bill for {bill.days} does not add up: opening and movements {added},"
            f" closing {bill.closing_minor}, kept {ends}, its merchants {stand}"
        )
    came = sum(one.minor for one in bill.handed_out if one.currency == bill.currency)
    left = sum(one.original_minor for one in bill.handed_out if one.currency != bill.currency)
    if came - left != bill.fx_minor:
        raise Bug(
            f"the platform's bill for {bill.days} does not add up: converted {bill.fx_minor},"
            f" records {came} less {left}"
        )


# One look at the window, added up three ways: by kind, product and channel; by merchant; by
# supplier. It is added up first, so that little is left to be told apart.
_WINDOW: Final = f"""
SELECT kind, product_code, channel_no, merchant_id, supplier_no,
       coalesce(sum(minor) FILTER (WHERE account = 'payable'), 0)::bigint AS payable_minor,
       coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0)::bigint AS prepaid_minor,
       coalesce(sum(minor) FILTER (WHERE account = 'fees'), 0)::bigint AS fee_minor,
       coalesce(-sum(minor) FILTER (WHERE account LIKE 'cost/%'), 0)::bigint AS cost_minor,
       sum(events)::bigint AS events,
       coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'fees') AND kind = ANY($5)), 0)
           ::bigint AS amount,
       coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid,
       coalesce(sum(minor) FILTER (WHERE account = 'shortfall'), 0)::bigint AS shortfall,
       coalesce(sum(minor) FILTER (WHERE account = 'adjust'), 0)::bigint AS adjust,
       coalesce(sum(minor) FILTER (WHERE account = 'fx'), 0)::bigint AS fx,
       coalesce(sum(minor) FILTER (WHERE account = 'paid_out'), 0)::bigint AS paid_out,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'due/%'), 0)::bigint AS due,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'suspense/%'), 0)::bigint AS suspense,
       coalesce(sum(minor) FILTER (WHERE account LIKE 'supplier/%'), 0)::bigint AS settled
FROM (
    SELECT kind, product_code, channel_no, merchant_id, account,
           coalesce(substring(account FROM '/(S[0-9]+)'), '') AS supplier_no,
           sum(minor) AS minor, sum(events) AS events
    FROM moved_between($1, $2, $6, false) WHERE mode = $3 AND currency = $4
    GROUP BY kind, product_code, channel_no, merchant_id, account
) AS moved
GROUP BY GROUPING SETS ((kind, product_code, channel_no), (merchant_id), (supplier_no))
"""  # noqa: S608 (our own words)

# How all merchants stand at an instant, $2: those of $1 by themselves, the others together (no id).
# Each by the balances of its newest day that was over by then, and what moved since; merchants
# whose days end together are looked at together. $5: since when nothing is rolled up.
_STANDS: Final = """
WITH base AS MATERIALIZED (
    SELECT m.id, d.day, coalesce(d.ends_at, (
               SELECT min(starts_at) FROM business_day WHERE holder_id = m.id)) AS since
    FROM merchant m LEFT JOIN LATERAL (
        SELECT day, ends_at FROM business_day
        WHERE holder_id = m.id AND closed_at IS NOT NULL AND ends_at <= $2
          AND day <= ($2 AT TIME ZONE 'UTC')::date + 1
        ORDER BY day DESC LIMIT 1
    ) d ON true
), entries AS (
    SELECT b.id, c.account, c.minor
    FROM base b CROSS JOIN LATERAL (
        SELECT account, minor FROM closing
        WHERE holder_id = b.id AND day = b.day AND mode = $3 AND currency = $4
          AND account IN ('payable', 'prepaid') OFFSET 0  -- each by its key, not all that there are
    ) c
  UNION ALL
    SELECT m.merchant_id, m.account, m.minor
    FROM (SELECT since, array_agg(id) AS ids FROM base WHERE since < $2 GROUP BY since) AS together
    CROSS JOIN LATERAL (
        SELECT merchant_id, account, minor FROM moved_between(together.since, $2, $5, false)
        WHERE merchant_id = ANY(together.ids) AND mode = $3 AND currency = $4
          AND account IN ('payable', 'prepaid')
    ) AS m
), position AS (
    SELECT id, sum(minor) AS minor,
           greatest(-coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0), 0) AS advanced
    FROM entries GROUP BY id
)
SELECT CASE WHEN id = ANY($1) THEN id END AS id,
       sum(least(greatest(-minor, 0), advanced))::bigint AS prepaid,
       sum(greatest(-minor - advanced, 0))::bigint AS owing,
       sum(greatest(minor, 0))::bigint AS owed
FROM position GROUP BY 1
"""
