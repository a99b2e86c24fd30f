"""The books of refunds: reserved when asked for, then settled or released."""

from __future__ import annotations

from core.refunds.domain import Refunds
from core.refunds.reading import Refund

__all__ = ["Refund", "Refunds"]
