"""What the Payment API refuses before the business is asked."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "body_invalid": "The body is not a valid JSON object.",
            "body_too_large": "The body is larger than {limit_bytes} bytes.",
            "body_encoded": (
                "The body is sent with Content-Encoding {encoding}. Send it plain, exactly as you"
                " sign it, without that header."
            ),
            "field_unknown": "The field {param} is not known here.",
            "field_missing": "The field {param} is required.",
            "card_number": (
                "The field {param} looks like a card number. Card numbers are never accepted."
            ),
            "method_not_allowed": "This address does not take {method}.",
        },
        "authentication": {
            "key_missing": "The header {header} is missing.",
            "signature_invalid": (
                "The signature does not match. Check the secret and the exact string that is"
                " signed."
            ),
            "timestamp_out_of_range": (
                "Paydesk-Timestamp is more than {limit_s} s away from our clock ({now})."
            ),
        },
        "not_found": {"page_not_found": "Nothing is here. Check the address."},
        "internal": {
            "unavailable": "The desk cannot do this right now. Try again soon.",
            "internal": "Something went wrong on our side. It was reported.",
        },
    }
)
