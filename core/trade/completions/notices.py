"""What people are asked and told about completions by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeVar
from uuid import UUID

from core.delivery.outbox import Notice
from core.people.approvals import Question


@dataclass(frozen=True, slots=True)
class OrderQuestion(Question):
    """The order as it was when somebody asked, and why they asked. minor: of its amount. status:
    its state."""

    order_no: str
    merchant_order_no: str
    merchant_id: UUID
    order_id: UUID
    version: int
    minor: int
    currency: str
    status: str
    disputed: bool
    reason: str
    created_at: datetime
    age_min: int
    actor_name: str


@dataclass(frozen=True, slots=True)
class CompleteQuestion(OrderQuestion):
    """Whether to complete an order. supplier_says, supplier_why: its answer just now.
    proof_file_id: at Telegram, or empty. held_minor: of the order in suspense."""

    kind: ClassVar[str] = "complete"
    supplier_says: str
    supplier_why: str
    completed_today: int
    proof_file_id: str
    held_minor: int


@dataclass(frozen=True, slots=True)
class UncompleteQuestion(OrderQuestion):
    """Whether to reverse a completion."""

    kind: ClassVar[str] = "uncomplete"
    yes_by: ClassVar[Literal["asker", "second"]] = "second"


OrderQ = TypeVar("OrderQ", bound=OrderQuestion)


@dataclass(frozen=True, slots=True)
class CompleteQuestionNotice(Notice):
    """Asks whether to complete. approval_id: goes under the buttons."""

    approval_id: UUID
    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class Completed(Notice):
    """The order is paid by hand."""

    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class CompleteDropped(Notice):
    """Whoever asked thought better of it: nothing was changed."""

    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class CompleteSettledItself(Notice):
    """The supplier reported the money when it was asked: there was nothing to complete."""

    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class UncompleteQuestionNotice(Notice):
    """Asks somebody else whether to reverse a completion. approval_id: goes under the buttons."""

    approval_id: UUID
    question: UncompleteQuestion


@dataclass(frozen=True, slots=True)
class Uncompleted(Notice):
    """The completion was reversed, and the order is disputed."""

    question: UncompleteQuestion
    answered_by: str


@dataclass(frozen=True, slots=True)
class UncompleteDropped(Notice):
    """The reversal was answered with no: nothing was changed."""

    question: UncompleteQuestion
    answered_by: str
