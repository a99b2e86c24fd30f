"""The one lease queue: rows that wait are taken fairly, held with a lease, and ended by who holds
them."""

from __future__ import annotations

from core.system.leases.leases import Held, Leases
from core.system.leases.look import QUEUE_LOOK_S, Look
from core.system.leases.queue import LaneTable, Queue, due, last_of_ring
from core.system.leases.renewal import hold

__all__ = [
    "QUEUE_LOOK_S",
    "Held",
    "LaneTable",
    "Leases",
    "Look",
    "Queue",
    "due",
    "hold",
    "last_of_ring",
]
