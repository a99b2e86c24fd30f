"""Money of a day is tried on a clock of the test's own, as bills are."""

from __future__ import annotations

from tests.handlers.bills.conftest import runtime

__all__ = ["runtime"]
