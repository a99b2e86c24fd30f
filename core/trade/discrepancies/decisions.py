"""What is decided about money in suspense, purely: whether it may be, and how it is booked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final
from uuid import UUID

from core.books import Postings, credited, returned_to_payer
from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.people.actors import Actor
from core.people.approvals import SecondQuestion
from core.trade.discrepancies.rows import Discrepancy, How
from core.trade.hand_questions import MAX_REASON_CHARS, ProvenQuestion

RIGHT: Final = "resolve"


@dataclass(frozen=True, slots=True)
class ResolveQuestion(ProvenQuestion):
    """What shall become of a discrepancy, and why. Where others read along, its supplier is empty.

    fee_minor: of a credit to the merchant, else 0. reason: empty until somebody replied with one.
    A completion is only asked why here: with the reason it becomes a `CompleteQuestion`.
    """

    kind: ClassVar[str] = "resolve"
    right: ClassVar[str] = RIGHT
    discrepancy_id: UUID
    mode: str
    supplier_no: str
    upstream_no: str
    seen_minor: int
    left_minor: int
    how: How
    fee_minor: int

    @property
    def amount(self) -> Money:
        return Money(self.left_minor, self.currency)


@dataclass(frozen=True, slots=True)
class ResolveApproval(ResolveQuestion, SecondQuestion):
    """The same, of a second person, once whoever asked has proven it."""

    kind: ClassVar[str] = "resolve_second"
    factor: ClassVar[bool] = False


def question_of(
    actor: Actor, facts: dict[str, Any], seen: Discrepancy, how: How, fee_minor: int
) -> ResolveQuestion:
    """The question why. facts: of its order."""
    shown = seen_by(actor, seen)
    return ResolveQuestion(
        **facts,
        discrepancy_id=seen.id,
        mode=seen.mode,
        supplier_no=shown.supplier_no,
        upstream_no=shown.upstream_no,
        seen_minor=seen.seen_minor,
        left_minor=seen.left_minor,
        how=how,
        fee_minor=fee_minor,
    )


def seen_by(actor: Actor, seen: Discrepancy) -> Discrepancy:
    """A discrepancy as it is shown to an actor. Where others read along, the supplier is not
    named."""
    staff_only = actor.merchant_ids is None
    return seen if staff_only else replace(seen, supplier_no="", upstream_no="")


def need_left(left_minor: int, seen_minor: int, seen: Discrepancy) -> None:
    """What is left is what the person saw. Refusals: already_resolved, discrepancy_changed."""
    if left_minor == 0:
        raise Refusal("already_resolved", number=seen.order_no)
    if left_minor != seen_minor:
        raise Refusal("discrepancy_changed", number=seen.order_no)


def need_reason(reason: str) -> str:
    """As it is kept. Refusals: reason_missing."""
    if not reason.strip():
        raise Refusal("reason_missing", reason_for="resolve")
    return reason.strip()[:MAX_REASON_CHARS]


def fee_of(rate: Rate, left_minor: int) -> int:
    """What the merchant is charged where the money is its own: the percentage, at most the rate's
    most. A fixed part and a least fee are an order's, and this money is no order. rate: that the
    order is charged at now."""
    return replace(rate, fixed_minor=0, min_minor=0).of(left_minor)


def postings_of(seen: Discrepancy, fee_minor: int | None) -> Postings:
    """How what is left leaves suspense. fee_minor: the merchant's, who is credited with it; None
    where it goes back to the payer."""
    left = Money(seen.left_minor, seen.currency)
    if fee_minor is None:
        return returned_to_payer(left, supplier_no=seen.supplier_no)
    return credited(left, fee_minor=fee_minor, supplier_no=seen.supplier_no)
