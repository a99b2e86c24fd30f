"""What orders are charged, and what they would be at another tariff."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.books import Ledger
from core.kernel.days import Days
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import MODE
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.system.store import Tx
from core.trade.orders import CHARGED, CHARGED_RATE, Charge

# Small enough that looking at one chunk is a few milliseconds.
CHUNK_ROWS: Final = 1000


# What one look holds in memory, and one transaction writes.
MAX_ORDERS: Final = 500_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are to be charged anew, and how: those of the days that were paid until an
    instant, so that a merchant which goes on trading does not change what was shown."""

    merchant: Merchant
    product_code: str
    days: Days
    tariff: Tariff
    until: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody was shown: the orders paid until an instant. mark: of these very orders and
    their fees; another one where any of them is not the same."""

    until: datetime
    mark: str


@dataclass(frozen=True, slots=True)
class RerateDay:
    """The orders that were booked on a business day: what they are charged, what they would be."""

    day: date
    orders: int
    fee_then_minor: int
    fee_now_minor: int


@dataclass(frozen=True, slots=True)
class RerateView:
    """A re-rating before it is done. All fees in smallest units of the merchant's currency.

    orders: that are looked at; changed: whose fee would differ; left_out: of the same days and
    product, that are disputed, refunded (also in part) or about to be, and stay as they are.
    by_day: days with orders, the earliest first. seen: what is confirmed of it.
    """

    days: Days
    tariff: Tariff
    currency: str
    orders: int
    changed: int
    left_out: int
    fee_then_minor: int
    fee_now_minor: int
    by_day: tuple[RerateDay, ...]
    seen: Seen

    @property
    def difference_minor(self) -> int:
        """+ the merchant pays more."""
        return self.fee_now_minor - self.fee_then_minor


@dataclass(slots=True)
class Changes:
    """The orders whose fee or rate differs, column by column. fees: how many fees differ; seen: of
    all that were looked at."""

    order_ids: list[UUID] = field(default_factory=list)
    fees_then: list[int] = field(default_factory=list)
    now: list[Charge] = field(default_factory=list)
    fees: int = 0
    seen: int = 0


@dataclass(slots=True)
class _Sums:
    orders: int = 0
    fee_then_minor: int = 0
    fee_now_minor: int = 0


async def compare(ledger: Ledger, tx: Tx, wanted: Wanted) -> tuple[RerateView, Changes]:
    """Look at every order, in chunks through a cursor: the whole is one snapshot.

    Tiers by volume go by the closed days of the month before each order's day of creation.
    Refusals: rerate_too_many.
    """
    volumes: dict[date, int] = {}
    sums: dict[date, _Sums] = defaultdict(_Sums)
    changes = Changes()
    merchant, by_volume = wanted.merchant, wanted.tariff.tiers_by == "volume"
    async for chunk in tx.chunks(_CONSIDERED, *_arguments(wanted), rows=CHUNK_ROWS):
        for day in {row["created_day"] for row in chunk} - volumes.keys() if by_volume else ():
            volumes[day] = await ledger.volume(
                tx, merchant.id, MODE, merchant.currency, wanted.product_code, day
            )
        if sum(line.orders for line in sums.values()) + len(chunk) > MAX_ORDERS:
            raise Refusal("rerate_too_many", limit=MAX_ORDERS)
        for row in chunk:
            _take(row, wanted.tariff, volumes.get(row["created_day"], 0), sums, changes)
    by_day = tuple(
        RerateDay(day, s.orders, s.fee_then_minor, s.fee_now_minor)
        for day, s in sorted(sums.items())
    )
    orders = sum(line.orders for line in by_day)
    then = sum(line.fee_then_minor for line in by_day)
    now = sum(line.fee_now_minor for line in by_day)
    changed = changes.fees
    view = RerateView(
        days=wanted.days,
        tariff=wanted.tariff,
        currency=merchant.currency,
        orders=orders,
        changed=changed,
        left_out=await tx.fetchval(_LEFT_OUT, *_arguments(wanted)),
        fee_then_minor=then,
        fee_now_minor=now,
        by_day=by_day,
        seen=Seen(wanted.until, f"{orders}:{changed}:{then}:{now}:{changes.seen:x}"),
    )
    return view, changes


async def is_still(tx: Tx, wanted: Wanted, view: RerateView, changes: Changes) -> bool:
    """Whether the orders and what they are charged are those that `compare` saw."""
    row = await tx.fetchrow(_STANDING, *_arguments(wanted))
    if row is None:
        raise Bug("a sum has a row")
    seen = (view.orders, view.fee_then_minor, changes.seen)
    return (row["orders"], row["fee_minor"], row["mark"]) == seen


def _take(
    row: asyncpg.Record,
    tariff: Tariff,
    volume_minor: int,
    sums: dict[date, _Sums],
    changes: Changes,
) -> None:
    amount, then = row["amount_minor"], row["fee_minor"]
    rate = tariff.rate_for(amount, volume_minor)
    now = min(rate.of(amount), amount)
    total = sums[row["paid_day"]]
    total.orders += 1
    total.fee_then_minor += then
    total.fee_now_minor += now
    changes.seen ^= row["mark"]
    changes.fees += now != then
    if now != then or rate.pack() != row["rate"]:
        changes.order_ids.append(row["id"])
        changes.fees_then.append(then)
        changes.now.append(Charge(now, rate))


def _arguments(wanted: Wanted) -> tuple[object, ...]:
    merchant, days = wanted.merchant, wanted.days
    whose = (merchant.id, MODE, merchant.currency, wanted.product_code)
    return *whose, days.first, days.last, wanted.until


# $1 merchant, $2 mode, $3 currency, $4 product, $5 and $6 the business days, $7 until when paid.
# The instants of the days lead to the orders, which are indexed by when they were paid.
_BOOKED: Final = """
FROM (SELECT min(starts_at) AS first, max(ends_at) AS last FROM business_day
      WHERE holder_id = $1 AND day BETWEEN $5 AND $6) d
JOIN orders o ON o.merchant_id = $1 AND o.paid_at >= d.first AND o.paid_at < least(d.last, $7)
    AND o.paid_day BETWEEN $5 AND $6
    AND o.mode = $2 AND o.currency = $3 AND o.product_code = $4
"""
# A fee that is about to go back, in part or whole, is not changed under that.
_STAYS: Final = """(o.state <> 'paid' OR o.disputed OR EXISTS (
    SELECT FROM refund f
    WHERE f.merchant_id = o.merchant_id AND f.order_id = o.id AND f.ended_at IS NULL))"""
_CONSIDERED: Final = f"""
SELECT id, amount_minor, created_day, paid_day, fee_minor, rate,
       hashtextextended(concat_ws(' ', id, fee_minor, rate), 0) AS mark
FROM (SELECT o.id, o.amount_minor, o.created_day, o.paid_day, {CHARGED} AS fee_minor,
             {CHARGED_RATE} AS rate
      {_BOOKED} WHERE NOT {_STAYS}) c
"""  # noqa: S608 (our own words)
_STANDING: Final = f"""
SELECT count(*) AS orders, coalesce(sum(fee_minor), 0)::bigint AS fee_minor,
       coalesce(bit_xor(mark), 0) AS mark
FROM ({_CONSIDERED}) c
"""  # noqa: S608 (our own words)
_LEFT_OUT: Final = f"SELECT count(*) {_BOOKED} WHERE {_STAYS}"
