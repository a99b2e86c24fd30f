"""The one lease queue: rows that wait are taken fairly, held with a lease, and ended by who holds
them."""

from __future__ import annotations

from core.system.leases.leases import Held, Leases
from core.system.leases.queue import LaneTable, Queue
from core.system.leases.renewal import hold

__all__ = ["Held", "LaneTable", "Leases", "Queue", "hold"]
