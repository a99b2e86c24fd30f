"""What channels, products and suppliers' onboarding refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "cost_in_the_past": (
                "A cost cannot begin on {day}: at the supplier it is {today}. Past orders keep"
                " theirs."
            ),
            "reason_missing": "A reason is required, for example: {reason_for}",
            "credential_unknown": "{document} names no credential {name}. It names: {names}.",
            "channel_in_other_currency": (
                "The channel {channel_no} is in {currency}, but its supplier {supplier_no} counts"
                " in {supplier_currency}. Open another supplier for it."
            ),
            "channel_invalid": "This cannot be of a channel: {channel_fault} ({text}).",
            "channel_code_unknown": (
                "The document of {supplier_no} knows no “{text}”. Its codes are: {ways}"
            ),
            "channel_set_size": (
                "A merchant's own channels of a product are at least one and at most {limit}."
                " Where it may not buy the product at all, switch that off for it."
            ),
            "product_invalid": "This cannot be of a product: {product_fault} ({text}).",
            "hours_invalid": "{text} are no hours. Write them like {example}.",
        },
        "not_found": {
            "channel_not_found": "No channel {channel_no} was found.",
            "document_not_found": "No document {document} was found.",
        },
        "conflict": {
            "margins_changed": (
                "A rate, a cost or who sells what was changed since this was asked. Look at it, and"
                " say it again."
            ),
            "supplier_not_for_desk": "A demo desk takes sandbox suppliers only.",
            "supplier_not_ready": (
                "The supplier {supplier_no} cannot be live. What is missing: {missing}."
            ),
            "supplier_live_already": "The supplier {supplier_no} is live already.",
            "supplier_live_asked": (
                "A second person has been asked already whether {supplier_no} goes live."
            ),
            "supplier_off_already": "The supplier {supplier_no} is off already.",
            "supplier_changed": (
                "The supplier {supplier_no} was changed meanwhile. Look at it again."
            ),
            "nothing_to_roll_back": "The supplier {supplier_no} used no other version before.",
            "credentials_missing": (
                "{document} needs what the supplier {supplier_no} has not: {missing}."
            ),
            "document_state": "The document {document} is {document_state}; this cannot be done.",
            "document_of_other": (
                "The supplier {supplier_no} is spoken to by {connector}; {document} is no version"
                " of it."
            ),
            "document_in_use": "Live suppliers use {document}: {suppliers}. Switch them first.",
            "document_used_already": "The supplier {supplier_no} uses {document} already.",
            "document_unsound": "The document {document} does not keep its own word: {first}.",
            "document_sandbox_only": "The document {document} is for sandbox suppliers only.",
            "channel_exists": (
                "There is a channel {channel_no} already, or was: a number is used once."
            ),
            "product_exists": "There is a product {product} already, or was.",
            "product_state": "The product {product} is {channel_state}; this cannot be done.",
            "channel_state": "The channel {channel_no} is {channel_state}; this cannot be done.",
            "channel_not_paused": "The channel {channel_no} is not paused.",
            "channel_not_in_set": "The channel {channel_no} does not sell this product here.",
        },
        "supplier": {
            "no_channel": "No channel can take this order now: {reasons}.",
            "no_room": (
                "No supplier has room for this order now, and nothing was sent to any. Send it"
                " again a little later, under the same merchant_order_no, or offer the payer"
                " another product."
            ),
        },
    }
)
