from __future__ import annotations

import pytest

from core.runtime import Runtime
from tests.core.reports.bills.books import Books
from tests.core.support import SetClock


@pytest.fixture
def books(runtime: Runtime, clock: SetClock) -> Books:
    """Writes into the books of a seeded desk."""
    return Books(runtime, clock)
