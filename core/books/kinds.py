"""Every kind of event there is in the books, and under what a merchant's bill shows it."""

from __future__ import annotations

from typing import Final, Literal

Heading = Literal[
    "orders", "reversals", "refunds", "credits", "adjustments", "reratings", "prepaid"
]

# kind -> heading; None where the merchant's position does not move.
KINDS: Final[dict[str, Heading | None]] = {
    "order": "orders",  # paid, in time or late
    "completed": "orders",  # paid by hand
    "completion_reversed": "reversals",
    "restored": "reversals",  # money after all, or completed again: the order counted before
    "confirmation": None,  # the supplier's word on what was completed
    "short": None,  # money of no settled order, in suspense
    "over": None,
    "duplicate": None,
    "payer_refunded": None,  # suspense went back to the payer
    "credited": "credits",  # suspense went to the merchant
    "refund_reserved": "refunds",
    "refund_settled": "refunds",
    "refund_released": "refunds",
    "adjusted": "adjustments",
    "adjusted_undone": "adjustments",
    "rerated": "reratings",
    "prepaid": "prepaid",
    "prepaid_undone": "prepaid",
    "paid_in": None,  # by a supplier, in the desk's own books
    "paid_in_undone": None,
}

# How many paid orders an event of a kind makes: net of what was taken back, so that no order is
# counted twice. These kinds are what orders come to, and what tiers by volume go by.
ORDERS: Final[dict[str, int]] = {
    "order": 1,
    "completed": 1,
    "completion_reversed": -1,
    "restored": 1,
}
ORDER_KINDS: Final = tuple(ORDERS)
# The same of a row that has a kind and counts events, in SQL.
_COUNTED: Final = " ".join(f"WHEN '{kind}' THEN {n} * events" for kind, n in ORDERS.items())
ORDERS_SQL: Final = f"CASE kind {_COUNTED} ELSE 0 END"
