"""A desk beside a bare handler, which the benches' tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.place import Measures, Size, measures, place

TINY = Size(rounds=1, seconds=0.3, items=12, small=True)


@pytest.fixture(scope="package")
async def m(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Measures]:
    """A desk beside a bare handler, for one bench after another."""
    home: Path = tmp_path_factory.mktemp("bench")
    # The database may run as somebody else, who must get to its folder.
    for folder in (home, *home.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    async with place(home, TINY) as where, measures(where) as made:
        yield made
