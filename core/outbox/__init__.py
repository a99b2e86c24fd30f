"""What leaves the desk: facts for Telegram and news for merchants, committed with their cause."""

from __future__ import annotations

from core.outbox.facts import AlarmCard, Bill, Card, DeskBill, Fact, News, Say, TakeAway, TextFile
from core.outbox.queue import NOBODY, Leaving, Outbox

__all__ = [
    "NOBODY",
    "AlarmCard",
    "Bill",
    "Card",
    "DeskBill",
    "Fact",
    "Leaving",
    "News",
    "Outbox",
    "Say",
    "TakeAway",
    "TextFile",
]
