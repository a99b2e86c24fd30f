"""The market: reference data in memory, as it stands, in versions."""

from __future__ import annotations

from core.supply.market.market import Market
from core.supply.market.snapshot import Snapshot, Unread
from core.supply.market.watch import AlarmMarket, MarketWatch

__all__ = ["AlarmMarket", "Market", "MarketWatch", "Snapshot", "Unread"]
