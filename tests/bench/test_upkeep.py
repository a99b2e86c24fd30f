"""Memory is told of a desk that has worked, and of nothing that failed."""

from __future__ import annotations

from bench.place import Measures
from bench.upkeep import under_load

LEAST_MB = 20  # of Python alone


async def test_memory_is_told_of_a_desk_that_works(m: Measures) -> None:
    created = "SELECT count(*) FROM orders"
    before = await m.database.fetchval(created)
    figures = await under_load(m)
    assert [figure.unit for figure in figures] == ["MB"] * 3
    assert all(figure.desk > LEAST_MB and figure.failed == 0 for figure in figures)
    # One round that is no part of it, and one that is.
    assert await m.database.fetchval(created) == before + 2 * m.size.items
