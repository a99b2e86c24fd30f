"""A home for one test, and its servers; whatever a test leaves running is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.embedded import EmbeddedPostgres, EmbeddedValkey


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    place = tmp_path / "a desk's home"
    place.mkdir(mode=0o700)
    yield place
    await EmbeddedPostgres(place).stop()
    await EmbeddedValkey(place).stop()


@pytest.fixture
async def embedded(home: Path) -> AsyncIterator[Callable[..., EmbeddedPostgres]]:
    """Makes servers, by default in the test's home: `embedded(elsewhere, durable=True)`."""
    made: list[EmbeddedPostgres] = []

    def make(
        at: Path = home, *, durable: bool = False, bin_dir: Path | None = None
    ) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(at, durable=durable, bin_dir=bin_dir))
        return made[-1]

    yield make
    for postgres in made:
        await postgres.stop()


@pytest.fixture
async def valkeys(home: Path) -> AsyncIterator[list[EmbeddedValkey]]:
    """Three of the same home."""
    made = [EmbeddedValkey(home) for _ in range(3)]
    yield made
    for valkey in made:
        await valkey.stop()
