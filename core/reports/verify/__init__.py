"""Re-adds the books: every number that is kept twice is compared, every difference named."""

from __future__ import annotations

from core.reports.verify.alarm import AlarmBooks
from core.reports.verify.turns import EVER, TURN_NIGHTS, Span, Turn, tonight
from core.reports.verify.verify import CHECKS, Check, Difference, Verified, Verify

__all__ = [
    "CHECKS",
    "EVER",
    "TURN_NIGHTS",
    "AlarmBooks",
    "Check",
    "Difference",
    "Span",
    "Turn",
    "Verified",
    "Verify",
    "tonight",
]
