"""What the books refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "day_cut_too_far": (
                "This would move the beginning of the days by a whole day or more. Set it in two"
                " steps, on two days."
            )
        }
    }
)
