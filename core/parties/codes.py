"""What merchants, suppliers and their keys refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "field_invalid": "The field {param} is wrong: {expected}.",
            "tariff_in_the_past": (
                "A rate cannot begin on {day}: today is {today}. Past orders are charged anew"
                " only by re-rating: /rerate {merchant_no} {product} {tariff} {day}~{today}"
            ),
            "product_unknown": "The product {product} is not open to this merchant.",
        },
        "authentication": {"key_unknown": "This API key is not known or was withdrawn."},
        "permission": {
            "address_not_allowed": "Calls from {address} are not allowed.",
            "merchant_suspended": "The merchant {merchant_no} is suspended.",
            "merchant_archived": "The merchant {merchant_no} is archived.",
            "merchant_not_reviewed": (
                "The merchant {merchant_no} has not passed its review; only test keys work until"
                " then."
            ),
        },
        "not_found": {
            "merchant_not_found": "No merchant {merchant_no} was found.",
            "supplier_not_found": "No supplier {supplier_no} was found.",
            "product_not_found": "There is no product {product}.",
        },
        "conflict": {
            "supplier_exists": "There is a supplier {supplier_no} already.",
            "merchant_exists": "There is a merchant {merchant_no} already.",
            "keys_rotated_often": (
                "{limit} keys of this app are valid already. The old ones end at {at}, or when"
                " somebody ends them."
            ),
        },
    }
)
