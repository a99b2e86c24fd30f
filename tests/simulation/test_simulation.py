"""Random lives of two merchants, then the books are re-added.

A seed that fails is repeated by its number: PAYDESK_SIMULATION_SEEDS=17,42 runs just these, and
PAYDESK_SIMULATION_STEPS makes each longer. By night there are more of them, and longer ones.
"""

from __future__ import annotations

import os

import pytest

from tests.core.support import Desk
from tests.simulation.driver import Driver, check
from tests.sizes import size

STEPS = int(os.environ.get("PAYDESK_SIMULATION_STEPS", size(60, 400)))


def seeds() -> list[int]:
    """'1-3,9' -> [1, 2, 3, 9]."""
    found: list[int] = []
    for part in os.environ.get("PAYDESK_SIMULATION_SEEDS", f"1-{size(2, 60)}").split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize("seed", seeds())
async def test_whatever_happens_the_books_are_right(desk: Desk, neighbour: Desk, seed: int) -> None:
    driver = Driver(seed, desk, neighbour)
    await driver.run(STEPS)
    assert sum(len(shop.lives) for shop in driver.shops) >= 5
    for shop in driver.shops:
        await check(shop)
    await desk.sound()
