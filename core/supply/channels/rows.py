"""Channels as they stand, read from their rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.tariff import Tariff
from core.supply.channels.choice import Channel
from core.supply.channels.costs import TODAY
from core.supply.channels.hours import Hours
from core.system.store import Queries

# $1 now.
_CHANNELS: Final = f"""
SELECT c.*, s.supplier_no, s.document_id, s.state AS supplier_state, s.sandbox,
       s.licence_expires_on, s.zone, d.today, t.tiers
FROM channel c
JOIN supplier s ON s.id = c.supplier_id
CROSS JOIN LATERAL (SELECT {TODAY} AS today) d
JOIN LATERAL (
    SELECT tiers FROM channel_tariff
    WHERE channel_id = c.id AND valid_from <= d.today
    ORDER BY valid_from DESC, seq DESC LIMIT 1
) t ON true
"""  # noqa: S608 (our own words)


async def read_channels(
    queries: Queries, now: datetime, supplier_id: UUID | None = None
) -> list[Channel]:
    """One supplier's channels, or everybody's, by number."""
    where = " WHERE c.supplier_id = coalesce($2, c.supplier_id) ORDER BY c.channel_no"
    return [_channel(row) for row in await queries.fetch(_CHANNELS + where, now, supplier_id)]


async def read_one(queries: Queries, now: datetime, channel_id: UUID) -> Channel | None:
    row = await queries.fetchrow(_CHANNELS + " WHERE c.id = $2", now, channel_id)
    return _channel(row) if row is not None else None


def _channel(row: asyncpg.Record) -> Channel:
    return read_channel(row, row["today"], Tariff.unpack("amount", row["tiers"]))


def read_channel(row: asyncpg.Record, today: date, cost: Tariff) -> Channel:
    """A channel's row, with what its supplier's says of it, as it is read."""
    return Channel(
        id=row["id"],
        channel_no=row["channel_no"],
        name=row["name"],
        supplier_id=row["supplier_id"],
        supplier_no=row["supplier_no"],
        supplier_code=row["supplier_code"],
        document_id=row["document_id"],
        currency=row["currency"],
        cost=cost,
        amount_list=tuple(row["amount_list"]),
        amount_min=row["amount_min"],
        amount_max=row["amount_max"],
        hours=read_hours_of(row),
        day_limit_minor=row["day_limit_minor"],
        day_limit_count=row["day_limit_count"],
        weight=row["weight"],
        priority=row["priority"],
        state=row["state"],
        paused_at=row["paused_at"],
        paused_until=row["paused_until"],
        paused_why=row["paused_why"],
        supplier_state=row["supplier_state"],
        supplier_sandbox=row["sandbox"],
        licence_expires_on=row["licence_expires_on"],
        zone=row["zone"],
        today=today,
    )


def read_hours_of(row: asyncpg.Record) -> Hours | None:
    """The hours of a channel's row."""
    return Hours(row["opens"], row["closes"]) if row["opens"] is not None else None
