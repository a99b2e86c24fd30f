"""Statistics: what was asked for, paid and earned, cut as anybody likes to see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from core.books import ORDER_KINDS, ORDERS_SQL
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE, MODE
from core.parties.suppliers import Suppliers
from core.reports.bills import Bills, Live, Tails, cohorts_between, live_of, tails_of
from core.system.store import Store, Tx

By = Literal["merchant", "product", "channel", "hour", "day"]
_COUNTED: Final = ("created", "cohort_paid", "paid", "amount_minor", "fee_minor", "cost_minor")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. first, last: the merchants' own business days, both included. None: all
    merchants, products, channels. by: what rows are told apart by; none: one row.

    zone: whose clocks say the hour (0 to 23) of `by` hour. Hours are cut where UTC's are.
    Refusals: range_reversed, range_too_long, date_invalid.
    """

    first: date
    last: date
    merchant_ids: tuple[UUID, ...] | None = None
    product_codes: tuple[str, ...] | None = None
    channel_nos: tuple[str, ...] | None = None
    mode: str = "live"
    currency: str = "CNY"
    by: tuple[By, ...] = ()
    zone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        Days(self.first, self.last)
        if set(self.by) - set(get_args(By)) or len(set(self.by)) < len(self.by):
            raise Bug(f"statistics cannot be told apart by {', '.join(self.by)}")
        if self.mode not in ("live", "test"):
            raise Bug(f"there is no mode {self.mode}")
        ZoneInfo(self.zone)

    @property
    def by_channel(self) -> bool:
        """Whether success is that of attempts: orders are created without a channel."""
        return "channel" in self.by or self.channel_nos is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One line; keys it is not told apart by are None.

    created: orders, by their day of creation; cohort_paid: how many of them are paid by now.
    Where channels are told apart or chosen, which no created order has, they count attempts
    instead: those that were sent in these days, and of them those that their supplier reported
    as paid (so not what was completed by hand). paid and amounts: by day of booking; fee and cost
    include what came after the orders (refunds, money in suspense).
    """

    created: int
    cohort_paid: int
    paid: int
    amount_minor: int
    fee_minor: int
    cost_minor: int
    merchant_id: UUID | None = None
    product_code: str | None = None
    channel_no: str | None = None
    hour: int | None = None
    day: date | None = None

    @property
    def margin_minor(self) -> int:
        return self.fee_minor - self.cost_minor

    @property
    def success(self) -> Fraction | None:
        """Exactly; None where nothing was created."""
        return Fraction(self.cohort_paid, self.created) if self.created else None

    @property
    def success_tenths(self) -> int | None:
        """Tenths of a percent, rounded half-up: 833 is 83.3 %."""
        return None if self.success is None else _half_up(self.success * 1000)


@dataclass(frozen=True, slots=True)
class Figures:
    """rows: in the order of their keys. average: per day, of the `days` that have begun, each
    figure rounded half-up."""

    rows: tuple[Row, ...]
    total: Row
    average: Row
    days: int


def last_seven_days(open_day: date) -> Days:
    """The seven days before the open one: whole days, so that their averages mean something."""
    return Days(open_day - timedelta(days=7), open_day - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """How soon a supplier answers what it is asked about orders. asked: enquiries; answered: how
    many of them. median_s: until its first answer; None where there is none."""

    supplier_no: str
    asked: int
    answered: int
    median_s: float | None


class Statistics:
    """Reads statistics from what is rolled up and the live tail, or from bills.

    Days of suppliers and of the platform are windows of instants. What was paid then is read from
    their bills, and what was created is counted in the same window, so that both say the same
    where merchants' days are cut elsewhere.
    """

    def __init__(self, store: Store, bills: Bills, suppliers: Suppliers) -> None:
        self._store = store
        self._bills = bills
        self._suppliers = suppliers

    async def read(self, query: Query) -> Figures:
        """The answer, of one moment. Days nothing happened in have no row of their own."""
        async with self._store.snapshot() as tx:
            return await _read(tx, query)

    async def answer_times(
        self, since: datetime, supplier_id: UUID | None = None
    ) -> tuple[AnswerTime, ...]:
        """Of each supplier that was asked about an order since then, or of one."""
        rows = await self._store.fetch(_ANSWER_TIMES, since, supplier_id)
        return tuple(AnswerTime(**dict(row)) for row in rows)

    async def of_platform(
        self, days: Days, cuts: Sequence[By], currency: str = "CNY"
    ) -> list[Figures]:
        """The platform's own days, once for each cut, all of one moment: merchant, product or
        channel.

        Of merchants, those of its bill and one row for all others (merchant_id None). As on the
        bill, cohort_paid are those that were paid before their merchant's day ended.
        """
        today = await self._bills.open_day(HOUSE)
        async with self._store.snapshot() as tx:
            bill = await self._bills.platform_in(tx, days, today, currency)
            known = await tx.fetch("SELECT merchant_no, id FROM merchant")
            begun = await tx.fetchval(_DAYS, [HOUSE], days.first, days.last)
            window, live = (bill.starts_at, bill.ends_at), await live_of(tx)
            cohorts = await cohorts_between(tx, *window, currency, live)
            sent = await _sent(tx, *window, currency, live) if "channel" in cuts else []
        ids = {row["merchant_no"]: row["id"] for row in known}
        merchants = [
            Row(0, 0, x.paid, x.amount_minor, x.fee_minor, x.cost_minor, ids.get(x.merchant_no))
            for x in bill.merchants
        ]
        lines = [
            Row(0, 0, x.paid, x.amount_minor, x.fee_minor, x.cost_minor,
                product_code=x.product_code, channel_no=x.channel_no)
            for x in bill.channels
        ]  # fmt: skip
        counted: dict[By, list[Row]] = {
            "merchant": [
                Row(c.created, c.paid, 0, 0, 0, 0, merchant_id=whose)
                for whose, c in cohorts.by_merchant.items()
            ],
            "product": [
                Row(c.created, c.paid, 0, 0, 0, 0, product_code=code)
                for code, c in cohorts.by_product.items()
            ],
            "channel": sent,
        }
        return [
            _together(_joined(by, merchants if by == "merchant" else lines, counted[by]), begun)
            for by in cuts
        ]

    async def of_supplier(self, supplier_id: UUID, days: Days) -> Figures:
        """A supplier's own days by channel; amounts are what is on its bill, and no fee."""
        supplier = await self._suppliers.by_id(supplier_id)
        today = await self._bills.open_day(supplier_id)
        async with self._store.snapshot() as tx:
            bill = await self._bills.supplier_in(tx, supplier, days, today)
            numbers = await tx.fetch(
                "SELECT channel_no FROM channel WHERE supplier_id = $1", supplier_id
            )
            begun = await tx.fetchval(_DAYS, [supplier_id], days.first, days.last)
            channel_nos = [row["channel_no"] for row in numbers]
            window, live = (bill.starts_at, bill.ends_at), await live_of(tx)
            counted = await _sent(tx, *window, bill.currency, live, channel_nos)
        booked = [
            Row(0, 0, x.paid, x.amount_minor, 0, x.cost_minor, channel_no=x.channel_no)
            for x in bill.lines
        ]
        return _together(_joined("channel", booked, counted), begun)


async def _read(tx: Tx, query: Query) -> Figures:
    ids = query.merchant_ids
    if ids is None:
        ids = await tx.fetchval("SELECT coalesce(array_agg(id), '{}') FROM merchant")
    tails = await tails_of(tx, list(ids))
    begun = await tx.fetchval(_DAYS, list(ids), query.first, query.last)
    found: dict[tuple[Any, ...], Row] = {}
    for table in (_BOOKED, _SENT_ATTEMPTS if query.by_channel else _CREATED):
        for key, counted in await _counted(tx, table, query, tails):
            found[key] = _added([found[key], counted]) if key in found else counted
    rows = tuple(
        replace(found[key], **dict(zip(map(_FIELDS.__getitem__, query.by), key, strict=True)))
        for key in sorted(found)
    )
    return _together(rows, begun)


async def _sent(
    tx: Tx,
    starts_at: datetime,
    ends_at: datetime,
    currency: str,
    live: Live,
    channel_nos: list[str] | None = None,
) -> list[Row]:
    """The attempts that were made between two instants and sent, by channel. channel_nos: on these
    channels; None for all."""
    rows = await tx.fetch(
        _SENT, starts_at, ends_at, MODE, currency, channel_nos, live.since, live.until
    )
    return [
        Row(row["created"], row["paid"], 0, 0, 0, 0, channel_no=row["channel_no"]) for row in rows
    ]


def _joined(by: By, booked: Iterable[Row], counted: Iterable[Row]) -> list[Row]:
    """What was booked, with success of the same keys as it was counted.

    A merchant that the bill does not name is among its others, where it has any.
    """
    field = _FIELDS[by]
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in booked:
        found[getattr(row, field)].append(row)
    others = by == "merchant" and None in found
    for row in counted:
        key = getattr(row, field)
        if others and key not in found:
            key = None
        found[key].append(Row(row.created, row.cohort_paid, 0, 0, 0, 0))
    keys = sorted(found, key=lambda key: (key is None, key))
    return [replace(_added(found[key]), **{field: key}) for key in keys]


def _together(rows: Iterable[Row], days: int) -> Figures:
    """days: how many have begun."""
    kept = tuple(rows)
    total = _added(kept)
    return Figures(kept, total, _shared(total, max(1, days)), days)


@dataclass(frozen=True, slots=True)
class _Table:
    """Where some of a row's figures come from, and its expressions for the keys."""

    source: str
    figures: str
    keys: dict[By, str]


_FIELDS: Final[dict[By, str]] = {
    "merchant": "merchant_id",
    "product": "product_code",
    "channel": "channel_no",
    "hour": "hour",
    "day": "day",
}


async def _counted(
    tx: Tx, table: _Table, query: Query, tails: Tails
) -> list[tuple[tuple[Any, ...], Row]]:
    """(key, figures) of one source; what it does not know is 0."""
    args: list[object] = [tails.merchant_ids, query.mode, query.currency, query.first, query.last]
    args += [query.zone, tails.rolled_to, tails.until, "hour" in query.by]
    args += [tails.live.since, tails.live.until]
    # Where no hour is told apart, nothing else names it.
    where = " AND $6::text IS NOT NULL"
    for column, chosen in (
        ("product_code", query.product_codes),
        ("channel_no", query.channel_nos),
    ):
        # A source without channels is asked only where none are chosen.
        if chosen is not None:
            args.append(list(chosen))
            where += f" AND {column} = ANY(${len(args)}::text[])"
    keys = [f"{table.keys[by]} AS k{place}" for place, by in enumerate(query.by)]
    grouped = " GROUP BY " + ", ".join(f"k{n}" for n in range(len(keys))) if keys else ""
    # The pieces are this module's own; what people choose is handed over as arguments.
    rows = await tx.fetch(
        f"SELECT {', '.join([*keys, table.figures])} {table.source}{where}{grouped}", *args
    )
    read = []
    for row in rows:
        figures: dict[str, Any] = {name: row.get(name, 0) for name in _COUNTED}
        read.append((tuple(row.values())[: len(keys)], Row(**figures)))
    return read


def _added(rows: Iterable[Row]) -> Row:
    """All figures added up, told apart by nothing."""
    sums: dict[str, Any] = dict.fromkeys(_COUNTED, 0)
    for row in rows:
        for name in _COUNTED:
            sums[name] += getattr(row, name)
    return Row(**sums)


def _shared(total: Row, days: int) -> Row:
    shares: dict[str, Any] = {
        name: _half_up(Fraction(getattr(total, name), days)) for name in _COUNTED
    }
    return Row(**shares)


def _half_up(value: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    whole = (abs(value) * 2 + 1) // 2
    return whole if value >= 0 else -whole


_ORDER_KINDS: Final = ", ".join(f"'{kind}'" for kind in ORDER_KINDS)
_HOUR: Final = "extract(hour FROM {at} AT TIME ZONE $6)::int"

# $7 and $8: where each merchant's live tail lies. $9: whether hours are told apart. $10 and $11:
# where all tails lie.
_TAILS: Final = (
    "unnest($1::uuid[], $7::timestamptz[], $8::timestamptz[]) AS t (id, rolled_to, until)"
)

_BOOKED: Final = _Table(
    source=f"FROM {_TAILS}, movement(t.id, t.rolled_to, t.until, $9, $10, $11)"
    " WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5",
    figures=f"""
        coalesce(sum({ORDERS_SQL}), 0)::bigint AS paid,
        coalesce(sum(minor) FILTER (WHERE kind IN ({_ORDER_KINDS})
            AND account IN ('payable', 'fees')), 0)::bigint AS amount_minor,
        coalesce(sum(minor) FILTER (WHERE account = 'fees'), 0)::bigint AS fee_minor,
        coalesce(-sum(minor) FILTER (WHERE account LIKE 'cost/%'), 0)::bigint AS cost_minor""",
    keys={**_FIELDS, "hour": _HOUR.format(at="hour")},
)

_CREATED: Final = _Table(
    source=f"FROM {_TAILS}, order_movement(t.id, t.rolled_to, t.until, $9, $10, $11)"
    " WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5",
    figures="coalesce(sum(created), 0)::bigint AS created,"
    " coalesce(sum(paid), 0)::bigint AS cohort_paid",
    keys={**_FIELDS, "hour": _HOUR.format(at="hour")},
)

_SENT_ATTEMPTS: Final = _Table(
    source=f"FROM {_TAILS}, attempt_movement(t.id, t.rolled_to, t.until, $9, $10, $11)"
    " WHERE mode = $2 AND currency = $3 AND day BETWEEN $4 AND $5",
    figures="coalesce(sum(sent), 0)::bigint AS created,"
    " coalesce(sum(paid), 0)::bigint AS cohort_paid",
    keys={**_FIELDS, "hour": _HOUR.format(at="hour")},
)

# $1 and $2 the instants, $3 mode, $4 currency, $5 the channels or null, $6: since when
# nothing is rolled up, $7: nothing is behind it.
_ANSWER_TIMES: Final = """
SELECT s.supplier_no, count(*) AS asked, count(e.answered_at) AS answered,
    percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM e.answered_at - e.asked_at)::double precision) AS median_s
FROM enquiry e JOIN supplier s ON s.id = e.supplier_id
WHERE e.asked_at >= $1 AND ($2::uuid IS NULL OR e.supplier_id = $2)
GROUP BY s.supplier_no ORDER BY s.supplier_no
"""
_SENT: Final = """
SELECT channel_no, sum(sent)::bigint AS created, sum(paid)::bigint AS paid
FROM sent_between($1, $2, $6, $7, false)
WHERE mode = $3 AND currency = $4 AND ($5::text[] IS NULL OR channel_no = ANY($5))
GROUP BY channel_no HAVING sum(sent) > 0
"""
_DAYS: Final = (
    "SELECT count(DISTINCT day) FROM business_day"
    " WHERE holder_id = ANY($1::uuid[]) AND day BETWEEN $2 AND $3"
)
