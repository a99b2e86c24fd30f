"""The bill: one business day of one merchant, every number read from the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.errors import Bug
from core.ledger import Ledger
from core.merchants import Merchant, Merchants
from core.store import Store, Tx

MODE: Final = "live"
ONE_DAY: Final = timedelta(days=1)
SHOWN_PREPAYMENTS: Final = 5


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product's day. created counts by creation day, the rest by booking day; `cohort_paid`
    is how many of the created ones are paid by now, for the success rate."""

    product_code: str
    created: int
    cohort_paid: int
    paid: int
    amount_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class PrepaidLine:
    """One prepayment of the day. undone_by: who took it back, empty while it stands."""

    at: datetime
    record_no: str
    minor: int
    actor_name: str
    remark: str
    undone_by: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A merchant's day. opening + net + other - prepaid = closing, always (all in minor units).

    opening/closing: what we owe the merchant (negative: prepayment that remains). other: booked
    on the merchant's accounts by neither orders nor prepayments (adjustments, refunds).
    """

    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    currency: str
    zone: str
    day: date
    open: bool
    starts_at: datetime
    ends_at: datetime
    opening_minor: int
    products: tuple[ProductLine, ...]
    prepaid_minor: int
    prepaid_lines: tuple[PrepaidLine, ...]
    prepaid_count: int
    other_minor: int
    closing_minor: int
    advanced_minor: int
    unpaid: int

    @property
    def remaining_minor(self) -> int:
        """Prepayment that is not drawn down yet; negative: we owe the merchant."""
        return -self.closing_minor


class Bills:
    """Bills, from the ledger."""

    def __init__(self, store: Store, clock: Clock, merchants: Merchants, ledger: Ledger) -> None:
        self._store = store
        self._clock = clock
        self._merchants = merchants
        self._ledger = ledger

    async def open_day(self, merchant: Merchant) -> date:
        """The business day that is open now (a day that is over is closed first)."""
        # Without a lock: whoever reads a bill must not wait for those who are paid, nor they
        # for whoever reads.
        row = await self._store.fetchrow(_OPEN_DAY, merchant.id)
        if row is None or row["ends_at"] <= self._clock.now():
            await self._ledger.roll_days(merchant.id, merchant.day_cut)
            row = await self._store.fetchrow(_OPEN_DAY, merchant.id)
        if row is None:
            raise Bug(f"{merchant.merchant_no} has no open business day")
        day: date = row["day"]
        return day

    async def bill(self, merchant_id: UUID, day: date | None = None) -> Bill:
        """The bill of a day; None: of the open day. A day without books has a bill of zeros."""
        merchant = await self._merchants.by_id(merchant_id)
        open_day = await self.open_day(merchant)
        async with self._store.transaction() as tx:
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return await self.bill_in(tx, merchant, day or open_day, open_day)

    async def bill_in(self, tx: Tx, merchant: Merchant, day: date, open_day: date) -> Bill:
        """The bill of a day, read in the caller's REPEATABLE READ transaction.

        One snapshot for all of the bill's questions, or its parts would not add up.
        """
        bounds = await tx.fetchrow(
            "SELECT starts_at, ends_at FROM business_day WHERE holder_id = $1 AND day = $2",
            merchant.id,
            day,
        )
        sums = await tx.fetchrow(_SUMS, merchant.id, MODE, merchant.currency, day)
        products = await tx.fetch(_PRODUCTS, merchant.id, MODE, merchant.currency, day)
        prepaid = await tx.fetch(_PREPAID, merchant.id, MODE, day)
        unpaid = await tx.fetchval(
            "SELECT count(*) FROM orders WHERE merchant_id = $1 AND mode = $2"
            " AND created_day = $3 AND state IN ('created', 'pending')",
            merchant.id,
            MODE,
            day,
        )
        if sums is None:
            raise Bug("sums always have a row")
        lines = tuple(ProductLine(**dict(row)) for row in products)
        net = sum(line.net_minor for line in lines)
        if sums["opening"] + net + sums["other"] + sums["prepaid"] != sums["closing"]:
            raise Bug(f"the bill of {merchant.merchant_no} for {day} does not add up")
        return Bill(
            merchant_id=merchant.id,
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            currency=merchant.currency,
            zone=merchant.day_cut.zone,
            day=day,
            open=day >= open_day,
            starts_at=bounds["starts_at"] if bounds else merchant.day_cut.start_of(day),
            ends_at=bounds["ends_at"] if bounds else merchant.day_cut.start_of(day + ONE_DAY),
            opening_minor=sums["opening"],
            products=lines,
            prepaid_minor=-sums["prepaid"],
            prepaid_lines=tuple(
                PrepaidLine(
                    row["at"],
                    row["record_no"],
                    row["minor"],
                    row["actor_name"],
                    row["remark"],
                    row["undone_by"] or "",
                )
                for row in prepaid[-SHOWN_PREPAYMENTS:]
            ),
            prepaid_count=len(prepaid),
            other_minor=sums["other"],
            closing_minor=sums["closing"],
            advanced_minor=-sums["advanced"],
            unpaid=unpaid,
        )


_OPEN_DAY: Final = (
    "SELECT day, ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL"
)

# Backwards from the balances: before and after the day are what they say now less what was
# booked since, so that a live bill touches the entries of its day and not all of history.
_SUMS: Final = """
WITH now AS (
    SELECT coalesce(sum(minor), 0) AS position,
           coalesce(sum(minor) FILTER (WHERE account = 'prepaid'), 0) AS prepaid
    FROM balance
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND account IN ('payable', 'prepaid')
), since AS (
    SELECT coalesce(sum(minor), 0) AS whole,
           coalesce(sum(minor) FILTER (WHERE day > $4), 0) AS later,
           coalesce(sum(minor) FILTER (WHERE day > $4 AND account = 'prepaid'), 0)
               AS later_prepaid,
           coalesce(sum(minor) FILTER (WHERE day = $4 AND account = 'prepaid'), 0) AS prepaid,
           coalesce(sum(minor) FILTER (WHERE day = $4 AND account = 'payable'
               AND kind NOT IN ('order', 'completed')), 0) AS other
    FROM ledger_entry
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day >= $4
      AND account IN ('payable', 'prepaid')
)
SELECT (now.position - since.whole)::bigint AS opening,
       (now.position - since.later)::bigint AS closing,
       (now.prepaid - since.later_prepaid)::bigint AS advanced,
       since.prepaid::bigint AS prepaid,
       since.other::bigint AS other
FROM now, since
"""

# Created and the cohort come from the orders, what was booked from the books.
_PRODUCTS: Final = """
WITH cohort AS (
    SELECT product_code, count(*) AS created,
           count(*) FILTER (WHERE paid_at IS NOT NULL) AS cohort_paid
    FROM orders
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND created_day = $4
    GROUP BY product_code
), booked AS (
    SELECT product_code,
           count(DISTINCT event_id) AS paid,
           sum(minor) FILTER (WHERE account = 'payable') AS net,
           sum(minor) FILTER (WHERE account = 'fees') AS fee
    FROM ledger_entry
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day = $4
      AND kind IN ('order', 'completed') AND account IN ('payable', 'fees')
    GROUP BY product_code
)
SELECT product_code,
       coalesce(created, 0)::int AS created,
       coalesce(cohort_paid, 0)::int AS cohort_paid,
       coalesce(paid, 0)::int AS paid,
       (coalesce(net, 0) + coalesce(fee, 0))::bigint AS amount_minor,
       coalesce(fee, 0)::bigint AS fee_minor,
       coalesce(net, 0)::bigint AS net_minor
FROM cohort FULL JOIN booked USING (product_code)
ORDER BY product_code
"""

_PREPAID: Final = """
SELECT p.at, p.record_no, p.minor, p.actor_name, p.remark, r.actor_name AS undone_by
FROM voucher p
LEFT JOIN voucher r ON r.holder_id = p.holder_id AND r.reverses = p.id
WHERE p.kind = 'prepayment' AND p.holder_id = $1 AND p.mode = $2 AND p.day = $3
  AND p.reverses IS NULL
ORDER BY p.at, p.id
"""
