"""Refunds: reserved when asked for, carried out at suppliers, then settled or released."""

from __future__ import annotations

from core.trade.refunds.byhand import RefundsByHand
from core.trade.refunds.reading import Refund
from core.trade.refunds.refunding import Refunding
from core.trade.refunds.refunds import Refunds

__all__ = ["Refund", "Refunding", "Refunds", "RefundsByHand"]
