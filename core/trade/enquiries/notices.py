"""What people are told about enquiries."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.delivery.outbox import Notice


@dataclass(frozen=True, slots=True)
class EnquiryReminder(Notice):
    """The supplier is asked again. minutes: since it was asked first."""

    attempt_no: str
    minutes: int


@dataclass(frozen=True, slots=True)
class EnquiryAnswerLost(Notice):
    """The supplier is asked again: its answer was taken away before it could be passed on."""

    attempt_no: str


@dataclass(frozen=True, slots=True)
class EnquiryPaid(Notice):
    """Whoever asked is told that the order is paid after all."""

    order_no: str
    merchant_order_no: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class EnquiryUnbound(Notice):
    """Ops is told: no group of the supplier is known, so nobody there was asked. A reply to this
    comes back to whoever asked."""

    enquiry_id: UUID
    order_no: str
    attempt_no: str
    merchant_no: str
    supplier_no: str
    asked_by_name: str


@dataclass(frozen=True, slots=True)
class EnquiryUnanswered(Notice):
    """Ops is told: nobody at the supplier answers. minutes: since it was asked. A reply to this
    comes back to whoever asked."""

    enquiry_id: UUID
    order_no: str
    attempt_no: str
    merchant_no: str
    supplier_no: str
    minutes: int
    chases: int
