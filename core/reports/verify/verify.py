"""A look at the books, check by check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE, MODE
from core.parties.merchants import Merchant, Merchants
from core.parties.suppliers import Supplier, Suppliers
from core.reports.bills import Bills
from core.reports.verify.books import BALANCES, BOOKS
from core.reports.verify.days import DAYS, STANDING
from core.reports.verify.nights import Night, Span, everything, tonight
from core.reports.verify.orders import ORDERS, RESERVES
from core.reports.verify.records import RECORDS, SUSPENSE
from core.system.store import Store, Tx

# A question about many days takes as long as it takes, within a night.
QUERY_TIMEOUT_S: Final = 3600.0
# How many closed days' bills of each merchant are read again.
BILLS: Final = 40
ADD_UP: Final = "bills add up"
JOIN: Final = "bills join"
OPEN_BILL: Final = "the open bill closes at the balances"


@dataclass(frozen=True, slots=True)
class Check:
    """A query that answers a row (at, found) for every place where a rule is broken. ends: of a
    span that it asks about: both (2), or from its beginning on (1); 0: it looks at all there is."""

    sql: str
    ends: int

    def args(self, span: Span) -> tuple[datetime, ...]:
        return (span.starts_at, span.ends_at)[: self.ends]


CHECKS: Final[dict[str, Check]] = {
    **{what: Check(sql, 2) for what, sql in {**BOOKS, **DAYS, **ORDERS, **RECORDS}.items()},
    **{what: Check(sql, 1) for what, sql in BALANCES.items()},
    **{what: Check(sql, 0) for what, sql in {**STANDING, **RESERVES, **SUSPENSE}.items()},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Two numbers that should be the same. what: which rule; where: the ids; found: in words."""

    what: str
    where: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.found}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was re-added, and what was found; no difference where the books are right."""

    differences: tuple[Difference, ...]
    night: Night


class _Bill(Protocol):
    @property
    def opening_minor(self) -> int: ...
    @property
    def closing_minor(self) -> int: ...


B = TypeVar("B", bound=_Bill)
_Choose = Callable[[date, date, Mapping[date, datetime]], Night]
_Read = Callable[[Tx, date], Awaitable[list["Difference"]]]


class Verify:
    """Checks the books against themselves, the orders and the bills."""

    def __init__(
        self, store: Store, clock: Clock, merchants: Merchants, suppliers: Suppliers, bills: Bills
    ) -> None:
        self._store = store
        self._clock = clock
        self._merchants = merchants
        self._suppliers = suppliers
        self._bills = bills

    async def whole(self) -> Verified:
        """Re-add all there is."""
        return await self._books(everything)

    async def tonight(self) -> Verified:
        """Re-add what is new, and an old share in turn."""
        return await self._books(tonight)

    async def _books(self, choose: _Choose) -> Verified:
        """What is compared with each other is of one moment: each check is one question, and each
        holder's bills are read in a snapshot. No snapshot lasts longer than that, as nothing that
        is deleted meanwhile can be cleared away.
        """
        night = await self._night(choose)
        found: list[Difference] = []
        for span in night.spans:
            wrong = await self._ask(span, whole=False)
            await self._note(span, right=not wrong)
            found += wrong
        found += await self._ask(night.spans[-1], whole=True)
        return Verified((*found, *await self._all_bills()), night)

    async def _night(self, choose: _Choose) -> Night:
        span = await self._store.fetchrow(_OVER)
        rows = await self._store.fetch("SELECT day, at FROM verified_day")
        right = {row["day"]: row["at"] for row in rows}
        today = self._clock.now().date()
        first = (span["first"] if span else None) or today
        return choose(first, max(first, (span["until"] if span else None) or today), right)

    async def _ask(self, span: Span, *, whole: bool) -> list[Difference]:
        """By the checks that are about a span alone; whole: by the others, up to now."""
        found: list[Difference] = []
        for what, check in CHECKS.items():
            if whole == (check.ends < 2):
                async with self._store.snapshot() as tx:
                    rows = await tx.fetch(check.sql, *check.args(span), timeout_s=QUERY_TIMEOUT_S)
                found += [Difference(what, row["at"], row["found"]) for row in rows]
        return found

    async def _note(self, span: Span, *, right: bool) -> None:
        """A day that is wrong is re-added every night, until it is right."""
        if right:
            await self._store.execute(_RIGHT, list(span.days), self._clock.now())
        else:
            await self._store.execute(
                "DELETE FROM verified_day WHERE day = ANY($1)", list(span.days)
            )

    async def _all_bills(self) -> list[Difference]:
        found: list[Difference] = []
        for merchant in await self._merchants.everybody():
            found += await self._look(merchant.id, partial(self._merchants_bills, merchant))
        for supplier in await self._suppliers.all():
            await self._bring_up(supplier.id)
            found += await self._look(supplier.id, partial(self._suppliers_bill, supplier))
        await self._bring_up(HOUSE)
        found += await self._look(HOUSE, self._platforms_bills)
        return found

    async def _bring_up(self, holder_id: UUID) -> None:
        """Close the day of a window that is over, or what is booked now would lie behind it."""
        with suppress(Bug):  # one without an open day, which a check of its own names
            await self._bills.open_day(holder_id)

    async def _look(self, holder_id: UUID, read: _Read) -> list[Difference]:
        """What is wrong with a holder's bills, all of one moment."""
        async with self._store.snapshot() as tx:
            today = await tx.fetchval(_OPEN_DAY, holder_id)
            return await read(tx, today) if today else []

    async def _merchants_bills(self, merchant: Merchant, tx: Tx, today: date) -> list[Difference]:
        """The last closed days' bills add up and join, and the open one closes at the balances."""
        found: list[Difference] = []
        days = await tx.fetch(_LAST_DAYS, merchant.id, BILLS + 1)
        before: int | None = None
        for row in days:
            where = f"{merchant.merchant_no} {row['day']}"
            one = Days.one(row["day"])
            bill = await _read(found, where, self._bills.merchant_in(tx, merchant, one, today))
            if bill is None:
                before = None
                continue
            if before is not None and bill.opening_minor != before:
                words = f"opening {bill.opening_minor}, closing of the day before {before}"
                found.append(Difference(JOIN, where, words))
            before = bill.closing_minor
        stands = await tx.fetchval(_POSITION, merchant.id, MODE, merchant.currency)
        if before is not None and before != stands:
            words = f"bill {before}, balances {stands}"
            where = merchant.merchant_no
            found.append(Difference(OPEN_BILL, where, words))
        return found

    async def _suppliers_bill(self, supplier: Supplier, tx: Tx, today: date) -> list[Difference]:
        """A supplier's open bill closes at what it owes by all merchants' balances."""
        found: list[Difference] = []
        number = supplier.supplier_no
        bill = await _read(
            found, number, self._bills.supplier_in(tx, supplier, _up_to_now(today), today)
        )
        accounts = [f"due/{number}", f"supplier/{number}/settled"]
        owes = await tx.fetchval(_OWED, MODE, supplier.currency, accounts)
        if bill is not None and bill.closing_minor != owes:
            words = f"bill {bill.closing_minor}, balances {owes}"
            found.append(Difference(OPEN_BILL, number, words))
        return found

    async def _platforms_bills(self, tx: Tx, today: date) -> list[Difference]:
        """The platform's open bill closes at the sum of all merchants' balances."""
        found: list[Difference] = []
        for row in await tx.fetch(_POSITIONS, MODE):
            where, currency = f"platform {row['currency']}", row["currency"]
            bill = await _read(
                found, where, self._bills.platform_in(tx, _up_to_now(today), today, currency)
            )
            if bill is not None and bill.closing_minor != row["position"]:
                words = f"bill {bill.closing_minor}, balances {row['position']}"
                found.append(Difference(OPEN_BILL, where, words))
        return found


def _up_to_now(today: date) -> Days:
    """The open day, and the next one, which may begin while the books are read: no booking holds
    a day that is only a window."""
    return Days(today, today + timedelta(days=1))


async def _read(found: list[Difference], where: str, reading: Awaitable[B]) -> B | None:
    """A bill; where it does not add up, that is a difference."""
    try:
        return await reading
    except Bug as bug:
        found.append(Difference(ADD_UP, where, str(bug)))
        return None


# The first day of the books, and the first that is not over.
_OVER: Final = """
SELECT (min(starts_at) AT TIME ZONE 'UTC')::date AS first,
       (min(starts_at) FILTER (WHERE closed_at IS NULL OR NOT sums_kept) AT TIME ZONE 'UTC')::date
       AS until
FROM business_day
"""

_RIGHT: Final = """
INSERT INTO verified_day (day, at) SELECT day, $2 FROM unnest($1::date[]) day
ON CONFLICT (day) DO UPDATE SET at = excluded.at
"""

_OPEN_DAY: Final = "SELECT day FROM business_day WHERE holder_id = $1 AND closed_at IS NULL"

_LAST_DAYS: Final = """
SELECT day FROM (
    SELECT day FROM business_day WHERE holder_id = $1 ORDER BY day DESC LIMIT $2
) AS newest ORDER BY day
"""

_POSITION: Final = """
SELECT coalesce(sum(minor), 0)::bigint FROM balance
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND account IN ('payable', 'prepaid')
"""

_OWED: Final = """
SELECT coalesce(-sum(minor), 0)::bigint FROM balance
WHERE mode = $1 AND currency = $2 AND account = ANY($3::text[])
"""

_POSITIONS: Final = """
SELECT currency, coalesce(sum(minor) FILTER (WHERE account IN ('payable', 'prepaid')), 0)::bigint
       AS position
FROM balance WHERE mode = $1 GROUP BY currency ORDER BY currency
"""
