"""Orders from their creation to their end: callbacks, refunds, discrepancies, completions."""

from __future__ import annotations

from core.trade import codes as codes
