"""Bills: what business days came to, for a merchant, a supplier, the platform."""

from __future__ import annotations

from core.reports.bills.bills import Bills
from core.reports.bills.cohorts import Cohorts, cohorts_between
from core.reports.bills.model import (
    Bill,
    ChannelLine,
    CompletedLine,
    CompletedPage,
    DayLine,
    HandedOut,
    MerchantLine,
    Movement,
    PlatformBill,
    ProductLine,
    SupplierBill,
    SupplierDueLine,
    SupplierLine,
    VoucherLine,
)
from core.reports.bills.windows import Live, Tails, live_of, tails_of

__all__ = [
    "Bill",
    "Bills",
    "ChannelLine",
    "Cohorts",
    "CompletedLine",
    "CompletedPage",
    "DayLine",
    "HandedOut",
    "Live",
    "MerchantLine",
    "Movement",
    "PlatformBill",
    "ProductLine",
    "SupplierBill",
    "SupplierDueLine",
    "SupplierLine",
    "Tails",
    "VoucherLine",
    "cohorts_between",
    "live_of",
    "tails_of",
]
