"""How all merchants stand now, beside what they sold today: who runs out of what was advanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.holder import MODE
from core.people.actors import Actor
from core.reports.statistics import Query, Row, Statistics
from core.system.store import Store

RIGHT: Final = "read_statistics"


@dataclass(frozen=True, slots=True)
class MerchantStands:
    """A merchant now. balance_minor: what we owe it, net; advanced_minor: what it was advanced,
    less what was taken back of that. paid, amount_minor: of its own business day that is open."""

    merchant_no: str
    merchant_name: str
    balance_minor: int
    advanced_minor: int
    paid: int
    amount_minor: int

    @property
    def left_percent(self) -> int | None:
        """How much of what was advanced is still to be earned back, 0 to 100; None where nothing
        was advanced."""
        if self.advanced_minor <= 0:
            return None
        return min(100, max(0, -self.balance_minor * 100 // self.advanced_minor))


@dataclass(frozen=True, slots=True)
class AllStand:
    """All merchants of a currency that have a balance or sold something today. Those of which the
    least is left come first, then those that sold most."""

    currency: str
    lines: tuple[MerchantStands, ...]


class Balances:
    """Reads how merchants stand."""

    def __init__(self, store: Store, statistics: Statistics) -> None:
        self._store = store
        self._statistics = statistics

    async def all(self, actor: Actor) -> list[AllStand]:
        """Each currency that some merchant has. Refusals: those of `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        rows = await self._store.fetch(_STAND, MODE)
        found = []
        for currency in dict.fromkeys(row["currency"] for row in rows):
            sold = await self._sold(currency, [row for row in rows if row["currency"] == currency])
            lines = []
            for row in rows:
                of = sold.get(row["id"])
                if row["currency"] == currency and (of or row["position"] or row["advanced"]):
                    lines.append(
                        MerchantStands(
                            row["merchant_no"],
                            row["name"],
                            row["position"],
                            row["advanced"],
                            of.paid if of else 0,
                            of.amount_minor if of else 0,
                        )
                    )
            found.append(AllStand(currency, tuple(sorted(lines, key=_worst_first))))
        return found

    async def _sold(
        self, currency: str, merchants: Sequence[asyncpg.Record]
    ) -> dict[UUID | None, Row]:
        """What each sold on its open day, by its id: merchants' days are cut at different times."""
        found: dict[UUID | None, Row] = {}
        for day in {row["day"] for row in merchants}:
            whose = tuple(row["id"] for row in merchants if row["day"] == day)
            query = Query(day, day, whose, currency=currency, by=("merchant",))
            found |= {row.merchant_id: row for row in (await self._statistics.read(query)).rows}
        return found


def _worst_first(line: MerchantStands) -> tuple[int, int, str]:
    left = line.left_percent
    return (100 if left is None else left, -line.amount_minor, line.merchant_no)


_STAND: Final = """
SELECT m.id, m.merchant_no, m.name, m.currency, d.day,
       coalesce(sum(b.minor), 0)::bigint AS position,
       coalesce(-sum(b.minor) FILTER (WHERE b.account = 'prepaid'), 0)::bigint AS advanced
FROM merchant m
JOIN business_day d ON d.holder_id = m.id AND d.closed_at IS NULL
LEFT JOIN balance b ON b.merchant_id = m.id AND b.mode = $1 AND b.currency = m.currency
    AND b.account IN ('payable', 'prepaid')
GROUP BY m.id, d.day ORDER BY m.currency, m.merchant_no
"""
