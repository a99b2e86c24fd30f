"""Limits of time and number that hold across processes."""

from __future__ import annotations

from uuid import uuid4

from core.runtime import Runtime
from core.system.throttle import Limit, Throttle


async def test_processes_count_apart_wherever_their_memory_lies(runtime: Runtime) -> None:
    key, five = f"t:{uuid4()}", Limit(5, 60.0)
    # Each is gone before the next is made, which then lies where the former one lay.
    waits_s = [await Throttle(runtime.system.redis).room({key: five}) for _ in range(20)]
    assert waits_s.count(0) == 5
