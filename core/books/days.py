"""Business days: a holder's open day is held while something is booked in it.

Bookings hold their holder's day together with other bookings, and none is made at an instant
before `rolled_to`. So whoever holds the day alone sees everything that will ever be booked before
now: it is added up into the rollups, once, and never looked at one by one again.

The hold is an advisory lock, which waits in line: bookings that come after whoever wants the day
alone let it pass first. A lock of the day's row would let them overtake it for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core.books.rollups import ADD
from core.kernel.clock import DayCut
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.system.store import Queries, Tx

_INSTANT: Final = timedelta(microseconds=1)  # as small as the database tells instants apart
_HOLD: Final = "SELECT day, starts_at, ends_at, rolled_to FROM hold_day($1, $2)"


@dataclass(frozen=True, slots=True)
class SeenDay:
    """An open day as somebody saw it. rolled_to: nothing is booked before it any more."""

    day: date
    ends_at: datetime
    rolled_to: datetime


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """An open day, held so that it cannot be closed while something is booked.

    at: the instant to book at; inside the day, and after everything that is rolled up.
    """

    holder_id: UUID
    day: date
    at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, holder_id: UUID, seen: SeenDay | None, now: datetime) -> BusinessDay:
        """The open day as it was seen, at this instant. None where no day is open. Raises
        DayOver."""
        # Another instance's clock may be a little ahead of ours.
        at = max(now, seen.rolled_to) if seen is not None else now
        if seen is None or at >= seen.ends_at:
            raise DayOver
        return cls(holder_id, seen.day, at, seen.ends_at)

    def after(self, cause_at: datetime | None) -> BusinessDay:
        """The same day at an instant after its cause's, where it is not later already.

        Whoever held the day first may come second to what it books about: it waited for a lock
        meanwhile, or another instance's clock is ahead. None: nothing is the cause.
        """
        if cause_at is None or self.at > cause_at:
            return self
        return replace(self, at=min(cause_at + _INSTANT, self.ends_at - _INSTANT))


class DayOver(Exception):
    """The open business day ended before the booking could be made."""


async def hold(tx: Tx, holder_id: UUID, now: datetime) -> BusinessDay:
    """The open day, held until the transaction ends. Raises DayOver."""
    row = await tx.fetchrow(_HOLD, holder_id, False)
    seen = SeenDay(row["day"], row["ends_at"], row["rolled_to"]) if row is not None else None
    return BusinessDay.of(holder_id, seen, now)


async def open_day(
    tx: Tx, holder_id: UUID, cut: DayCut, day: date, starts_at: datetime | None = None
) -> None:
    """A changed cut counts from the next day on: the new day starts where the last one ended."""
    starts = starts_at or cut.start_of(day)
    await tx.execute(
        "INSERT INTO business_day (holder_id, day, starts_at, ends_at, zone, rolled_to, sums_kept)"
        " VALUES ($1, $2, $3, $4, $5, $3, EXISTS (SELECT FROM merchant WHERE id = $1))",
        holder_id,
        day,
        starts,
        cut.end_of(day, starts),
        cut.zone,
    )


async def cut_of(queries: Queries, holder_id: UUID) -> DayCut:
    """How a holder's days are cut from its next one on."""
    row = await queries.fetchrow("SELECT day_cut, zone FROM holder WHERE id = $1", holder_id)
    if row is None:
        raise Bug(f"{holder_id} has no books")
    return DayCut(row["day_cut"], row["zone"])


async def lock_open(tx: Tx, holder_id: UUID) -> asyncpg.Record:
    """The open day, held alone until the transaction ends: nothing is booked meanwhile."""
    row = await tx.fetchrow(_HOLD, holder_id, True)
    if row is None:
        raise Bug(f"{holder_id} has no open business day")
    return row


async def roll_up(tx: Tx, merchant_id: UUID, row: asyncpg.Record, until: datetime) -> None:
    """Add what was booked, created and sent since the last time to the rollups. row: of
    `lock_open`."""
    since = row["rolled_to"]
    # To the millisecond, as orders' instants of creation are, which come from their ids.
    until = until.replace(microsecond=until.microsecond // 1000 * 1000)
    if until <= since:
        return
    for sql in ADD:
        await tx.execute(sql, merchant_id, since, until)
    await tx.execute(
        "UPDATE business_day SET rolled_to = $3 WHERE holder_id = $1 AND day = $2",
        merchant_id,
        row["day"],
        until,
    )


async def close(tx: Tx, holder_id: UUID, row: asyncpg.Record, now: datetime) -> None:
    """Close a day that is rolled up to its end, and keep the balances it closes with."""
    closed = await tx.execute(
        "UPDATE business_day SET closed_at = $3"
        " WHERE holder_id = $1 AND day = $2 AND closed_at IS NULL",
        holder_id,
        row["day"],
        now,
    )
    if not closed:
        raise Bug(f"the day {row['day']} of {holder_id} was closed twice")
    await tx.execute(
        "INSERT INTO closing (holder_id, day, mode, currency, account, minor)"
        " SELECT merchant_id, $2, mode, currency, account, minor FROM balance"
        " WHERE merchant_id = $1",
        holder_id,
        row["day"],
    )


async def keep_sums(tx: Tx, holder_id: UUID, accounts: str) -> date | None:
    """Keep what all merchants' accounts of a pattern came to at the end of the holder's oldest
    closed day that is not summed up yet. Returns that day; None where there is none, or books are
    behind its end."""
    row = await tx.fetchrow(
        "SELECT day, starts_at, ends_at FROM business_day"
        " WHERE holder_id = $1 AND closed_at IS NOT NULL AND NOT sums_kept"
        " ORDER BY day LIMIT 1 FOR UPDATE",
        holder_id,
    )
    if row is None or await tx.fetchval(
        "SELECT EXISTS (SELECT FROM business_day WHERE closed_at IS NULL AND rolled_to < $1)",
        row["ends_at"],
    ):
        return None
    day: date = row["day"]
    former = day - timedelta(days=1)
    span = (row["starts_at"], row["ends_at"])
    await tx.execute(_KEEP_SUMS, holder_id, day, former, *span, accounts, HOUSE)
    await tx.execute(
        "UPDATE business_day SET sums_kept = true WHERE holder_id = $1 AND day = $2", holder_id, day
    )
    return day


# Everybody is rolled up past the end of the day: nothing of it is live.
_KEEP_SUMS: Final = """
INSERT INTO closing (holder_id, day, mode, currency, account, minor)
SELECT $1, $2, mode, currency, account, sum(minor)
FROM (
    SELECT mode, currency, account, minor FROM closing WHERE holder_id = $1 AND day = $3
      AND account ~ $6
    UNION ALL
    SELECT mode, currency, account, minor FROM moved_between($4, $5, $5, false)
    WHERE account ~ $6
) m
WHERE $1 <> $7 OR account !~ '^(bank|supplier/)'
GROUP BY mode, currency, account
"""
