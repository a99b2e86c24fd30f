"""Charts and files of business days: who asked for which, and the rows that go into them."""

from __future__ import annotations

from core.reports.exports.exports import Exports
from core.reports.exports.papers import (
    CSV_TABLES,
    CallLog,
    ChartFacts,
    Holder,
    Paper,
    Point,
    Table,
    What,
)
from core.reports.exports.queue import MAX_AT_ONCE, MAX_WAITING, QUEUE, Taken
from core.reports.exports.rows import (
    CompletionRow,
    DiscrepancyRow,
    MovementRow,
    OrderRow,
    TakingRow,
    VoucherRow,
)
from core.reports.exports.sources import (
    CHUNK_ROWS,
    MAX_ROWS,
    ListReading,
    MerchantReading,
    PlatformReading,
    Reading,
    SupplierReading,
)

__all__ = [
    "CHUNK_ROWS",
    "CSV_TABLES",
    "MAX_AT_ONCE",
    "MAX_ROWS",
    "MAX_WAITING",
    "QUEUE",
    "CallLog",
    "ChartFacts",
    "CompletionRow",
    "DiscrepancyRow",
    "Exports",
    "Holder",
    "ListReading",
    "MerchantReading",
    "MovementRow",
    "OrderRow",
    "Paper",
    "PlatformReading",
    "Point",
    "Reading",
    "SupplierReading",
    "Table",
    "Taken",
    "TakingRow",
    "VoucherRow",
    "What",
]
