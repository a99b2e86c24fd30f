"""The ledger: events booked once, entries that are never edited, balances, business days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import asyncpg

from core.clock import Clock, DayCut
from core.errors import Bug
from core.ids import Ids
from core.ledger.postings import Posting, assert_balanced
from core.store import Queries, Store, Tx

T = TypeVar("T")
_DAY_TRIES: Final = 3
_MAX_DAYS_ROLLED: Final = 4000


class AlreadyBooked(Exception):
    """An event of this key is in the books already; nothing was written."""


class _DayOver(Exception):
    """The open business day ended before the booking could be made."""


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The merchant's open day, held so that it cannot be closed while something is booked."""

    merchant_id: UUID
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be booked. key: unique per merchant for ever, such as 'paid:<order id>'."""

    key: str
    kind: str
    mode: str
    postings: tuple[Posting, ...]
    order_id: UUID | None = None
    product_code: str | None = None
    reverses: UUID | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """What we owe the merchant: payable + prepaid. Negative: prepayment that remains."""

    payable_minor: int
    prepaid_minor: int

    @property
    def minor(self) -> int:
        return self.payable_minor + self.prepaid_minor

    @property
    def advanced_minor(self) -> int:
        """How much was advanced, net of what was taken back."""
        return -self.prepaid_minor

    @property
    def remaining_minor(self) -> int:
        """How much of the advance is not yet drawn down by paid orders (0 when none is)."""
        return max(0, -self.minor)


class Ledger:
    """The books of all merchants. Locks are taken in one order: day, order, attempt, balances."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def open_first_day(self, tx: Tx, merchant_id: UUID, cut: DayCut) -> None:
        """The day in which a new merchant's books begin."""
        await _open_day(tx, merchant_id, cut, cut.day_of(self._clock.now()))

    async def in_open_day(
        self, merchant_id: UUID, cut: DayCut, work: Callable[[Tx, BusinessDay], Awaitable[T]]
    ) -> T:
        """Run `work` in one transaction that holds the merchant's open business day.

        A day that is over is closed and the next one opened first, so that what is booked after
        the cut is never in the day before it.
        """
        for _ in range(_DAY_TRIES):
            try:
                async with self._store.transaction() as tx:
                    return await work(tx, await self._hold_day(tx, merchant_id))
            except _DayOver:
                await self.roll_days(merchant_id, cut)
        raise Bug(f"the business day of merchant {merchant_id} would not open")

    async def _hold_day(self, tx: Tx, merchant_id: UUID) -> BusinessDay:
        row = await tx.fetchrow(
            "SELECT day, ends_at FROM business_day"
            " WHERE merchant_id = $1 AND closed_at IS NULL FOR SHARE",
            merchant_id,
        )
        now = self._clock.now()
        if row is None or now >= row["ends_at"]:
            raise _DayOver
        return BusinessDay(merchant_id, row["day"], now)

    async def roll_days(self, merchant_id: UUID, cut: DayCut) -> list[date]:
        """Close every day of this merchant that is over and open the present one.

        Returns the days that were closed. Days nothing happened in get a row as well, so that
        closings and openings join without a gap.
        """
        closed: list[date] = []
        async with self._store.transaction() as tx:
            for _ in range(_MAX_DAYS_ROLLED):
                row = await _lock_open_day(tx, merchant_id)
                now = self._clock.now()
                if now < row["ends_at"]:
                    return closed
                await tx.execute(
                    "UPDATE business_day SET closed_at = $3 WHERE merchant_id = $1 AND day = $2",
                    merchant_id,
                    row["day"],
                    now,
                )
                closed.append(row["day"])
                await _open_day(
                    tx, merchant_id, cut, row["day"] + timedelta(days=1), row["ends_at"]
                )
        raise Bug(f"merchant {merchant_id} lags more than {_MAX_DAYS_ROLLED} days behind")

    async def book(self, tx: Tx, day: BusinessDay, event: Event) -> UUID:
        """Write one event: its row, its entries, its balances, in one round trip.

        Returns the event's id. Raises AlreadyBooked when the key was booked before; the
        transaction stays usable and nothing was written.
        """
        assert_balanced(event.postings)
        if not event.postings:
            raise Bug(f"the event {event.key} moves nothing")
        event_id = self._ids.uuid7()
        postings = sorted(event.postings, key=lambda p: (p.currency, p.account))
        if len({(p.currency, p.account) for p in postings}) != len(postings):
            raise Bug(f"the event {event.key} names an account twice")
        rows = await tx.fetch(
            _BOOK,
            day.merchant_id,
            event.key,
            event_id,
            event.kind,
            event.mode,
            day.day,
            day.at,
            event.order_id,
            event.reverses,
            event.product_code,
            [p.account for p in postings],
            [p.currency for p in postings],
            [p.minor for p in postings],
        )
        if not rows:
            raise AlreadyBooked(event.key)
        if len(rows) != len(postings):
            raise Bug(f"the event {event.key} touched {len(rows)} balances")
        return event_id

    async def postings_of(
        self, queries: Queries, merchant_id: UUID, event_id: UUID
    ) -> tuple[Posting, ...]:
        """What an event moved, for its reversal. Empty where there is no such event."""
        booked_at = await queries.fetchval(
            "SELECT booked_at FROM ledger_event WHERE merchant_id = $1 AND id = $2",
            merchant_id,
            event_id,
        )
        # With the instant, the entries of one month are looked at instead of all there are.
        rows = await queries.fetch(
            "SELECT account, currency, minor FROM ledger_entry"
            " WHERE merchant_id = $1 AND booked_at = $2 AND event_id = $3 ORDER BY line",
            merchant_id,
            booked_at,
            event_id,
        )
        return tuple(Posting(r["account"], r["currency"], r["minor"]) for r in rows)

    async def position(
        self, queries: Queries, merchant_id: UUID, mode: str, currency: str
    ) -> Position:
        """Payable and prepaid of one merchant, as the balances say now."""
        rows = await queries.fetch(
            "SELECT account, minor FROM balance WHERE merchant_id = $1 AND mode = $2"
            " AND currency = $3 AND account IN ('payable', 'prepaid')",
            merchant_id,
            mode,
            currency,
        )
        minor = {row["account"]: row["minor"] for row in rows}
        return Position(minor.get("payable", 0), minor.get("prepaid", 0))


async def _lock_open_day(tx: Tx, merchant_id: UUID) -> asyncpg.Record:
    """The open day, held so that nobody else closes it.

    Where a twin closed it while we waited for its row, the first look finds nothing; the next
    one has a newer snapshot and finds the day that the twin opened.
    """
    for _ in range(_DAY_TRIES):
        row = await tx.fetchrow(
            "SELECT day, ends_at FROM business_day"
            " WHERE merchant_id = $1 AND closed_at IS NULL FOR UPDATE",
            merchant_id,
        )
        if row is not None:
            return row
    raise Bug(f"merchant {merchant_id} has no open business day")


async def _open_day(
    tx: Tx, merchant_id: UUID, cut: DayCut, day: date, starts_at: datetime | None = None
) -> None:
    """A changed cut counts from the next day on: the new day starts where the last one ended."""
    starts = starts_at or cut.start_of(day)
    ends = cut.start_of(day + timedelta(days=1))
    if ends <= starts:
        ends = cut.start_of(day + timedelta(days=2))
    await tx.execute(
        "INSERT INTO business_day (merchant_id, day, starts_at, ends_at) VALUES ($1, $2, $3, $4)",
        merchant_id,
        day,
        starts,
        ends,
    )


# The event goes first: where its key is taken, the other two inserts have nothing to insert.
# Balances come last and in a fixed order, so that two bookings of one merchant never deadlock.
_BOOK: Final = """
WITH event AS (
    INSERT INTO ledger_event
        (merchant_id, event_key, id, kind, mode, day, booked_at, order_id, reverses)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (merchant_id, event_key) DO NOTHING
    RETURNING id
), moved AS (
    SELECT line, account, currency, minor
    FROM event, unnest($11::text[], $12::text[], $13::bigint[])
         WITH ORDINALITY AS m (account, currency, minor, line)
), entries AS (
    INSERT INTO ledger_entry
        (merchant_id, booked_at, event_id, line, kind, mode, day, account, currency, minor,
         product_code)
    SELECT $1, $7, $3, line, $4, $5, $6, account, currency, minor, $10 FROM moved
)
INSERT INTO balance AS b (merchant_id, mode, currency, account, minor)
SELECT $1, $5, currency, account, minor FROM moved ORDER BY line
ON CONFLICT (merchant_id, mode, currency, account)
DO UPDATE SET minor = b.minor + excluded.minor
RETURNING b.account
"""
