"""Enquiries: questions about orders, passed to their suppliers until they are answered."""

from __future__ import annotations

from core.trade.enquiries.chases import ENQUIRIES_DUE, MAX_CHASES, Chases
from core.trade.enquiries.enquiries import CHASED_EVERY, Enquiries
from core.trade.enquiries.model import KEEPER, Enquiry, EnquiryView, Media, Said, Thread
from core.trade.enquiries.notices import (
    EnquiryAnswerLost,
    EnquiryPaid,
    EnquiryReminder,
    EnquiryUnanswered,
    EnquiryUnbound,
)

__all__ = [
    "CHASED_EVERY",
    "ENQUIRIES_DUE",
    "KEEPER",
    "MAX_CHASES",
    "Chases",
    "Enquiries",
    "Enquiry",
    "EnquiryAnswerLost",
    "EnquiryPaid",
    "EnquiryReminder",
    "EnquiryUnanswered",
    "EnquiryUnbound",
    "EnquiryView",
    "Media",
    "Said",
    "Thread",
]
