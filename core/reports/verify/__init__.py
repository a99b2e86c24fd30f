"""Re-adds the books: every number that is kept twice is compared, every difference named."""

from __future__ import annotations

from core.reports.verify.alarm import AlarmBooks
from core.reports.verify.nights import EVER, ROUND_NIGHTS, Night, Span, tonight
from core.reports.verify.verify import CHECKS, Check, Difference, Verified, Verify

__all__ = [
    "CHECKS",
    "EVER",
    "ROUND_NIGHTS",
    "AlarmBooks",
    "Check",
    "Difference",
    "Night",
    "Span",
    "Verified",
    "Verify",
    "tonight",
]
