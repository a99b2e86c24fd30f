"""What ops groups are told of money that is not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

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
    """Money is in suspense until somebody decides. discrepancy_id, payment: of the newest. Its
    subject is the merchant: it is over when nothing of the merchant's is open."""

    discrepancy_id: UUID
    difference: Literal["short", "over", "duplicate"]
    payment: OddPayment


async def end_when_none_is_open(tx: Tx, alarms: Alarms, merchant_id: UUID) -> None:
    """Some of a merchant's money left suspense: its alarm is over if that was the last."""

    async def some_is_open(tx: Tx) -> bool:
        found: bool = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM discrepancy"
            " WHERE merchant_id = $1 AND mode = 'live' AND left_minor > 0)",
            merchant_id,
        )
        return found

    await alarms.end(tx, AlarmDiscrepancy, str(merchant_id), unless=some_is_open)


@dataclass(frozen=True, slots=True)
class AlarmShortfall(Incident):
    """Less came than a completion assumed. missing_minor: of it, which is our loss. Its subject is
    the order's number."""

    missing_minor: int
    payment: OddPayment
