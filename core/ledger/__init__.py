"""The books: postings (pure) and the ledger that writes them."""

from __future__ import annotations

from core.ledger.books import AlreadyBooked, BusinessDay, Event, Ledger, Position
from core.ledger.postings import (
    Posting,
    Postings,
    assert_balanced,
    completed_from_suspense,
    differed,
    paid,
    prepaid,
    prepaid_converted,
    reattributed,
    reversal,
    unmatched,
)

__all__ = [
    "AlreadyBooked",
    "BusinessDay",
    "Event",
    "Ledger",
    "Position",
    "Posting",
    "Postings",
    "assert_balanced",
    "completed_from_suspense",
    "differed",
    "paid",
    "prepaid",
    "prepaid_converted",
    "reattributed",
    "reversal",
    "unmatched",
]
