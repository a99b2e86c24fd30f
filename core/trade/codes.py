"""What orders, refunds and discrepancies refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "group_needed": (
                "A second person must confirm this. Say it in a group that both are in."
            ),
            "currency_not_sold": "This merchant's orders are in {currency}.",
            "trial_amount": "This is no amount of a test order.",
            "fee_exceeds_amount": "The fee of this product is more than the amount.",
        },
        "not_found": {
            "order_not_found": "No order {number} was found.",
            "app_not_found": "The merchant {merchant_no} has no such app that is open.",
            "supplier_unbound": "No group of this supplier is known. Bind one first.",
            "callback_unknown": "This callback names no attempt of ours.",
        },
        "conflict": {
            "order_conflict": (
                "The order {merchant_order_no} exists with other content ({differs})."
            ),
            "order_in_progress": (
                "The same order is being created right now. Ask again in a moment."
            ),
            "charges_changing": (
                "Past orders are being charged anew right now. Try again in a moment."
            ),
            "order_changed": "The order {number} changed meanwhile. Look at it again.",
            "order_state": "The order {number} is {status}; this cannot be done.",
            "enquiry_not_sent": (
                "Nothing of the order {number} went to a supplier who could be asked."
            ),
            "chased_already": (
                "The supplier was asked about {number} just now. Ask again in {retry_after_s} s."
            ),
            "enquiry_of_supplier": "The supplier's own people see to it.",
            "already_resolved": "The money of {number} was resolved already.",
            "discrepancy_changed": (
                "The money of {number}, or the fee on it, changed meanwhile. Look at it again."
            ),
            "completion_confirmed": (
                "The supplier has confirmed the money of {number}: its completion was right."
            ),
            "refund_conflict": "The refund {refund_no} exists with other content ({differs}).",
            "refund_state": "The refund {refund_no} is {status} already.",
            "refund_under_way": "A refund of {number} is under way. Wait until it is over.",
            "refund_over_amount": "Of the order {number}, at most {left} can still be refunded.",
            "refund_not_covered": (
                "The merchant's orders have not earned enough to bear this refund."
            ),
            "credit_line_reached": (
                "No new order is taken: what is owed to the merchant has reached its credit line."
            ),
        },
    }
)
