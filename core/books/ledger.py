"""The ledger: events booked once, entries that are never edited, and balances."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar
from uuid import UUID

from core.books import days
from core.books.calendar import Calendar
from core.books.days import BusinessDay, DayOver
from core.books.kinds import KINDS, ORDER_KINDS
from core.books.open_days import OpenDays
from core.books.postings import Posting, Postings, assert_balanced
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.ids import Ids
from core.system.store import Queries, Store, Tx

T = TypeVar("T")
_DAY_TRIES: Final = 3
_MAX_VOLUMES: Final = 4096


class AlreadyBooked(Exception):
    """An event of this key is in the books already; nothing was written."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be booked. key: unique per merchant for ever, such as 'paid:<order id>'.

    kind: one of `KINDS`. product_code, channel_no: what bills group by; '' where none. A posting
    may name a channel of its own.
    """

    key: str
    kind: str
    mode: str
    postings: tuple[Posting, ...]
    order_id: UUID | None = None
    product_code: str = ""
    channel_no: str = ""
    reverses: UUID | None = None

    def pack(self, event_id: UUID, day: BusinessDay) -> dict[str, object]:
        """The event, booked in the day under this id, as the database's `book_events` takes it."""
        assert_balanced(self.postings)
        if not self.postings or self.kind not in KINDS:
            raise Bug(f"the event {self.key} ({self.kind}) moves nothing that is known")
        lines = sorted(
            (p.currency, p.account, p.channel_no or self.channel_no, p.minor) for p in self.postings
        )
        if len({line[:3] for line in lines}) != len(lines):
            raise Bug(f"the event {self.key} names an account of a channel twice")
        return {
            "id": event_id,
            "event_key": self.key,
            "kind": self.kind,
            "mode": self.mode,
            "day": day.day,
            "booked_at": day.at,
            "order_id": self.order_id,
            "reverses": self.reverses,
            "product_code": self.product_code,
            "lines": [
                {"line": line, "currency": currency, "account": account, "minor": minor,
                 "channel_no": channel_no}
                for line, (currency, account, channel_no, minor) in enumerate(lines, 1)
            ],
        }  # fmt: skip


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
        return MerchantBalance.of(self.minor, self.advanced_minor).prepaid_minor


@dataclass(frozen=True, slots=True)
class MerchantBalance:
    """A position as people read it; none of the three is negative. prepaid: what remains of what
    was advanced. owing: what the merchant owes us beyond that. owed: what we owe it."""

    prepaid_minor: int
    owing_minor: int
    owed_minor: int

    @staticmethod
    def of(position_minor: int, advanced_minor: int) -> MerchantBalance:
        """advanced_minor: net of what was taken back. No more than that is called prepaid."""
        left = max(0, -position_minor)
        prepaid = min(left, max(0, advanced_minor))
        return MerchantBalance(prepaid, left - prepaid, max(0, position_minor))

    @staticmethod
    def sum_of(balances: Iterable[MerchantBalance]) -> MerchantBalance:
        """Of several merchants: nothing is netted."""
        all_ = list(balances)
        return MerchantBalance(
            sum(one.prepaid_minor for one in all_),
            sum(one.owing_minor for one in all_),
            sum(one.owed_minor for one in all_),
        )

    @property
    def net_minor(self) -> int:
        """The position that this is."""
        return self.owed_minor - self.owing_minor - self.prepaid_minor

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """What is not 0, by name: prepaid, owing, owed."""
        named = (
            ("prepaid", self.prepaid_minor),
            ("owing", self.owing_minor),
            ("owed", self.owed_minor),
        )
        return tuple((name, minor) for name, minor in named if minor)


class Ledger:
    """The books of all merchants. Locks are taken in one order: what orders are charged, day,
    order, attempts, balances. calendar: the business days in which they are kept; open_days: the
    open ones, as they were seen."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self.calendar = Calendar(store, clock)
        self.open_days = OpenDays(store, clock, self.calendar)
        self._volumes: dict[tuple[UUID, str, str, str, date], int] = {}

    async def in_open_day(
        self,
        holder_id: UUID,
        work: Callable[[Tx, BusinessDay], Awaitable[T]],
        *,
        before: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> T:
        """Run `work` in one transaction that holds the holder's open business day.

        before: what is done in it while the day is not held yet, so that nobody waits for it.

        A day that is over is closed and the next one opened first, so that what is booked after
        the cut is never in the day before it. holder_id: a merchant; HOUSE for the desk's own
        books.
        """

        async def in_one(tx: Tx, held: Mapping[UUID, BusinessDay]) -> T:
            return await work(tx, held[holder_id])

        return await self.in_open_days([holder_id], in_one, before=before)

    async def in_open_days(
        self,
        holder_ids: Iterable[UUID],
        work: Callable[[Tx, Mapping[UUID, BusinessDay]], Awaitable[T]],
        *,
        before: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> T:
        """As `in_open_day`, in the days of several holders at once. They are held in the order of
        their ids; `work` is given the day of each."""
        in_order = sorted(set(holder_ids))
        for _ in range(_DAY_TRIES):
            try:
                async with self._store.transaction() as tx:
                    if before is not None:
                        await before(tx)
                    held = {one: await days.hold(tx, one, self._clock.now()) for one in in_order}
                    return await work(tx, held)
            except DayOver:
                for one in in_order:
                    await self.calendar.roll(one)
        raise Bug(f"a business day would not open: {', '.join(map(str, in_order))}")

    async def book(self, tx: Tx, day: BusinessDay, event: Event) -> UUID:
        """Write one event: its row, its entries, its balances, in one round trip.

        Returns the event's id. Raises AlreadyBooked when the key was booked before; the
        transaction stays usable and nothing was written.
        """
        event_id = self._ids.uuid7()
        packed = [event.pack(event_id, day)]
        if not await tx.fetch("SELECT book_events($1, $2)", day.holder_id, packed):
            raise AlreadyBooked(event.key)
        return event_id

    async def postings_of(self, tx: Tx, merchant_id: UUID, event_id: UUID) -> tuple[Posting, ...]:
        """What an event moved, for its reversal. Empty where there is no such event."""
        booked_at = await tx.fetchval(
            "SELECT booked_at FROM ledger_event WHERE merchant_id = $1 AND id = $2",
            merchant_id,
            event_id,
        )
        # With the instant, the entries of one month are looked at instead of all there are.
        await tx.plan_for_values()
        rows = await tx.fetch(
            "SELECT account, currency, minor, channel_no FROM ledger_entry"
            " WHERE merchant_id = $1 AND booked_at = $2 AND event_id = $3 ORDER BY line",
            merchant_id,
            booked_at,
            event_id,
        )
        return tuple(Posting(**row) for row in rows)

    async def hold_balances(self, tx: Tx, merchant_id: UUID, mode: str, *all_of: Postings) -> None:
        """Hold what several events of one transaction will move, before the first is booked: each
        event takes its balances in order, but two of them together would not."""
        accounts = sorted({(p.currency, p.account) for postings in all_of for p in postings})
        await tx.execute(
            _HOLD_BALANCES, merchant_id, mode, [a for _, a in accounts], [c for c, _ in accounts]
        )

    async def volume(
        self, queries: Queries, merchant_id: UUID, mode: str, currency: str, product: str, day: date
    ) -> int:
        """What was paid for a product on the closed days of the month before `day`, in minor
        units, net of completions that were reversed: what tiers by volume go by. Not below 0:
        what is reversed may have been completed in the month before.

        day: none after the open one. The days before it never change, so it is asked once.
        """
        asked = (merchant_id, mode, currency, product, day)
        if asked not in self._volumes:
            if len(self._volumes) >= _MAX_VOLUMES:
                del self._volumes[next(iter(self._volumes))]  # the one that was asked first
            volume_minor: int = await queries.fetchval(
                _VOLUME, *asked, day.replace(day=1), ORDER_KINDS
            )
            self._volumes[asked] = volume_minor
        return self._volumes[asked]

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


_VOLUME: Final = """
SELECT greatest(0, sum(minor))::bigint FROM rollup_entry_day
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND product_code = $4
  AND day >= $6 AND day < $5 AND kind = ANY($7) AND account IN ('payable', 'fees')
"""

_HOLD_BALANCES: Final = """
SELECT FROM balance WHERE merchant_id = $1 AND mode = $2
    AND (account, currency) IN (SELECT * FROM unnest($3::text[], $4::text[]))
ORDER BY currency, account FOR UPDATE
"""
