"""The loop's watch notices who computes for too long, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot.loop_watch import BAR_S, LoopWatch
from tests.demo import eventually


@pytest.fixture
async def watch() -> AsyncIterator[LoopWatch]:
    made = LoopWatch()
    made.start()
    await asyncio.sleep(0)  # it has looked for the first time
    yield made
    await made.stop()


def compute(seconds: float) -> None:
    """Of this thread's processor, however busy the machine is."""
    until_s = time.thread_time() + seconds
    while time.thread_time() < until_s:
        pass


async def noticed(watch: LoopWatch) -> bool:
    return watch.stops > 0


async def test_who_computes_for_too_long_is_noticed(watch: LoopWatch) -> None:
    compute(3 * BAR_S)
    await eventually(partial(noticed, watch), what="the stop is noticed")
    assert watch.take_longest_s() > BAR_S
    assert watch.take_longest_s() <= BAR_S, "each is told once"


async def test_who_computes_elsewhere_or_in_steps_is_not(watch: LoopWatch) -> None:
    await asyncio.to_thread(compute, 3 * BAR_S)
    for _ in range(30):
        compute(BAR_S / 10)
        await asyncio.sleep(0.005)
    assert watch.stops == 0


async def test_who_waits_and_holds_the_loop_up_is_no_computing(watch: LoopWatch) -> None:
    time.sleep(2 * BAR_S)  # noqa: ASYNC251 (as a machine that is busy with others)
    await asyncio.sleep(0.1)
    assert watch.stops == 0
