"""A merchant's day of many orders: how long its bill takes, and its workbook.

    python -m bench.bills [--orders 100000]

Bars: a closed day's bill within 5 ms in the database; 100,000 orders as Excel within 10 s, while
the event loop never stops for more than 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.books import BenchClock, book_orders, open_shop
from bot.building import Builder, Progress
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from core.bills import Days
from core.exports import Paper
from core.merchants import Merchant
from core.runtime import Runtime, build
from core.store import migrate

BEAT_S: Final = 0.005
_MASTER_KEY: Final = "A" * 43 + "="
_REPEATS: Final = 15
_LIVE_SHARE: Final = 50  # one in so many orders of the closed day is in the open day's live tail


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
class Figures:
    """What was measured. path: the workbook."""

    orders: int
    closed_bill_ms: float
    open_bill_ms: float
    excel_s: float
    excel_bytes: int
    longest_stop_ms: float
    path: Path


async def fill(runtime: Runtime, clock: BenchClock, orders: int) -> tuple[Merchant, date]:
    """A closed day of so many paid orders, and a day after it that is open and has a live tail."""
    merchant = await open_shop(runtime)
    # A day that begins now: nothing of it is rolled up yet.
    starts_at = merchant.day_cut.start_of(
        await runtime.bills.open_day(merchant.id) + timedelta(days=1)
    )
    clock.go_to(starts_at)
    day = await runtime.bills.open_day(merchant.id)
    ends_at = merchant.day_cut.start_of(day + timedelta(days=1))
    await book_orders(runtime, merchant, orders, starts_at, ends_at)
    clock.go_to(ends_at + timedelta(hours=10))
    await runtime.ledger.roll_days(merchant.id, merchant.day_cut)
    tail = max(1, orders // _LIVE_SHARE)
    now = clock.now()
    await book_orders(runtime, merchant, tail, now, now + timedelta(hours=1))
    clock.go_to(now + timedelta(hours=1))
    return merchant, day


async def measure(runtime: Runtime, merchant: Merchant, day: date, folder: Path) -> Figures:
    """Bills, and the workbook as staff get it."""
    closed = await _median_ms(lambda: runtime.bills.merchant(merchant.id, Days.one(day)))
    following = Days.one(day + timedelta(days=1))
    live = await _median_ms(lambda: runtime.bills.merchant(merchant.id, following))
    paper = Paper("excel", "m", merchant.id, Days.one(day), staff=True)
    progress = Progress()
    started = time.perf_counter()
    async with Heartbeat() as beat:
        built = await Builder(runtime).file(paper, "zh", folder, progress)
    excel_s = time.perf_counter() - started
    assert built.path is not None
    return Figures(
        progress.done, closed, live, excel_s, built.path.stat().st_size,
        beat.longest_s * 1000, built.path,
    )  # fmt: skip


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    await work()  # plans are made and pages read the first time
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        await work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


async def main(orders: int) -> None:
    """Make scratch servers, fill, measure, print."""
    with tempfile.TemporaryDirectory(prefix="paydesk-bench-") as name:
        home = Path(name)
        postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
        await asyncio.gather(postgres.start(), valkey.start())
        try:
            # Noon in Shanghai, some days ago: the days that are filled are over by now.
            today = datetime.now(UTC)
            clock = BenchClock((today - timedelta(days=3)).replace(hour=4, minute=0))
            await migrate(postgres.owner_dsn(), kind="demo", today=clock.now().date())
            runtime = await build(
                database_url=postgres.dsn("paydesk_desk"),
                redis_url=valkey.url,
                master_key=_MASTER_KEY,
                public_url="http://127.0.0.1:9",
                allow_private_targets=True,
                clock=clock,
            )
            try:
                started = time.perf_counter()
                merchant, day = await fill(runtime, clock, orders)
                print(f"books of {orders:,} orders made in {time.perf_counter() - started:.1f} s")
                _show(await measure(runtime, merchant, day, home))
            finally:
                await runtime.close()
        finally:
            await asyncio.gather(postgres.stop(), valkey.stop())


def _show(figures: Figures) -> None:
    print(f"bill of the closed day   {figures.closed_bill_ms:8.2f} ms (median of {_REPEATS})")
    print(f"bill of the open day     {figures.open_bill_ms:8.2f} ms (with a live tail)")
    print(f"workbook                 {figures.excel_s:8.2f} s, {figures.orders:,} orders")
    print(f"  its size               {figures.excel_bytes / 1e6:8.2f} MB")
    print(f"longest stop of the loop {figures.longest_stop_ms:8.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    asyncio.run(main(parser.parse_args().orders))
