"""Bills: what a business day came to."""

from __future__ import annotations

from core.bills.merchant import MODE, Bill, Bills, PrepaidLine, ProductLine

__all__ = ["MODE", "Bill", "Bills", "PrepaidLine", "ProductLine"]
