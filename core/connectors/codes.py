"""What connector documents refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {"invalid_request": {"dry_run_impossible": "This cannot be tried out: {why}"}}
)
