"""The database takes no writes, or hangs; Valkey hangs. A desk says so, and soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from bench.faults.kit import Desk, NotSo, Row, Site, frozen, until

ANSWER_BAR_S: Final = 5.0
SLOWER_BAR_S: Final = 0.1
_BACK_S: Final = 30.0
_PACE_S: Final = 0.2


async def database_read_only(place: Site, *, creates: int = 20) -> list[Row]:
    done = "the database takes no writes any more"
    return await _database_away(place, "away: read-only", done, _read_only(place), creates)


async def database_hung(
    place: Site, *, creates: int = 20, bar_s: float = ANSWER_BAR_S
) -> list[Row]:
    done = "SIGSTOP of all of PostgreSQL's processes"
    return await _database_away(place, "away: hung", done, _hung(place), creates, bar_s)


async def valkey_hung(place: Site, *, creates: int = 50, bar_s: float = SLOWER_BAR_S) -> list[Row]:
    """bar_s: how much slower the median create may be."""
    fault, done = "away: Valkey hung", f"SIGSTOP of Valkey; {creates} creates before, as many then"
    desk, numbers = place.desks[0], place.town.numbers
    shop = place.shop(desk)
    before = await shop.creates(creates, _PACE_S, numbers)
    with frozen(place.valkey_pid):
        during = await shop.creates(creates, _PACE_S, numbers)
        status, _ = await desk.readiness()
    bar = f"all 201, median ≤ {bar_s * 1000:+.0f} ms"
    slower_s = during.median_s - before.median_s
    measured = f"before {before.times()}; then {during.answers()}, {during.times()}"
    good = during.count(201) == len(during) and slower_s <= bar_s
    return [
        Row(fault, done, f"{measured}: {slower_s * 1000:+.0f} ms", bar, good),
        Row(fault, "/readyz then", f"{status}", "200: it works on", status == 200),
    ]


async def _database_away(
    place: Site,
    fault: str,
    done: str,
    away: AbstractAsyncContextManager[None],
    creates: int,
    bar_s: float = ANSWER_BAR_S,
) -> list[Row]:
    desk = place.desks[0]
    shop = place.shop(desk)
    async with away:
        meter, unready = await asyncio.gather(
            shop.creates(creates, _PACE_S, place.town.numbers), _until_unready(desk)
        )
    began_s = time.monotonic()
    back = await _until_served(place, desk)
    wrong = meter.only(lambda call: call.status != 503 or not call.retry_after)
    told = f"{meter.answers()}, longest {meter.longest_s:.2f} s, {len(wrong)} without Retry-After"
    return [
        Row(
            fault,
            f"{creates} creates while {done}",
            told,
            f"all 503 with Retry-After in ≤ {bar_s:.0f} s",
            not len(wrong) and meter.longest_s <= bar_s,
        ),
        Row(fault, "/readyz then", unready or "never 503", "503, database: false", bool(unready)),
        Row(
            fault,
            "afterwards",
            f"served again after {time.monotonic() - began_s:.1f} s" if back else "never served",
            "served again ≤ 10 s",
            back and time.monotonic() - began_s <= 10,
        ),
    ]


async def _until_unready(desk: Desk) -> str:
    """What /readyz says once it is 503; '' where it never is."""
    began_s = time.monotonic()

    async def look() -> str:
        status, parts = await desk.readiness()
        took_s = time.monotonic() - began_s
        if status == 503 and parts.get("database") is False:
            return f"503, database: false, after {took_s:.1f} s"
        return ""

    try:
        return await until(look, what="/readyz says 503", within_s=15)
    except NotSo:
        return ""


async def _until_served(place: Site, desk: Desk) -> bool:
    async def look() -> bool:
        return (await place.shop(desk).create(place.town.numbers[0])).status == 201

    try:
        return await until(look, what="orders are taken again", within_s=_BACK_S)
    except NotSo:
        return False


@asynccontextmanager
async def _read_only(place: Site) -> AsyncIterator[None]:
    await _set_read_only(place, "on")
    try:
        yield
    finally:
        await _set_read_only(place, "off")


async def _set_read_only(place: Site, to: str) -> None:
    """For all sessions that begin from now on; those there are have to begin anew."""
    async with place.database() as owner:
        await owner.execute(f"ALTER DATABASE paydesk SET default_transaction_read_only = {to}")
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'paydesk_desk' AND pid <> pg_backend_pid()"
        )


@asynccontextmanager
async def _hung(place: Site) -> AsyncIterator[None]:
    with frozen(place.postgres_pid):
        yield
