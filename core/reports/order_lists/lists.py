"""Reads orders by pages, the newest first, and what all of a filter come to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from core.kernel import codec
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.ids import Ids, number_month, read_number
from core.people.actors import Actor
from core.reports.order_lists import statements
from core.reports.order_lists.filters import Conditions, OrderFilter
from core.reports.order_lists.sights import Sight, sight_of
from core.system import retention
from core.system.store import Store, Tx
from core.trade.orders import standing_of

PAGE: Final = 10
KEPT_FOR: Final = timedelta(days=30)  # so long a list can be turned
MINUTES: Final = (10, 30, 60)
_LONGEST: Final = timedelta(minutes=max(MINUTES))
_MONTH: Final = timedelta(days=32)
_NEXT: Final = timedelta(microseconds=1)
_READ_AT_ONCE: Final = timedelta(hours=6)

Way = Literal["first", "older", "newer"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page: the first, or the lines that are older or newer than the line of a number. page:
    which one that is, from 1."""

    page: int = 1
    way: Way = "first"
    number: str = ""


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """A line: an order; in a supplier's group an attempt, with its number and its state.

    standing: as `standing_of` says; of an attempt its state. news: as in `OrderCard`.
    merchant_order_no: of an attempt the supplier's own number. channel_no: empty where it may not
    be told. paid: its money is here; paid_at, fee_minor and cost_minor are of such an order alone,
    and None where they may not be told. refunded: at least a part of it.
    """

    at: datetime
    number: str
    merchant_order_no: str
    merchant_no: str
    product_code: str
    amount_minor: int
    standing: str
    news: str
    by_hand: bool
    refunded: bool
    channel_no: str
    paid: bool
    paid_at: datetime | None
    fee_minor: int | None
    cost_minor: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What all lines come to. paid: those whose money is here; fee and cost are of these."""

    count: int
    amount_minor: int
    paid: int
    paid_minor: int
    fee_minor: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Recent:
    """What was made in the last so many minutes, and how much of it is paid by now."""

    minutes: int
    created: int
    paid: int


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Lines, the newest first. older: whether others follow. recent: of the last minutes, whatever
    became of these, as far as these are minutes of the list's days; nothing of days that are
    over."""

    turn: Turn
    lines: tuple[ListedOrder, ...]
    older: bool
    totals: Totals
    recent: tuple[Recent, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.totals.count // PAGE))


@dataclass(frozen=True, slots=True)
class FilteredOrders:
    """What is listed: the orders that a filter leaves of those that a reader sees."""

    wanted: OrderFilter
    sight: Sight

    @property
    def rows(self) -> statements.Rows:
        return "orders" if self.sight.supplier_ids is None else "attempts"

    @property
    def holder_ids(self) -> tuple[UUID, ...]:
        """Whose it is: merchants', suppliers', or the platform's."""
        sight = self.sight
        return (sight.merchant_ids if self.rows == "orders" else sight.supplier_ids) or (HOUSE,)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Between which instants rows of whom are looked for. Parallel lists; days: of attempts."""

    ids: list[UUID]
    since: list[datetime]
    until: list[datetime]
    days: list[date]

    def conditions(self) -> Conditions:
        ends = (min(self.since, default=_NEVER), max(self.until, default=_NEVER))
        days = (self.days,) if self.days else ()
        return Conditions(self.ids, self.since, self.until, *ends, *days)

    def before(self, at: datetime) -> _Scope:
        return replace(self, until=[min(one, at + _NEXT) for one in self.until])

    def after(self, at: datetime) -> _Scope:
        return replace(self, since=[max(one, at) for one in self.since])

    def parts(self) -> Iterator[_Scope]:
        """What is read at once, the newest first: a question about all of it would take too
        long."""
        first, last = min(self.since, default=_NEVER), max(self.until, default=_NEVER)
        while last > first:
            since = max(first, last - _READ_AT_ONCE)
            part = self._between(since, last)
            if part.ids:
                yield part
            last = since

    def _between(self, since: datetime, until: datetime) -> _Scope:
        places = [
            place
            for place, (begins, ends) in enumerate(zip(self.since, self.until, strict=True))
            if begins < until and ends > since
        ]
        return _Scope(
            [self.ids[place] for place in places],
            [max(self.since[place], since) for place in places],
            [min(self.until[place], until) for place in places],
            [self.days[place] for place in places] if self.days else [],
        )


class WholeList:
    """All lines of a list, as they stood at one moment. totals: what they come to."""

    def __init__(self, tx: Tx, listed: FilteredOrders, scope: _Scope, totals: Totals) -> None:
        self._tx = tx
        self.listed = listed
        self._scope = scope
        self.totals = totals

    async def trace(self) -> str:
        """A number that is another one as soon as a line says something else."""
        found = 0
        for part in self._scope.parts():
            conditions = part.conditions()
            sql = statements.trace_of(self.listed.rows, self.listed.wanted, conditions)
            found += int(await self._tx.fetchval(sql, *conditions.args))
        return str(found)

    async def lines(self, rows: int) -> AsyncIterator[list[ListedOrder]]:
        """The newest first, at most so many at a time."""
        for part in self._scope.parts():
            conditions = part.conditions()
            sql = statements.page_of(self.listed.rows, self.listed.wanted, conditions, "DESC")
            async for chunk in self._tx.chunks(sql, *conditions.args, rows=rows):
                yield [_line(row, self.listed) for row in chunk]


class OrderLists:
    """Lists of orders. What a list is about is kept as a row, so that its buttons carry its id."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    def seen(self, actor: Actor, wanted: OrderFilter) -> FilteredOrders:
        """What this actor sees of it here. Refusals: those of `sight_of`."""
        return FilteredOrders(wanted, sight_of(actor, wanted))

    async def keep(self, wanted: OrderFilter) -> UUID:
        """Remember a filter; its id."""
        list_id = self._ids.uuid7()
        now = self._clock.now()
        await self._store.execute(statements.KEEP, list_id, codec.pack(wanted), now)
        return list_id

    async def kept(self, list_id: UUID) -> OrderFilter:
        """Refusals: list_gone."""
        facts = await self._store.fetchval(statements.KEPT, list_id)
        if facts is None:
            raise Refusal("list_gone")
        return codec.unpack(OrderFilter, facts)

    async def page(self, listed: FilteredOrders, turn: Turn) -> OrderPage:
        """A page, and what all of them come to, of one moment. A line that is not there (any more)
        leads to the first page."""
        async with self._store.snapshot() as tx:
            scope = await _scope_of(tx, listed)
            totals = await _totals(tx, listed, scope)
            recent = await _recent(tx, listed, scope, self._clock.now())
            if turn.page > 1 and turn.way != "first":
                place = await _place(tx, listed, turn.number)
                if place is not None:
                    lines, older = await _turned(tx, listed, scope, turn, place)
                    return OrderPage(turn, lines, older, totals, recent)
            first = await _lines(tx, listed, scope, None, "DESC")
        return OrderPage(Turn(), tuple(first[:PAGE]), len(first) > PAGE, totals, recent)

    async def whole(self, tx: Tx, listed: FilteredOrders) -> WholeList:
        """All lines, as they stand in this snapshot."""
        scope = await _scope_of(tx, listed)
        return WholeList(tx, listed, scope, await _totals(tx, listed, scope))

    async def recent(self, listed: FilteredOrders) -> tuple[Recent, ...]:
        """Success of the last minutes."""
        async with self._store.snapshot() as tx:
            scope = await _scope_of(tx, listed)
            return await _recent(tx, listed, scope, self._clock.now())

    async def forget_old(self) -> int:
        """Drop filters of lists that nobody turns any more."""
        before = self._clock.now() - KEPT_FOR
        return await retention.drop_rows(self._store, statements.DROP, before)


async def _scope_of(tx: Tx, listed: FilteredOrders) -> _Scope:
    """Where the rows of a list lie."""
    days, sight = listed.wanted.days, listed.sight
    if sight.supplier_ids is not None:
        ids = list(sight.supplier_ids)
        rows = await tx.fetch(statements.CHANNEL_SPANS, ids, days.first, days.last)
    else:
        ids = list(sight.merchant_ids or ())
        if sight.merchant_ids is None:
            ids = await tx.fetchval(statements.EVERYBODY)
        rows = await tx.fetch(statements.SPANS, ids, days.first, days.last)
    ids, since, until = ([row[name] for row in rows] for name in ("id", "since", "until"))
    own = sight.supplier_ids is not None
    return _Scope(ids, since, until, [row["day"] for row in rows] if own else [])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line stands: when it was made, and what tells it from others of that instant."""

    at: datetime
    of: object


async def _place(tx: Tx, listed: FilteredOrders, number: str) -> _Place | None:
    facts = read_number(number)
    if facts is None:
        return None
    args: list[object] = [facts.merchant_tag, number]
    if listed.rows == "attempts":
        month = number_month(number)
        args += [month, month + _MONTH]
    row = await tx.fetchrow(statements.PLACES[listed.rows], *args)
    return _Place(row["at"], row["of"]) if row else None


async def _turned(
    tx: Tx, listed: FilteredOrders, scope: _Scope, turn: Turn, place: _Place
) -> tuple[tuple[ListedOrder, ...], bool]:
    """(the lines of a page, whether others follow)."""
    if turn.way == "older":
        lines = await _lines(tx, listed, scope, place, "DESC")
        return tuple(lines[:PAGE]), len(lines) > PAGE
    return tuple((await _lines(tx, listed, scope, place, "ASC"))[-PAGE:]), True


async def _recent(
    tx: Tx, listed: FilteredOrders, scope: _Scope, now: datetime
) -> tuple[Recent, ...]:
    begins, ends = min(scope.since, default=now), max(scope.until, default=_NEVER)
    minutes = [one for one in MINUTES if begins <= now - timedelta(minutes=one)]
    if ends <= now or not minutes:
        return ()
    conditions = scope.after(now - _LONGEST).before(now).conditions()
    # What became of them is the question.
    wanted = replace(listed.wanted, pay="", news="", marks=())
    sql = statements.recent_of(listed.rows, wanted, conditions)
    conditions.args[-2:] = [now, minutes]
    return tuple(Recent(**dict(row)) for row in await tx.fetch(sql, *conditions.args))


async def _lines(
    tx: Tx, listed: FilteredOrders, scope: _Scope, place: _Place | None, way: statements.Direction
) -> list[ListedOrder]:
    """The newest first; one more than a page has, where there is one."""
    if place is not None:
        scope = scope.before(place.at) if way == "DESC" else scope.after(place.at)
    conditions = scope.conditions()
    if place is not None:
        sign, key = "<" if way == "DESC" else ">", _KEYS[listed.rows]
        conditions.add(f"({key}) {sign} ({{}}::timestamptz, {{}})", place.at, place.of)
    sql = statements.page_of(listed.rows, listed.wanted, conditions, way)
    conditions.args[-1] = PAGE + 1
    rows = await tx.fetch(sql, *conditions.args) if scope.ids else []
    return [_line(row, listed) for row in rows]


async def _totals(tx: Tx, listed: FilteredOrders, scope: _Scope) -> Totals:
    conditions = scope.conditions()
    sql = statements.totals_of(listed.rows, listed.wanted, conditions)
    if not scope.ids:
        return Totals(0, 0, 0, 0, 0, 0)
    row = await tx.fetchrow(sql, *conditions.args)
    assert row is not None
    return Totals(**dict(row))


def _line(row: Any, listed: FilteredOrders) -> ListedOrder:
    shared = {name: row[name] for name in ("at", "number", "product_code", "amount_minor")}
    if listed.rows == "attempts":
        return ListedOrder(
            **shared,
            merchant_order_no=row["upstream_no"] or "",
            merchant_no="",
            standing=row["state"],
            news="none",
            by_hand=False,
            refunded=False,
            channel_no=row["channel_no"],
            paid=row["state"] == "paid",
            paid_at=None,
            fee_minor=None,
            cost_minor=None,
        )
    standing = standing_of(
        row["state"], how=row["paid_how"], late=row["paid_late"], disputed=row["disputed"]
    )
    sight, paid = listed.sight, row["paid_at"] is not None and not row["disputed"]
    return ListedOrder(
        **shared,
        merchant_order_no=row["merchant_order_no"],
        merchant_no=row["merchant_no"],
        standing=standing,
        news=row["news"],
        by_hand=row["paid_how"] == "completed",
        refunded=row["state"] in ("partially_refunded", "refunded"),
        channel_no=row["channel_no"] if sight.channels else "",
        paid=paid,
        paid_at=row["paid_at"] if paid else None,
        fee_minor=row["fee_minor"] if paid and sight.fees else None,
        cost_minor=row["cost_minor"] if paid and sight.costs else None,
    )


_KEYS: Final[dict[statements.Rows, str]] = {
    "orders": "o.created_at, o.id",
    "attempts": "a.created_at, a.attempt_no",
}
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
