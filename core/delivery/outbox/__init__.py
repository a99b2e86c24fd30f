"""What leaves the desk: facts for Telegram and news for merchants, committed with their cause."""

from __future__ import annotations

from core.delivery.outbox.chats import Chats
from core.delivery.outbox.facts import (
    ANSWER,
    CARD,
    LIVE_BILL,
    SAID,
    AlarmCard,
    Bill,
    Card,
    DeskBill,
    Fact,
    MerchantNews,
    News,
    Pin,
    Say,
    TakeAway,
    TextFile,
    Twins,
    Unpin,
    Unread,
    pack,
    unpack,
)
from core.delivery.outbox.notices import Notice, Stored, read_notice, screen_of, values_of
from core.delivery.outbox.queue import NOBODY, QUEUE, Leaving, Outbox, Saying

__all__ = [
    "ANSWER",
    "CARD",
    "LIVE_BILL",
    "NOBODY",
    "QUEUE",
    "SAID",
    "AlarmCard",
    "Bill",
    "Card",
    "Chats",
    "DeskBill",
    "Fact",
    "Leaving",
    "MerchantNews",
    "News",
    "Notice",
    "Outbox",
    "Pin",
    "Say",
    "Saying",
    "Stored",
    "TakeAway",
    "TextFile",
    "Twins",
    "Unpin",
    "Unread",
    "pack",
    "read_notice",
    "screen_of",
    "unpack",
    "values_of",
]
