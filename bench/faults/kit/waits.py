"""Waiting for a condition, and doing something at a steady pace; both bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")
LOOK_S: Final = 0.1


class NotSo(Exception):
    """What was waited for did not come about in time. The message says what."""


async def until(
    look: Callable[[], Awaitable[T]], *, what: str, within_s: float, look_s: float = LOOK_S
) -> T:
    """What `look` answers as soon as it is true. Raises NotSo."""
    ends_s = time.monotonic() + within_s
    while time.monotonic() < ends_s:
        found = await look()
        if found:
            return found
        await asyncio.sleep(look_s)
    raise NotSo(f"{what}: not within {within_s:.0f} s")


async def every(step_s: float, count: int) -> AsyncIterator[int]:
    """0, 1, 2, … count - 1, one each `step_s`, however long the one before took."""
    began_s = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began_s + number * step_s - time.monotonic()))
        yield number
