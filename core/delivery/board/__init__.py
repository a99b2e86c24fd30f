"""The board: which posted message of ours shows what, and when it is edited, replaced or let go."""

from __future__ import annotations

from core.delivery.board.board import (
    ALARM_REST,
    BILL_REST,
    PLATFORM_BILL_REST,
    Board,
    CardPost,
    LiveBill,
)
from core.delivery.board.posts import Post, Posts, Subject

__all__ = [
    "ALARM_REST",
    "BILL_REST",
    "PLATFORM_BILL_REST",
    "Board",
    "CardPost",
    "LiveBill",
    "Post",
    "Posts",
    "Subject",
]
