"""Whoever computes at a stretch is seen, and whoever waits is not."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.steps import BAR_S, Steps, in_short_steps


def compute(seconds: float) -> None:
    """Of this thread's processor, however busy the machine is."""
    until_s = time.thread_time() + seconds
    while time.thread_time() < until_s:
        pass


async def at_a_stretch() -> str:
    await asyncio.sleep(0)
    compute(2 * BAR_S)
    return "done"


async def in_pieces() -> str:
    for _ in range(8):
        compute(BAR_S / 4)
        await asyncio.sleep(0)
    time.sleep(2 * BAR_S)  # noqa: ASYNC251 (as a machine that is busy with others)
    return "done"


async def test_who_computes_at_a_stretch_is_seen() -> None:
    steps = Steps(at_a_stretch())
    assert await steps == "done"
    assert steps.longest_s >= 2 * BAR_S
    with pytest.raises(AssertionError, match="stood still"):
        await in_short_steps(at_a_stretch())


async def test_who_computes_in_pieces_or_waits_is_not() -> None:
    assert await in_short_steps(in_pieces()) == "done"


async def test_what_fails_or_is_ended_does_so_inside() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await in_short_steps(asyncio.sleep(60))
    with pytest.raises(ZeroDivisionError):
        await in_short_steps(_fails())


async def _fails() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError
