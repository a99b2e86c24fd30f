"""Refunds: reserved when asked for, carried out at suppliers, then settled or released."""

from __future__ import annotations

from core.refunds.byhand import RefundsByHand
from core.refunds.domain import Refunds
from core.refunds.reading import Refund
from core.refunds.refunding import Refunding

__all__ = ["Refund", "Refunding", "Refunds", "RefundsByHand"]
