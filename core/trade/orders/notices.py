"""What ops groups are told of money that is not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.kernel.money import Money
from core.people.alarms import Alarms, Incident, Trouble
from core.system.store import Tx


@dataclass(frozen=True, slots=True)
class OddPayment:
    """A payment, and what its order asks for. upstream_no: the supplier's number of it. currency:
    of what was seen."""

    order_no: str
    supplier_no: str
    upstream_no: str
    asked_minor: int
    seen_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class AlarmDiscrepancy(Trouble):
    """A merchant's money is in suspense until somebody decides. count: how many discrepancies are
    open; left: what is left of them, in each currency. Its subject is the merchant: it is over when
    nothing of the merchant's is open."""

    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    count: int
    left: tuple[Money, ...]


async def sound_suspense(tx: Tx, alarms: Alarms, merchant_id: UUID) -> None:
    """More of a merchant's money is in suspense. As `Alarms.sound`: last, and not of test orders,
    whose money is nowhere."""
    await alarms.sound(tx, await _in_suspense(tx, merchant_id), str(merchant_id))


async def ease_suspense(tx: Tx, alarms: Alarms, merchant_id: UUID) -> None:
    """Some of a merchant's money left suspense: its alarm says what is left, or is over if that was
    the last."""
    left = await _in_suspense(tx, merchant_id)
    if left.count:
        await alarms.amend(tx, left, str(merchant_id))
    else:
        await alarms.end(tx, AlarmDiscrepancy, str(merchant_id))


async def _in_suspense(tx: Tx, merchant_id: UUID) -> AlarmDiscrepancy:
    """What of a merchant's is open. Until we commit, nobody else tells of it."""
    await tx.hold(f"suspense:{merchant_id}")
    rows = await tx.fetch(_OPEN, merchant_id)
    left = tuple(Money(row["minor"], row["currency"]) for row in rows if row["count"])
    count = sum(row["count"] for row in rows)
    return AlarmDiscrepancy(merchant_id, rows[0]["merchant_no"], rows[0]["name"], count, left)


_OPEN: Final = """
SELECT m.merchant_no, m.name, d.currency, count(d.id), sum(d.left_minor)::bigint AS minor
FROM merchant m LEFT JOIN discrepancy d
     ON d.merchant_id = m.id AND d.mode = 'live' AND d.left_minor > 0
WHERE m.id = $1 GROUP BY m.id, d.currency ORDER BY d.currency
"""


@dataclass(frozen=True, slots=True)
class AlarmShortfall(Incident):
    """Less came than a completion assumed. missing_minor: of it, which is our loss. Its subject is
    the order's number."""

    missing_minor: int
    payment: OddPayment
