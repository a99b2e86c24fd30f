"""What a group is told of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.delivery.outbox import Notice, TopicUse


@dataclass(frozen=True, slots=True)
class BillEnded(Notice):
    """In the place of a live bill: the group is no longer this merchant's or supplier's. no: its
    number; empty: it was an ops group, with the platform's bill."""

    no: str
    day: date


@dataclass(frozen=True, slots=True)
class TopicLost(Notice):
    """The topic of a forum in which this was shown was closed or deleted."""

    use: TopicUse
