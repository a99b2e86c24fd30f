"""What merchants are told: Standard Webhooks, sent until answered, every try kept."""

from __future__ import annotations

from core.notifications.domain import HANDS, Notifications
from core.notifications.queue import LEASE
from core.notifications.signing import body_of, sign
from core.notifications.verdict import GAPS_S, judge

__all__ = ["GAPS_S", "HANDS", "LEASE", "TIMEOUTS", "Notifications", "body_of", "judge", "sign"]
