"""Yuan as the supplier writes them (`12.34`) and fen as it counts them."""

from __future__ import annotations

import re

MAX_ASKED_FEN = 99_999_999_999

_YUAN = re.compile(r"(0|[1-9][0-9]{0,8})\.([0-9]{2})")


def parse_yuan(text: str) -> int | None:
    """Fen, or None when the text is not a plain amount with exactly two decimals."""
    match = _YUAN.fullmatch(text)
    return int(match[1]) * 100 + int(match[2]) if match else None


def yuan(fen: int) -> str:
    """`1234` → `12.34`; a balance may be below zero: `-0.05`."""
    whole, part = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02d}"
