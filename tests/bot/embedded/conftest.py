"""A home for one test; what a failed test leaves running in it is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
