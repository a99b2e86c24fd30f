"""Suppliers' callbacks: verified without the network, stored raw, answered, then acted on."""

from __future__ import annotations

from core.trade.callbacks.callbacks import TOLD_AFTER, AlarmCallback, Callbacks
from core.trade.callbacks.queue import MAX_TRIES, QUEUE, RETRY_S
from core.trade.callbacks.refused import (
    ALARM_AFTER,
    KEPT_PER_HOUR,
    SIGNED,
    AlarmRefused,
    RefusedCallback,
    RefusedCallbacks,
)
from core.trade.callbacks.takes import HANDS

__all__ = [
    "ALARM_AFTER",
    "HANDS",
    "KEPT_PER_HOUR",
    "MAX_TRIES",
    "QUEUE",
    "RETRY_S",
    "SIGNED",
    "TOLD_AFTER",
    "AlarmCallback",
    "AlarmRefused",
    "Callbacks",
    "RefusedCallback",
    "RefusedCallbacks",
]
