"""What merchants are told: Standard Webhooks, sent until answered, every try kept."""

from __future__ import annotations

from core.trade.notifications.notifications import HANDS, Notifications
from core.trade.notifications.queue import QUEUE
from core.trade.notifications.results import AlarmExhausted
from core.trade.notifications.retries import GAPS_S, judge
from core.trade.notifications.signatures import body_of, sign, webhook

__all__ = [
    "GAPS_S",
    "HANDS",
    "QUEUE",
    "AlarmExhausted",
    "Notifications",
    "body_of",
    "judge",
    "sign",
    "webhook",
]
