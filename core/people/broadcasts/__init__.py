"""Broadcasts: one message for very many chats, sent once to each, corrected and taken back."""

from __future__ import annotations

from core.people.broadcasts.broadcasts import MAX_LATER, MAX_OPEN, RIGHT, Broadcasts
from core.people.broadcasts.delivery import AHEAD, BROADCASTS_DUE, BroadcastDelivery
from core.people.broadcasts.model import (
    Broadcast,
    BroadcastPage,
    BroadcastView,
    Content,
    Counts,
    Failure,
    Plan,
    Result,
    ResultPage,
)

__all__ = [
    "AHEAD",
    "BROADCASTS_DUE",
    "MAX_LATER",
    "MAX_OPEN",
    "RIGHT",
    "Broadcast",
    "BroadcastDelivery",
    "BroadcastPage",
    "BroadcastView",
    "Broadcasts",
    "Content",
    "Counts",
    "Failure",
    "Plan",
    "Result",
    "ResultPage",
]
