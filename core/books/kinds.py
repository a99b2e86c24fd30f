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

# Of each order the first event: by these orders are counted.
ORDER_KINDS: Final = tuple(kind for kind, heading in KINDS.items() if heading == "orders")
# Net of what was taken back, so that no order is in it twice: what tiers by volume go by.
VOLUME_KINDS: Final = tuple(
    kind for kind, heading in KINDS.items() if heading in ("orders", "reversals")
)
