"""What people are asked and told about refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from core.delivery.outbox import Notice
from core.people.approvals import Question
from core.trade.refunds.answers import AlarmReason

How = Literal["given", "not_given"]


@dataclass(frozen=True, slots=True)
class RefundQuestion(Question):
    """Whether a refund ended like this. sent_no: as the supplier knows it. minor: of its amount."""

    kind: ClassVar[str] = "refund"
    merchant_id: UUID
    merchant_no: str
    refund_id: UUID
    how: How
    order_no: str
    refund_no: str
    sent_no: str
    supplier_no: str
    minor: int
    currency: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class RefundQuestionNotice(Notice):
    """Asks whether that is sure. approval_id: goes under the buttons."""

    approval_id: UUID
    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class RefundEnded(Notice):
    """The refund ended as the question says."""

    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class RefundDropped(Notice):
    """The question was answered with no: nothing was changed."""

    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class AlarmRefund(Notice):
    """A refund needs a person, or a late answer changed how it ended. sent_no: as the supplier
    knows it. minor: of its amount. said: in the supplier's words, or ours; it may be empty."""

    merchant_id: UUID
    refund_id: UUID
    why: AlarmReason
    order_no: str
    refund_no: str
    sent_no: str
    supplier_no: str
    minor: int
    currency: str
    said: str
