"""Re-adds the books: every number that is kept twice is compared, every difference named."""

from __future__ import annotations

from core.reports.verify.verify import CHECKS, Difference, Verify

__all__ = ["CHECKS", "Difference", "Verify"]
