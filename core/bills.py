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
from core.store import Store

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
        await self._ledger.roll_days(merchant.id, merchant.day_cut)
        day: date = await self._store.fetchval(
            "SELECT day FROM business_day WHERE merchant_id = $1 AND closed_at IS NULL", merchant.id
        )
        return day

    async def bill(self, merchant_id: UUID, day: date | None = None) -> Bill:
        """The bill of a day; None: of the open day. A day without books has a bill of zeros."""
        merchant = await self._merchants.by_id(merchant_id)
        open_day = await self.open_day(merchant)
        return await self._read(merchant, day or open_day, open_day)

    async def _read(self, merchant: Merchant, day: date, open_day: date) -> Bill:
        async with self._store.transaction() as tx:
            # One snapshot for all of the bill's questions, or its parts would not add up.
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            bounds = await tx.fetchrow(
                "SELECT starts_at, ends_at, closed_at FROM business_day"
                " WHERE merchant_id = $1 AND day = $2",
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
        closing = sums["opening"] + sums["payable"] + sums["prepaid"]
        other = sums["payable"] - net
        if sums["opening"] + net + other + sums["prepaid"] != closing:
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
            other_minor=other,
            closing_minor=closing,
            advanced_minor=-sums["advanced"],
            unpaid=unpaid,
        )


_SUMS: Final = """
SELECT
    coalesce(sum(minor) FILTER (WHERE day < $4), 0)::bigint AS opening,
    coalesce(sum(minor) FILTER (WHERE day = $4 AND account = 'payable'), 0)::bigint AS payable,
    coalesce(sum(minor) FILTER (WHERE day = $4 AND account = 'prepaid'), 0)::bigint AS prepaid,
    coalesce(sum(minor) FILTER (WHERE day <= $4 AND account = 'prepaid'), 0)::bigint AS advanced
FROM ledger_entry
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND day <= $4
  AND account IN ('payable', 'prepaid')
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
FROM prepayment p
LEFT JOIN prepayment r ON r.merchant_id = p.merchant_id AND r.reverses = p.id
WHERE p.merchant_id = $1 AND p.mode = $2 AND p.day = $3 AND p.reverses IS NULL
ORDER BY p.at, p.id
"""
