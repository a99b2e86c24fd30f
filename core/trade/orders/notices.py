"""What ops groups are told of money that is not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from core.delivery.outbox import Notice


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
class AlarmDiscrepancy(Notice):
    """The money is in suspense until somebody decides."""

    discrepancy_id: UUID
    kind: Literal["short", "over", "duplicate"]
    payment: OddPayment


@dataclass(frozen=True, slots=True)
class AlarmShortfall(Notice):
    """Less came than a completion assumed. missing_minor: of it, which is our loss."""

    missing_minor: int
    payment: OddPayment
