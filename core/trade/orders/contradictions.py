"""What suppliers say of a payment that cannot be so as well: kept, told at once, never retried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import structlog

from core.kernel.clock import Clock
from core.kernel.errors import Bug, Contradiction
from core.kernel.ids import Ids
from core.kernel.money import Money
from core.people.alarms import Alarms, Incident
from core.system.store import Store
from core.trade.orders.decisions import PaymentSeen
from core.trade.orders.rows import Order, find_attempt, get_order

_LOG = structlog.get_logger(__name__)
CONTRADICTION: Final = "contradiction"  # the kind of its alarms
SHOWN_SIGHTINGS: Final = 12


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that a supplier said under a payment number.

    how: reported (a callback, from `address`) or asked (our query). meaning: as what it was
    booked; else, where `contradicts`, the kind of the contradiction. asked: what the order asks
    for. times: how often the same was said again, which only contradictions count.
    """

    at: datetime
    how: Literal["reported", "asked"]
    address: str
    merchant_no: str
    order_no: str
    attempt_no: str
    paid: Money
    asked: Money
    meaning: str
    contradicts: bool
    times: int


@dataclass(frozen=True, slots=True)
class AlarmContradiction(Incident):
    """A supplier contradicts itself. contradiction: the kind of it. upstream_no: of the payment;
    empty where it was refused before anything could be booked under a number. paid_minor: what it
    says now; 0 where it says no amount. said: what was known before, in short; may be empty."""

    contradiction: str
    merchant_id: UUID
    supplier_no: str
    upstream_no: str
    order_no: str
    attempt_no: str
    paid_minor: int
    currency: str
    said: str


class Contradictions:
    """Sightings of payments that contradict what was booked, by the supplier's own number."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, alarms: Alarms) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._alarms = alarms

    async def keep(self, seen: PaymentSeen, said: Contradiction) -> Order:
        """Keep a sighting of which nothing is booked, and alarm. Returns the attempt's order.

        The same again counts up. A test's alarms nobody: no money is anywhere.
        """
        attempt = await find_attempt(self._store, seen.merchant_id, seen.attempt_no)
        if attempt is None:
            raise Bug(f"the attempt {seen.attempt_no} is gone")
        order = await get_order(self._store, attempt.merchant_id, attempt.order_id)
        _LOG.error(
            "supplier contradicts itself",
            supplier_no=attempt.supplier_no,
            upstream_no=seen.upstream_no,
            attempt_no=attempt.attempt_no,
            kind=said.kind,
        )
        async with self._store.transaction() as tx:
            await tx.execute(
                _KEEP,
                attempt.merchant_id,
                self._ids.uuid7(),
                attempt.supplier_id,
                seen.upstream_no,
                attempt.attempt_no,
                order.id,
                said.kind,
                seen.paid.minor,
                seen.paid.currency,
                seen.how,
                seen.address,
                self._clock.now(),
            )
            if order.mode == "live":
                trouble = AlarmContradiction(
                    contradiction=said.kind,
                    merchant_id=attempt.merchant_id,
                    supplier_no=attempt.supplier_no,
                    upstream_no=seen.upstream_no,
                    order_no=order.order_no,
                    attempt_no=attempt.attempt_no,
                    paid_minor=seen.paid.minor,
                    currency=seen.paid.currency,
                    said=said.before,
                )
                subject = f"{attempt.supplier_no} {seen.upstream_no}"
                await self._alarms.sound(tx, trouble, subject)
        return order

    async def sightings(self, supplier_id: UUID, upstream_no: str) -> list[Sighting]:
        """All that a supplier said under a payment number, whoever's order it was about: the oldest
        first, at most SHOWN_SIGHTINGS."""
        rows = await self._store.fetch(_SIGHTINGS, supplier_id, upstream_no, SHOWN_SIGHTINGS)
        return [
            Sighting(
                at=row["at"],
                how=row["how"],
                address=row["address"],
                merchant_no=row["merchant_no"],
                order_no=row["order_no"],
                attempt_no=row["attempt_no"],
                paid=Money(row["amount_minor"], row["currency"]),
                asked=Money(row["asked_minor"], row["asked_currency"]),
                meaning=row["meaning"],
                contradicts=row["contradicts"],
                times=row["times"],
            )
            for row in rows
        ]


def together(sightings: list[Sighting]) -> Money | None:
    """What the amounts under one number come to, where that is just what its order asks for: the
    payment came in parts. Pure."""
    asked = {(s.order_no, s.asked) for s in sightings}
    if len(asked) != 1 or len(sightings) < 2:
        return None
    ((_, wanted),) = asked
    if any(s.paid.currency != wanted.currency for s in sightings):
        return None
    return wanted if sum(s.paid.minor for s in sightings) == wanted.minor else None


_KEEP: Final = """
INSERT INTO contradiction (merchant_id, id, supplier_id, upstream_no, attempt_no, order_id, kind,
    amount_minor, currency, how, address, at, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
ON CONFLICT (supplier_id, upstream_no, attempt_no, amount_minor, currency)
DO UPDATE SET times = contradiction.times + 1, last_at = excluded.last_at
"""
_SIGHTINGS: Final = """
SELECT s.*, m.merchant_no, o.order_no, o.amount_minor AS asked_minor,
       o.currency AS asked_currency
FROM (
    SELECT merchant_id, order_id, at, how, address, attempt_no, amount_minor, currency,
           booked_as AS meaning, false AS contradicts, 1 AS times
    FROM supplier_payment WHERE supplier_id = $1 AND upstream_no = $2
    UNION ALL
    SELECT merchant_id, order_id, at, how, address, attempt_no, amount_minor, currency, kind,
           true, times
    FROM contradiction WHERE supplier_id = $1 AND upstream_no = $2
) s
JOIN merchant m ON m.id = s.merchant_id
JOIN orders o ON o.merchant_id = s.merchant_id AND o.id = s.order_id
    AND o.created_at = id_time(s.order_id)
ORDER BY s.at LIMIT $3
"""
