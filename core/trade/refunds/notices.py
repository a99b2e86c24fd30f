"""What people are asked and told about refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from uuid import UUID

from core.delivery.outbox import Notice
from core.kernel.money import Money
from core.people.alarms import Trouble
from core.people.approvals import SecondQuestion
from core.trade.hand_questions import ProvenQuestion
from core.trade.refunds.answers import AlarmReason

How = Literal["given", "not_given"]
# What the supplier said after the end: nothing of the refund is waited for any more.
ENDED_REASONS: Final[frozenset[AlarmReason]] = frozenset({"late", "late_disputed", "contradicts"})


@dataclass(frozen=True, slots=True)
class RefundQuestion(ProvenQuestion):
    """Whether a refund ended like this. sent_no: as the supplier knows it. refund_minor: of its
    amount."""

    kind: ClassVar[str] = "refund_end"
    right: ClassVar[str] = "refund"
    refund_id: UUID
    how: How
    refund_no: str
    sent_no: str
    supplier_no: str
    refund_minor: int

    @property
    def amount(self) -> Money:
        return Money(self.refund_minor, self.currency)


@dataclass(frozen=True, slots=True)
class RefundEndApproval(RefundQuestion, SecondQuestion):
    """The same, of a second person, once whoever asked has proven it."""

    kind: ClassVar[str] = "refund_end_second"
    factor: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class RefundQuestionNotice(Notice):
    """Asks whether that is sure. approval_id: goes under the buttons."""

    approval_id: UUID
    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class RefundEndWaits(Notice):
    """Whoever asked has proven how it ended: a second person decides."""

    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class RefundEnded(Notice):
    """The refund ended as the question says. approved_by: the second person; empty where none was
    needed."""

    question: RefundQuestion
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class RefundDropped(Notice):
    """The question was answered with no: nothing was changed."""

    question: RefundQuestion


@dataclass(frozen=True, slots=True)
class RefundOrderQuestion(ProvenQuestion):
    """Whether to refund so much of an order. refunded_minor: what was refunded, or is on its way.
    begun_minor: what all its refunds come to, failed ones too, which the threshold counts.
    left_minor: the most that can go back at once. supplier_no: where; by_supplier: it takes
    refunds, or else a person gives the money back."""

    kind: ClassVar[str] = "refund_order"
    right: ClassVar[str] = "refund"
    refund_minor: int
    refunded_minor: int
    begun_minor: int
    left_minor: int
    supplier_no: str
    by_supplier: bool

    @property
    def amount(self) -> Money:
        return Money(self.refund_minor, self.currency)


@dataclass(frozen=True, slots=True)
class RefundApproval(RefundOrderQuestion, SecondQuestion):
    """The same, of a second person, once whoever asked has proven it."""

    kind: ClassVar[str] = "refund_second"
    factor: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class RefundOrderNotice(Notice):
    """Asks whether to refund. approval_id: goes under the buttons."""

    approval_id: UUID
    question: RefundOrderQuestion


@dataclass(frozen=True, slots=True)
class RefundWaits(Notice):
    """Whoever asked has proven it: a second person decides."""

    question: RefundOrderQuestion


@dataclass(frozen=True, slots=True)
class RefundRequested(Notice):
    """The refund is reserved, and has come so far. state: of the refund. approved_by: the second
    person; empty where none was needed."""

    question: RefundOrderQuestion
    state: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class RefundOrderDropped(Notice):
    """It was answered with no: nothing was changed."""

    question: RefundOrderQuestion
    answered_by: str


@dataclass(frozen=True, slots=True)
class AlarmRefund(Trouble):
    """A refund needs a person, or a late answer changed how it ended. sent_no: as the supplier
    knows it. minor: of its amount. said: in the supplier's words, or ours; it may be empty.
    Its subject is the refund's id."""

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

    @property
    def ends_by_itself(self) -> bool:
        """One that waits for its end is over with it."""
        return self.why not in ENDED_REASONS
