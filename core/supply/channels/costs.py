"""What suppliers charge on channels, read for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from core.kernel.errors import Refusal
from core.kernel.tariff import Tariff
from core.system.store import Queries


@dataclass(frozen=True, slots=True)
class ChannelCost:
    """What a supplier charges on a channel today, and what it will from a day of its own on."""

    id: UUID
    channel_no: str
    name: str
    supplier_no: str
    currency: str
    today: date
    cost: Tariff
    coming: Tariff | None
    coming_since: date | None


async def find_cost(queries: Queries, channel_no: str, now: datetime) -> ChannelCost:
    """A channel's cost. Refusals: channel_not_found."""
    row = await queries.fetchrow(_COST, now, channel_no.strip().upper())
    if row is None:
        raise Refusal("channel_not_found", channel_no=channel_no[:20])
    coming = row["coming"]
    return ChannelCost(
        id=row["id"],
        channel_no=row["channel_no"],
        name=row["name"],
        supplier_no=row["supplier_no"],
        currency=row["currency"],
        today=row["today"],
        cost=Tariff.unpack("amount", row["tiers"]),
        coming=Tariff.unpack("amount", coming) if coming is not None else None,
        coming_since=row["coming_since"],
    )


# The open day of supplier s, $1 now. A changed cut counts from the next day on, so the row knows
# and the clock does not; where that day is over but not yet closed, it is the one after it, which
# no cut makes shorter than twelve hours (SHORTEST_DAY). Named as `core.kernel.clock.DayCut` does.
TODAY: Final = """(
    SELECT CASE
        WHEN d.ends_at > $1 THEN d.day
        WHEN d.ends_at + interval '12 hours' > $1 THEN d.day + 1
        ELSE greatest(
            d.day + 1, (($1::timestamptz AT TIME ZONE s.zone) - s.day_cut::interval)::date
                       + (s.day_cut > '12:00')::int
        )
    END
    FROM business_day d WHERE d.holder_id = s.id AND d.closed_at IS NULL
)"""

# $1 now, $2 the channel's number.
_COST: Final = f"""
WITH known AS (
    SELECT c.id, c.channel_no, c.name, c.currency, s.supplier_no,
           {TODAY} AS today
    FROM channel c JOIN supplier s ON s.id = c.supplier_id WHERE c.channel_no = $2
)
SELECT k.*, t.tiers, n.tiers AS coming, n.valid_from AS coming_since
FROM known k
JOIN LATERAL (
    SELECT tiers FROM channel_tariff WHERE channel_id = k.id AND valid_from <= k.today
    ORDER BY valid_from DESC, seq DESC LIMIT 1
) t ON true
LEFT JOIN LATERAL (
    SELECT tiers, valid_from FROM channel_tariff WHERE channel_id = k.id AND valid_from > k.today
    ORDER BY valid_from, seq DESC LIMIT 1
) n ON true
"""  # noqa: S608 (our own words)
