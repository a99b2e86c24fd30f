"""What a batch claims, and when."""

from __future__ import annotations

import asyncio

import pytest

from core.kernel.errors import Bug, Refusal
from core.trade.orders.batches import AT_ONCE, side_by_side


class Due:
    """Numbered things that are due. One work fails, one is refused."""

    def __init__(self, number: int) -> None:
        self.waiting = list(range(number))
        self.held: set[int] = set()
        self.most = 0
        self.done: list[int] = []

    async def claim(self, count: int) -> list[int]:
        await asyncio.sleep(0)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        self.held.update(taken)
        self.most = max(self.most, len(self.held))
        return taken

    async def work(self, thing: int) -> None:
        for _ in range(thing % 4):
            await asyncio.sleep(0)
        self.held.remove(thing)
        self.done.append(thing)
        if thing == 3:
            raise Bug("it fails")
        if thing == 5:
            raise Refusal("order_state", number="P1", status="paid")


@pytest.mark.parametrize(
    ("there", "batch"), [(0, 5), (3, 50), (10, 10), (10, 50), (11, 50), (25, 7), (40, 25), (40, 50)]
)
async def test_no_more_is_claimed_than_is_done_at_once_and_each_is_done_once(
    there: int, batch: int
) -> None:
    due = Due(there)
    assert await side_by_side(batch, due.claim, due.work) == min(there, batch)
    assert sorted(due.done) == list(range(min(there, batch)))
    assert due.most <= AT_ONCE


async def test_a_slow_one_holds_up_nobody() -> None:
    due, go = Due(2 * AT_ONCE), asyncio.Event()

    async def work(thing: int) -> None:
        if thing == 0:
            await go.wait()
        due.done.append(thing)
        if len(due.done) == 2 * AT_ONCE - 1:
            go.set()

    async with asyncio.timeout(5):
        assert await side_by_side(2 * AT_ONCE, due.claim, work) == 2 * AT_ONCE
    assert due.done[-1] == 0
