"""What bills and files refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "export_too_many": (
                "That would be {count} files; at most {limit} are made for one message. Add the"
                " merchant's number: /export M1001"
            ),
            "export_too_large": (
                "{rows} orders do not fit into a workbook (at most {limit}). Ask for CSV, or"
                " fewer days."
            ),
            "list_too_large": (
                "{rows} orders do not fit into a workbook (at most {limit}). Narrow the list: by"
                " days, merchants or amounts."
            ),
            "list_gone": "This list is too old to page through. Ask for a new one: /orders",
            "filter_not_here": (
                "A supplier's list is narrowed by days, amounts, channels, products, and whether"
                " they are paid."
            ),
        },
        "rate_limited": {
            "export_busy": (
                "{limit} files are being made for this chat already. Wait for one of them."
            )
        },
    }
)
