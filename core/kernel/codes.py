"""What every room refuses alike: words that cannot be read, and too much of anything."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "amount_invalid": "{text} is not an amount of {currency}. Write it like {example}.",
            "currency_unknown": "The currency {currency} is not supported.",
            "date_invalid": "{text} is not a date. Write it like {example}.",
            "range_reversed": "{first} is after {last}: write the earlier day first.",
            "range_too_long": "At most {limit_days} days can be shown at once.",
            "time_invalid": "{text} is not a time of the day. Write it like {example}.",
            "zone_unknown": "{text} is not a time zone. Write it like {example}.",
            "tariff_invalid": "This rate cannot be: {why} ({text}). Write it like {example}",
        },
        "rate_limited": {"rate_limited": "Too many calls. Try again in {retry_after_s} s."},
    }
)
