"""Between which instants a holder's business days lie, and from where their books are added up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.kernel.clock import DayCut
from core.kernel.days import EARLIEST, Days
from core.kernel.errors import Bug
from core.kernel.holder import MODE
from core.system.store import Tx

ONE_DAY: Final = timedelta(days=1)
BEGINNING: Final = datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Base:
    """The newest day before a bill whose closing balances are kept. Before all books: EARLIEST,
    with nothing kept. ends_at: nothing that was booked before it is added up again."""

    day: date
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Bounds:
    """When days begin and end, and on whose clocks the last of them is read."""

    starts_at: datetime
    ends_at: datetime
    zone: str


async def bounds(tx: Tx, holder_id: UUID, cut: DayCut, days: Days) -> Bounds:
    """Of a holder's days. Days that have no row, before the first one or still to come, join those
    that have; beyond them the cut says."""
    before, after = days.first - ONE_DAY, days.last + ONE_DAY
    rows = await tx.fetch(
        "SELECT day, starts_at, ends_at, zone FROM business_day"
        " WHERE holder_id = $1 AND day = ANY($2)",
        holder_id,
        [before, days.first, days.last, after],
    )
    starts = {row["day"]: row["starts_at"] for row in rows}
    ends = {row["day"]: row["ends_at"] for row in rows}
    starts_at = starts.get(days.first) or ends.get(before) or cut.start_of(days.first)
    ends_at = ends.get(days.last) or starts.get(after) or cut.start_of(after)
    zones = {row["day"]: row["zone"] for row in rows}
    zone = zones.get(days.last) or zones.get(days.first) or cut.zone
    return Bounds(starts_at, max(starts_at, ends_at), zone)


@dataclass(frozen=True, slots=True)
class Tails:
    """Where merchants' live tails lie: since when nothing is rolled up, and an instant that nothing
    of the open day is behind. Parallel lists."""

    merchant_ids: list[UUID]
    rolled_to: list[datetime]
    until: list[datetime]

    @property
    def live(self) -> Live:
        """Where all of them lie."""
        return Live(min(self.rolled_to, default=BEGINNING), max(self.until, default=BEGINNING))


async def tails_of(tx: Tx, merchant_ids: list[UUID]) -> Tails:
    """Of these merchants. Where no day is open, nothing is rolled up."""
    rows = await tx.fetch(
        "SELECT m.id, coalesce(d.rolled_to, $2) AS rolled_to,"
        " coalesce(d.ends_at, $2) + interval '1 day' AS until FROM unnest($1::uuid[]) AS m (id)"
        " LEFT JOIN business_day d ON d.holder_id = m.id AND d.closed_at IS NULL",
        merchant_ids,
        BEGINNING,
    )
    return Tails(*([row[name] for row in rows] for name in ("id", "rolled_to", "until")))


@dataclass(frozen=True, slots=True)
class Live:
    """What is not rolled up yet of all merchants together: nothing of it is before `since`, and
    nothing at all is behind `until`."""

    since: datetime
    until: datetime


async def live_of(tx: Tx) -> Live:
    """Read in the snapshot in which it is used."""
    row = await tx.fetchrow(_LIVE, BEGINNING)
    if row is None:
        raise Bug("a minimum always has a row")
    return Live(row["since"], row["until"])


async def base_of(tx: Tx, holder_id: UUID, first: date) -> Base:
    """Where a bill that begins with `first` may start to add up."""
    row = await tx.fetchrow(
        "SELECT day, ends_at FROM business_day"
        " WHERE holder_id = $1 AND day < $2 AND closed_at IS NOT NULL AND sums_kept"
        " ORDER BY day DESC LIMIT 1",
        holder_id,
        first,
    )
    if row is None:
        return Base(EARLIEST - ONE_DAY, BEGINNING)
    return Base(row["day"], row["ends_at"])


async def balances_before(
    tx: Tx,
    holder_id: UUID,
    day: date,
    at: datetime,
    currency: str,
    live: Live,
    accounts: list[str] | None = None,
) -> dict[str, int]:
    """What all merchants' live accounts came to when a holder's day began, at `at`: the newest kept
    balances before it, and what moved since. accounts: None for all of them."""
    base = await base_of(tx, holder_id, day)
    rows = await tx.fetch(
        _BALANCES, holder_id, base.day, MODE, currency, accounts, base.ends_at, at, live.since
    )
    return {row["account"]: row["minor"] for row in rows}


async def kept_of(
    tx: Tx, holder_id: UUID, day: date, currency: str, accounts: list[str] | None = None
) -> dict[str, int] | None:
    """What the same accounts closed a day with; None where it is not summed up yet."""
    base = await base_of(tx, holder_id, day + ONE_DAY)
    if base.day != day:
        return None
    rows = await tx.fetch(_KEPT, holder_id, day, MODE, currency, accounts)
    return {row["account"]: row["minor"] for row in rows}


_LIVE: Final = """
SELECT coalesce(min(rolled_to), $1) AS since,
       coalesce(max(ends_at), $1) + interval '1 day' AS until
FROM business_day WHERE closed_at IS NULL
"""
_KEPT: Final = """
SELECT account, minor FROM closing
WHERE holder_id = $1 AND day = $2 AND mode = $3 AND currency = $4
  AND ($5::text[] IS NULL OR account = ANY($5))
"""

_BALANCES: Final = """
SELECT account, sum(minor)::bigint AS minor
FROM (
    SELECT account, minor FROM closing
    WHERE holder_id = $1 AND day = $2 AND mode = $3 AND currency = $4
      AND ($5::text[] IS NULL OR account = ANY($5))
    UNION ALL
    SELECT account, minor FROM moved_between($6, $7, $8, false)
    WHERE mode = $3 AND currency = $4 AND ($5::text[] IS NULL OR account = ANY($5))
) AS balances
GROUP BY account
"""
