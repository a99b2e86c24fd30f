"""Trade: orders from creation to end, with callbacks, notifications, refunds, completions."""

from __future__ import annotations

from core.trade import codes as codes
