"""A group as it is read: the chat as it is now, and what it is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from core.delivery.outbox import TopicUse
from core.kernel.holder import HOUSE
from core.people.groups.quiet import QuietHours


@dataclass(frozen=True, slots=True)
class BotRights:
    """What the bot may do in a chat."""

    may_post: bool = True
    may_pin: bool = False


@dataclass(frozen=True, slots=True)
class Topics:
    """In which topics of a forum something is shown, by Telegram's number; None: in the general
    one. lookups: cards of orders that nobody there asked for."""

    bills: int | None = None
    lookups: int | None = None
    alarms: int | None = None

    def of(self, use: TopicUse) -> int | None:
        match use:
            case "bills":
                return self.bills
            case "lookups":
                return self.lookups
            case "alarms":
                return self.alarms


@dataclass(frozen=True, slots=True)
class Group:
    """A chat with what it is bound to. chat_id: where it is now, for one that moved.

    language: of what the bot says there. no: how people name it among all groups.

    usdt_rate: what one USDT is worth where an amount names no rate, in the currency of whom the
    group is bound to; None where nobody set one. zone: of the clocks on which times are told
    there; None: those of whom it is bound to, or the desk's. quiet: when nothing comes unasked.
    """

    chat_id: int
    kind: str
    title: str
    language: str
    label: str
    merchant_ids: tuple[UUID, ...]
    supplier_ids: tuple[UUID, ...]
    usdt_rate: Decimal | None
    no: int = 0
    zone: str | None = None
    quiet: QuietHours | None = None
    topics: Topics = Topics()

    def has_bill_of(self, holder_id: UUID) -> bool:
        """Whether the live bill of a merchant, a supplier or (HOUSE) the platform is kept here."""
        if holder_id == HOUSE:
            return self.kind == "ops"
        return holder_id in (*self.merchant_ids, *self.supplier_ids)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a merchant or a supplier who may ask in a group. name: as last seen; empty where
    it was not. holder_no: of whom."""

    user_id: int
    name: str
    role: str
    holder_no: str
    since: datetime


def read_group(row: asyncpg.Record) -> Group:
    """From the columns GROUP."""
    return Group(
        row["chat_id"],
        row["kind"],
        row["title"],
        row["language"],
        row["label"],
        tuple(row["merchant_ids"]),
        tuple(row["supplier_ids"]),
        Decimal(row["usdt_rate"]) if row["usdt_rate"] else None,
        row["no"],
        row["zone"],
        read_quiet(row),
        read_topics(row),
    )


def read_topics(row: asyncpg.Record) -> Topics:
    """From the column topics."""
    return Topics(**row["topics"])


def read_quiet(row: asyncpg.Record) -> QuietHours | None:
    """From the columns quiet_from and quiet_to."""
    start, end = row["quiet_from"], row["quiet_to"]
    return None if start is None else QuietHours(start, end)


# Columns of a group `g`, in SQL.
GROUP: Final = """
g.chat_id, g.no, g.kind, g.title, g.language, g.label, g.usdt_rate, g.zone,
g.quiet_from, g.quiet_to, g.topics,
array(SELECT merchant_id FROM binding WHERE chat_id = g.chat_id AND merchant_id IS NOT NULL
      ORDER BY created_at, id) AS merchant_ids,
array(SELECT supplier_id FROM binding WHERE chat_id = g.chat_id AND supplier_id IS NOT NULL
      ORDER BY created_at, id) AS supplier_ids
"""
