"""What is said of enquiries, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.trade.enquiries import (
    EnquiryAnswerLost,
    EnquiryPaid,
    EnquiryReminder,
    EnquiryUnanswered,
    EnquiryUnbound,
)
from handlers.enquiries.screens import CopyGone
from tests.handlers.written import HOSTILE, ID

EXAMPLES: Final[tuple[Notice, ...]] = (
    EnquiryAnswerLost("A1"),
    EnquiryReminder("A1", 1),
    EnquiryReminder("A1", 25),
    EnquiryPaid("P1", HOSTILE, 10_000, "CNY"),
    EnquiryUnbound(ID, "P1", "A1", "M1001", "S01", HOSTILE),
    EnquiryUnanswered(ID, "P1", "A1", "M1001", "S01", 31, 2),
    CopyGone(),
)
