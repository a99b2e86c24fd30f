"""The books: postings (pure), the ledger that books them, and business days."""

from __future__ import annotations

from core.books import codes as codes
from core.books.calendar import Calendar, day_began_at, recut, set_house_cut
from core.books.days import BusinessDay, DayOver, SeenDay
from core.books.kinds import KINDS, ORDER_KINDS, ORDERS, ORDERS_SQL, Heading
from core.books.ledger import AlreadyBooked, Event, Ledger, MerchantBalance, Position
from core.books.open_days import OpenDays
from core.books.postings import (
    Posting,
    Postings,
    Took,
    adjusted,
    assert_balanced,
    completed_from_suspense,
    confirmed,
    credited,
    paid,
    paid_in,
    prepaid,
    prepaid_converted,
    refund_reserved,
    refund_settled,
    rerated,
    returned_to_payer,
    reversal,
    unmatched,
)
from core.books.rollups import ROLLED_ATTEMPTS, ROLLED_ENTRIES, ROLLED_ORDERS, Rollup

__all__ = [
    "KINDS",
    "ORDERS",
    "ORDERS_SQL",
    "ORDER_KINDS",
    "ROLLED_ATTEMPTS",
    "ROLLED_ENTRIES",
    "ROLLED_ORDERS",
    "AlreadyBooked",
    "BusinessDay",
    "Calendar",
    "DayOver",
    "Event",
    "Heading",
    "Ledger",
    "MerchantBalance",
    "OpenDays",
    "Position",
    "Posting",
    "Postings",
    "Rollup",
    "SeenDay",
    "Took",
    "adjusted",
    "assert_balanced",
    "completed_from_suspense",
    "confirmed",
    "credited",
    "day_began_at",
    "paid",
    "paid_in",
    "prepaid",
    "prepaid_converted",
    "recut",
    "refund_reserved",
    "refund_settled",
    "rerated",
    "returned_to_payer",
    "reversal",
    "set_house_cut",
    "unmatched",
]
