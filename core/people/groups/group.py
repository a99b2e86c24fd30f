"""A group as it is read: the chat as it is now, and what it is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Group:
    """A chat with what it is bound to. chat_id: where it is now, for one that moved.

    language: of what the bot says there.

    usdt_rate: what one USDT is worth where an amount names no rate, in the currency of whom the
    group is bound to; None where nobody set one.
    """

    chat_id: int
    kind: str
    title: str
    language: str
    label: str
    merchant_ids: tuple[UUID, ...]
    supplier_ids: tuple[UUID, ...]
    usdt_rate: Decimal | None


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
    )


# Columns of a group `g`, in SQL.
GROUP: Final = """
g.chat_id, g.kind, g.title, g.language, g.label, g.usdt_rate,
array(SELECT merchant_id FROM binding WHERE chat_id = g.chat_id AND merchant_id IS NOT NULL
      ORDER BY created_at, id) AS merchant_ids,
array(SELECT supplier_id FROM binding WHERE chat_id = g.chat_id AND supplier_id IS NOT NULL
      ORDER BY created_at, id) AS supplier_ids
"""
