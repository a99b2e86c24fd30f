"""A merchant's day of many orders: how long its bill takes, and its workbook.

    python -m bench.bills [--orders 100000]

Bars: a bill within 5 ms in the database; 100,000 orders as Excel within 10 s, while the event loop
never stops for more than 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.books import open_shop
from bench.databasetime import DatabaseTime
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.file_builder import Builder, Progress
from bot.process import keep_what_is_there
from core.kernel.days import Days
from core.parties.merchants import Merchant
from core.reports.exports import Paper
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from past import PAID_AFTER, StillClock, book_orders

BEAT_S: Final = 0.005
_MASTER_KEY: Final = "A" * 43 + "="
_REPEATS: Final = 25
_FILES: Final = 3
_OPEN_FOR: Final = timedelta(hours=10)
_TAIL: Final = timedelta(minutes=1)  # so often the books are rolled up
_RUSH: Final = 3  # how much busier than on average the live tail's minute is


class Heartbeat:
    """Measures how long the event loop stands still: `async with Heartbeat() as beat`."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._last = time.perf_counter()
        self._beat()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._last - BEAT_S)
        self._last = now
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)


@dataclass(frozen=True, slots=True)
class BillTime:
    """Medians. call_ms: of the call as a whole; the others: as in `DatabaseTime`."""

    call_ms: float
    executing_ms: float
    answered_ms: float
    statements: int


@dataclass(frozen=True, slots=True)
class FileTime:
    """A workbook. cpu_s: of this process. longest_stop_ms: of the event loop."""

    orders: int
    wall_s: float
    cpu_s: float
    longest_stop_ms: float
    path: Path


async def fill(runtime: Runtime, clock: StillClock, orders: int) -> tuple[Merchant, date]:
    """A closed day of so many paid orders, and an open one that is as busy and is rolled up but
    for its last minute."""
    merchant = await open_shop(runtime)
    # A day that begins now: nothing of it is rolled up yet.
    starts_at = merchant.day_cut.start_of(
        await runtime.reports.bills.open_day(merchant.id) + timedelta(days=1)
    )
    clock.go_to(starts_at)
    day = await runtime.reports.bills.open_day(merchant.id)
    ends_at = merchant.day_cut.start_of(day + timedelta(days=1))
    await book_orders(runtime.system.store, merchant, orders, starts_at, ends_at)
    clock.go_to(ends_at)
    await runtime.ledger.calendar.roll(merchant.id)
    length = ends_at - starts_at
    now = ends_at + _OPEN_FOR
    await book_orders(
        runtime.system.store, merchant, int(orders * (_OPEN_FOR / length)), ends_at, now
    )
    clock.go_to(now)
    await runtime.ledger.calendar.roll(merchant.id)
    tail = max(1, int(orders * (_TAIL / length) * _RUSH))
    await book_orders(runtime.system.store, merchant, tail, now, now + _TAIL + PAID_AFTER)
    clock.go_to(now + _TAIL + PAID_AFTER)
    return merchant, day


async def time_bill(runtime: Runtime, merchant: Merchant, day: date) -> BillTime:
    """A day's bill."""
    days, today = Days.one(day), await runtime.reports.bills.open_day(merchant.id)
    calls, busy = [], []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        await runtime.reports.bills.merchant(merchant.id, days)
        calls.append((time.perf_counter() - started) * 1000)
    async with runtime.system.store.snapshot() as tx:
        for _ in range(_REPEATS):
            busy.append(DatabaseTime(tx))
            await runtime.reports.bills.merchant_in(busy[-1], merchant, days, today)
    return BillTime(
        statistics.median(calls),
        statistics.median(one.executing_ms for one in busy),
        statistics.median(one.answered_ms for one in busy),
        busy[0].statements,
    )


async def time_file(runtime: Runtime, merchant: Merchant, day: date, folder: Path) -> FileTime:
    """A day's workbook, as staff get it."""
    paper = Paper("excel", "m", merchant.id, Days.one(day), staff=True)
    progress = Progress()
    started, busy = time.perf_counter(), time.process_time()
    async with Heartbeat() as beat:
        built = await Builder(runtime).file(paper, "zh", folder, progress)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - busy
    assert built.path is not None
    return FileTime(progress.done, wall_s, cpu_s, beat.longest_s * 1000, built.path)


async def main(orders: int) -> None:
    """Make scratch servers, fill, measure, print."""
    with tempfile.TemporaryDirectory(prefix="paydesk-bench-") as name:
        home = Path(name)
        postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
        await asyncio.gather(postgres.start(), valkey.start())
        try:
            # Noon in Shanghai, some days ago: the days that are filled are over by now.
            today = datetime.now(UTC)
            clock = StillClock((today - timedelta(days=3)).replace(hour=4, minute=0))
            await migrate(postgres.owner_dsn(), kind="demo", today=clock.now().date())
            runtime = await build(
                Connections(postgres.dsn("paydesk_desk"), valkey.url),
                master_key=_MASTER_KEY,
                public_url="http://127.0.0.1:9",
                allow_private_targets=True,
                clock=clock,
            )
            try:
                await _measure(runtime, clock, orders, home)
            finally:
                await runtime.close()
        finally:
            await asyncio.gather(postgres.stop(), valkey.stop())


async def _measure(runtime: Runtime, clock: StillClock, orders: int, home: Path) -> None:
    started = time.perf_counter()
    merchant, day = await fill(runtime, clock, orders)
    print(f"books of {orders:,} orders made in {time.perf_counter() - started:.1f} s")
    keep_what_is_there()  # as a desk does once it has started
    for name, shown in (("closed", day), ("open", day + timedelta(days=1))):
        bill = await time_bill(runtime, merchant, shown)
        print(
            f"bill of the {name} day: {bill.executing_ms:.2f} ms in the database,"
            f" {bill.answered_ms:.2f} ms until its {bill.statements} statements were answered,"
            f" {bill.call_ms:.2f} ms as a call; medians of {_REPEATS}"
        )
    for _ in range(_FILES):
        file = await time_file(runtime, merchant, day, home)
        print(
            f"workbook of {file.orders:,} orders: {file.wall_s:.2f} s, {file.cpu_s:.2f} s of them"
            f" this process's CPU, {file.path.stat().st_size / 1e6:.2f} MB;"
            f" the loop stopped for {file.longest_stop_ms:.1f} ms at most"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    asyncio.run(main(parser.parse_args().orders))
