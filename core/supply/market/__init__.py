"""The market: reference data in memory, as it stands, in versions."""

from __future__ import annotations

from core.supply.market.market import Market
from core.supply.market.snapshot import Snapshot

__all__ = ["Market", "Snapshot"]
