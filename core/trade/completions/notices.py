"""What people are asked and told about completions by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from core.delivery.outbox import Notice
from core.people.approvals import SecondQuestion
from core.trade.hand_questions import OrderQuestion, ProvenQuestion


@dataclass(frozen=True, slots=True)
class CompleteQuestion(ProvenQuestion):
    """Whether to complete an order. supplier_says, supplier_why: its answer just now.
    proof_file_id: at Telegram, or empty. held_minor: of the order in suspense. discrepancy_id:
    whose money alone is to be used; None for all of it."""

    kind: ClassVar[str] = "complete"
    right: ClassVar[str] = "complete"
    supplier_says: str
    supplier_why: str
    completed_today: int
    proof_file_id: str
    held_minor: int
    discrepancy_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CompleteApproval(CompleteQuestion, SecondQuestion):
    """The same, of a second person, once whoever asked has proven it."""

    kind: ClassVar[str] = "complete_second"
    factor: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class UncompleteQuestion(OrderQuestion):
    """Whether to reverse a completion."""

    kind: ClassVar[str] = "uncomplete"
    yes_by: ClassVar[Literal["asker", "second"]] = "second"


@dataclass(frozen=True, slots=True)
class CompleteQuestionNotice(Notice):
    """Asks whether to complete. approval_id: goes under the buttons."""

    approval_id: UUID
    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class CompleteWaits(Notice):
    """Whoever asked has proven it: a second person decides."""

    question: CompleteQuestion


@dataclass(frozen=True, slots=True)
class Completed(Notice):
    """The order is paid by hand. approved_by: the second person; empty where none was needed."""

    question: CompleteQuestion
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class CompleteDropped(Notice):
    """Whoever asked thought better of it, or somebody else said no: nothing was changed.
    answered_by: empty for whoever asked."""

    question: CompleteQuestion
    answered_by: str = ""


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
