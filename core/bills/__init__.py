"""Bills: what business days came to, for a merchant, a supplier, the platform."""

from __future__ import annotations

from core.bills.cohorts import Cohorts, cohorts_between
from core.bills.domain import Bills
from core.bills.model import (
    MAX_DAYS,
    MODE,
    Bill,
    ChannelLine,
    DayLine,
    Days,
    MerchantLine,
    Movement,
    PlatformBill,
    ProductLine,
    SupplierBill,
    SupplierDueLine,
    SupplierLine,
    VoucherLine,
)

__all__ = [
    "MAX_DAYS",
    "MODE",
    "Bill",
    "Bills",
    "ChannelLine",
    "Cohorts",
    "DayLine",
    "Days",
    "MerchantLine",
    "Movement",
    "PlatformBill",
    "ProductLine",
    "SupplierBill",
    "SupplierDueLine",
    "SupplierLine",
    "VoucherLine",
    "cohorts_between",
]
