"""Business days: opened, rolled up, closed one after the other, and summed up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.books import days
from core.books.days import BusinessDay
from core.kernel.clock import Clock, DayCut
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import HOUSE
from core.system.store import Queries, Store, Tx

_MAX_DAYS_ROLLED: Final = 4000
# Further than any clock is wrong.
_AHEAD: Final = timedelta(days=1)
_ONE_DAY: Final = timedelta(days=1)
# So many days a moved cut takes at most until days are as long as it says, and one to be sure.
_DAYS_OF_CHANGE: Final = 3


class Calendar:
    """The business days of all books: of merchants, suppliers and the platform.

    More than seven verbs: days are opened, told, rolled up and summed up here alone.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def open_first(self, tx: Tx, holder_id: UUID, cut: DayCut) -> None:
        """The day in which new books begin: a merchant's, a supplier's, the desk's own."""
        await days.open_day(tx, holder_id, cut, cut.day_of(self._clock.now()))

    async def open_house(self) -> None:
        """Open the first day of the platform's own books, where it is not yet."""
        async with self._store.transaction() as tx:
            await tx.hold("open_house")
            if not await tx.fetchval(
                "SELECT EXISTS (SELECT FROM business_day WHERE holder_id = $1)", HOUSE
            ):
                await self.open_first(tx, HOUSE, await days.cut_of(tx, HOUSE))

    async def cut_of(self, holder_id: UUID) -> DayCut:
        """How the holder's days are cut from its next one on."""
        return await days.cut_of(self._store, holder_id)

    async def zone_on(self, holder_id: UUID, day: date) -> str:
        """On whose clocks a holder's business day is read; of a day without books, the next
        one's."""
        zone: str | None = await self._store.fetchval(
            "SELECT zone FROM business_day WHERE holder_id = $1 AND day = $2", holder_id, day
        )
        return zone or (await self.cut_of(holder_id)).zone

    async def today(self, holder_id: UUID) -> date:
        """The business day that is open now; a day that is over is closed first.

        Without a lock: whoever reads a bill must not wait for those who are paid, nor they for
        whoever reads.
        """
        row = await self._store.fetchrow(_OPEN_DAY, holder_id)
        if row is not None and row["ends_at"] <= self._clock.now():
            await self.roll(holder_id)
            row = await self._store.fetchrow(_OPEN_DAY, holder_id)
        if row is None:
            raise Bug(f"{holder_id} has no open business day")
        day: date = row["day"]
        return day

    async def roll(self, holder_id: UUID) -> list[date]:
        """Roll up what was booked so far; close every day that is over and open the present one.

        Returns the days that were closed. Days nothing happened in get a row as well, so that
        closings and openings join without a gap.
        """
        closed: list[date] = []
        async with self._store.transaction() as tx:
            row = await days.lock_open(tx, holder_id)
            for _ in range(_MAX_DAYS_ROLLED):
                now = self._clock.now()
                await days.roll_up(tx, holder_id, row, min(now, row["ends_at"]))
                if now < row["ends_at"]:
                    return closed
                await days.close(tx, holder_id, row, now)
                closed.append(row["day"])
                # Read while the day is held, so that no cut is used that was changed meanwhile.
                cut = await days.cut_of(tx, holder_id)
                following = row["day"] + _ONE_DAY
                await days.open_day(tx, holder_id, cut, following, row["ends_at"])
                row = await days.lock_open(tx, holder_id)
        raise Bug(f"{holder_id} lags more than {_MAX_DAYS_ROLLED} days behind")

    async def due_to_roll(self, limit: int = 500) -> list[UUID]:
        """Whose books are to be rolled: those whose day is over, that have entries which are not
        rolled up, or whom a day of the platform's sums waits for."""
        now = self._clock.now()
        rows = await self._store.fetch(_DUE, now, limit, now + _AHEAD)
        return [row["holder_id"] for row in rows]

    async def keep_sums(
        self, holder_id: UUID, accounts: str, also: Callable[[Tx, UUID, date], Awaitable[None]]
    ) -> None:
        """Keep the closing balances of days of the platform (HOUSE) or of a supplier.

        Their days are windows over all merchants' books, and no booking holds them: they are
        summed up when every merchant is rolled up past their end, after which nothing is booked
        in them any more. accounts: a regular expression of the accounts that are summed up. also:
        called once for each day, in the transaction that keeps its sums.
        """
        for _ in range(_MAX_DAYS_ROLLED):
            async with self._store.transaction() as tx:
                day = await days.keep_sums(tx, holder_id, accounts)
                if day is None:
                    return
                await also(tx, holder_id, day)


async def day_began_at(queries: Queries, holder_id: UUID, now: datetime) -> datetime:
    """The instant at which a holder's present business day began. It closes no day: behind one
    that is over and not closed yet, days begin as they are cut."""
    row = await queries.fetchrow(_OPEN_DAY, holder_id)
    if row is None:
        raise Bug(f"{holder_id} has no open business day")
    day: date = row["day"]
    starts_at: datetime = row["starts_at"]
    ends_at: datetime = row["ends_at"]
    if now < ends_at:
        return starts_at
    cut = await days.cut_of(queries, holder_id)
    for _ in range(_DAYS_OF_CHANGE):
        day, starts_at = day + _ONE_DAY, ends_at
        ends_at = cut.end_of(day, starts_at)
        if now < ends_at:
            return starts_at
    return cut.start_of(cut.day_of(now))


async def set_house_cut(tx: Tx, cut: DayCut) -> None:
    """When the platform's days begin, from its next day on: the open one ends as it would."""
    await tx.execute("UPDATE desk SET day_cut = $1, zone = $2", cut.at, cut.zone)


async def recut(tx: Tx, day: BusinessDay, cut: DayCut) -> tuple[datetime, datetime]:
    """When the held day ends, and when the one after it will, if it is cut like this.

    Refusals: day_cut_too_far: days would be called by the wrong dates from then on.
    """
    ends_at: datetime = await tx.fetchval(
        "SELECT ends_at FROM business_day WHERE holder_id = $1 AND day = $2", day.holder_id, day.day
    )
    following = day.day + _ONE_DAY
    moved_by = cut.start_of(following) - ends_at
    if not -_ONE_DAY < moved_by <= _ONE_DAY:
        raise Refusal("day_cut_too_far")
    return ends_at, cut.end_of(following, ends_at)


_OPEN_DAY: Final = (
    "SELECT day, starts_at, ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL"
)

# Suppliers' days are windows only; a merchant that is idle is rolled when a window needs it.
# OFFSET 0 and a range with two ends: each holder's tail is looked for by its index. $3: nothing is
# behind it, so that months to come are not looked at.
_DUE: Final = """
WITH awaited AS (
    SELECT max(ends_at) AS until FROM business_day WHERE closed_at IS NOT NULL AND NOT sums_kept
)
SELECT d.holder_id FROM business_day d
WHERE d.closed_at IS NULL AND (
    d.ends_at <= $1
    OR d.rolled_to < (SELECT until FROM awaited)
    OR EXISTS (SELECT FROM ledger_entry e
               WHERE e.merchant_id = d.holder_id AND e.booked_at >= d.rolled_to
                 AND e.booked_at < $3 OFFSET 0)
    OR EXISTS (SELECT FROM orders o
               WHERE o.merchant_id = d.holder_id AND o.created_at >= d.rolled_to
                 AND o.created_at < $3 OFFSET 0))
ORDER BY d.rolled_to LIMIT $2
"""
