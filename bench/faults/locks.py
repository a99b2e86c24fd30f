"""Somebody holds a lock: a reader of all tables, a session left open, a desk that is frozen."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Final

import asyncpg

from bench.faults.kit import Desk, Meter, NotSo, Row, Site, until

CREATE_BAR_S: Final = 2.0
OWN_BAR_S: Final = 5.0
_MONTHS_AHEAD: Final = 24
_MADE_S: Final = 30.0
_PACE_S: Final = 0.2
_HELD_TIMES: Final = 3
# So often is a desk frozen and looked at until it is caught in the middle of a booking.
_TRIES: Final = 400
_CATCH_S: Final = 0.05


async def reader_and_months(place: Site, *, creates: int = 50) -> list[Row]:
    """Months are made as the timetable makes them."""

    async def months() -> str:
        async with place.database() as owner:
            await owner.execute("SET ROLE paydesk_desk")
            ask = ("SELECT make_months($1, $2) = 0", _this_month(), _MONTHS_AHEAD)
            await until(lambda: owner.fetchval(*ask), what="months", within_s=_MADE_S)
        return "months made meanwhile"

    return [await _beside_reader(place, "months are made", months, creates)]


async def reader_and_migrate(place: Site, *, creates: int = 50) -> list[Row]:
    """The command, as it is run at every start of a desk that knows the owner's address."""

    async def migrate() -> str:
        address = place.postgres.owner_dsn()
        code, said = await place.desks[0].command("migrate", DATABASE_OWNER_URL=address)
        if code:
            raise NotSo(f"migrate ended with {code}: {said}")
        return "migrate went through meanwhile"

    return [await _beside_reader(place, "migrate runs", migrate, creates)]


async def stuck_session(
    place: Site, *, creates: int = 30, bar_s: float = CREATE_BAR_S, own_bar_s: float = OWN_BAR_S
) -> list[Row]:
    """A session that holds a merchant's day and balances, and asks nothing any more.

    bar_s, own_bar_s: of others' creates, and of that merchant's.
    """
    held = place.town.numbers[0]
    whose = await place.merchant_id(held)
    async with place.database() as session, session.transaction():
        await session.execute("SELECT FROM hold_day($1, true)", whose)
        await session.execute("SELECT FROM balance WHERE merchant_id = $1 FOR UPDATE", whose)
        return await _beside_stuck(place, "locks: stuck session", held, creates, bar_s, own_bar_s)


async def frozen_desk(place: Site, *, creates: int = 30) -> list[Row]:
    """The second of two desks stands still in the middle of a booking."""
    held = place.town.numbers[0]
    async with _frozen_in_booking(place, place.desks[1], held):
        return await _beside_stuck(place, "locks: frozen desk", held, creates)


async def _beside_reader(
    place: Site, what: str, work: Callable[[], Awaitable[str]], creates: int
) -> Row:
    await _drop_last_month(place)
    async with place.database() as reader, reader.transaction():
        tables = await reader.fetchval(
            "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public'"
        )
        await reader.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
        shop = place.shop(place.desks[0])
        load = asyncio.create_task(shop.creates(creates, _PACE_S, place.town.numbers))
        try:
            said = await work()
        except (NotSo, asyncpg.PostgresError) as error:
            said = str(error)
        meter = await load
    done = f"a transaction reads all tables, as a dump does, while {what}"
    return _creates_row("locks: reader", done, meter, f"; {said}", ok="meanwhile" in said)


async def _beside_stuck(
    place: Site,
    fault: str,
    held: str,
    creates: int,
    bar_s: float = CREATE_BAR_S,
    own_bar_s: float = OWN_BAR_S,
) -> list[Row]:
    """Everybody creates orders at the first desk, the merchant that is held so much more often
    than all others together that its own would take all connections there are."""
    others = [number for number in place.town.numbers if number != held]
    merchants = [number for other in others for number in (*[held] * _HELD_TIMES, other)]
    calls = creates * (_HELD_TIMES + 1)
    meter = await place.shop(place.desks[0]).creates(calls, _PACE_S / 2, merchants)
    theirs = meter.only(lambda call: call.merchant_no != held)
    own = meter.only(lambda call: call.merchant_no == held)
    done = f"{len(theirs)} creates of others, {len(own)} of the merchant whose locks are held"
    measured = f"{own.answers()}; longest {own.longest_s:.2f} s"
    told = own.unanswered == 0 and own.longest_s <= own_bar_s
    return [
        _creates_row(fault, done, theirs, " of others", bar_s=bar_s),
        Row(fault, done, measured, f"all answered in ≤ {own_bar_s:.0f} s", told),
    ]


def _creates_row(
    fault: str, done: str, meter: Meter, more: str, *, ok: bool = True, bar_s: float = CREATE_BAR_S
) -> Row:
    good = meter.count(201) == len(meter) and meter.p95_s <= bar_s
    bar = f"all 201, p95 ≤ {bar_s:.0f} s"
    return Row(fault, done, f"{meter.answers()}, {meter.times()}{more}", bar, ok and good)


@asynccontextmanager
async def _frozen_in_booking(place: Site, desk: Desk, merchant_no: str) -> AsyncIterator[None]:
    """A desk that stands still while one of its sessions holds balances of this merchant. Orders
    are paid until that comes about."""
    enough = asyncio.Event()
    paid = place.shop().creates(_TRIES, _PACE_S, [merchant_no], enough=enough, created=place.pay)
    load = asyncio.create_task(paid)
    try:
        async with place.database() as owner:
            for _ in range(_TRIES):
                desk.send(signal.SIGSTOP)
                if await _stuck_sessions(owner):
                    break
                desk.send(signal.SIGCONT)
                await asyncio.sleep(_CATCH_S)
            else:
                raise NotSo("the desk is never caught in the middle of a booking")
        enough.set()
        yield
    finally:
        desk.send(signal.SIGCONT)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)


async def _stuck_sessions(owner: asyncpg.Connection[asyncpg.Record]) -> bool:
    """Whether a session waits inside a transaction in which it has written balances, and goes on
    waiting: one of a desk that is not frozen would be on its way."""

    async def inside() -> set[tuple[int, datetime]]:
        rows = await owner.fetch(
            "SELECT DISTINCT pid, xact_start FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE state = 'idle in transaction' AND relation = 'balance'::regclass"
            " AND mode = 'RowExclusiveLock'"
        )
        return {(row["pid"], row["xact_start"]) for row in rows}

    seen = await inside()
    if not seen:
        return False
    await asyncio.sleep(_CATCH_S)
    return bool(seen & await inside())


async def _drop_last_month(place: Site) -> None:
    """So that there is something to make."""
    async with place.database() as owner:
        last = _months_on(_this_month(), _MONTHS_AHEAD - 1)
        for parent in ("orders", "ledger_entry", "supplier_call"):
            await owner.execute(f"DROP TABLE {parent}_{last:%Y_%m}")


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def _months_on(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)
