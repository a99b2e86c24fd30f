"""What is refused of amounts as people write them."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "amount_doubtful": (
                "{text} can be read in two ways, so nothing was done. Write {one} or {other}."
            ),
            "currency_other": (
                "{text} is in {said}, but {currency} is counted here. Write it in {currency}."
            ),
        }
    }
)
