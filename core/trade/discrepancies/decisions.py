"""What is decided about money in suspense, purely: whether it may be, and how it is booked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final
from uuid import UUID

from core.books import Postings, credited, returned_to_payer
from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.people.actors import Actor
from core.people.approvals import Question
from core.trade.discrepancies.rows import Discrepancy, How

MAX_REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class ResolveQuestion(Question):
    """What shall become of a discrepancy, and why. Where others read along, its supplier is empty.

    fee_minor: of a credit to the merchant, else 0. used_minor: what it takes of what is left.
    reason: empty until somebody replied with one.
    """

    kind: ClassVar[str] = "resolve"
    discrepancy_id: UUID
    merchant_id: UUID
    merchant_no: str
    order_no: str
    mode: str
    supplier_no: str
    upstream_no: str
    asked_minor: int
    seen_minor: int
    left_minor: int
    currency: str
    how: How
    fee_minor: int
    used_minor: int
    reason: str
    actor_name: str


def question_of(actor: Actor, seen: Discrepancy, how: How, fee_minor: int) -> ResolveQuestion:
    """The question why."""
    shown = seen_by(actor, seen)
    return ResolveQuestion(
        discrepancy_id=seen.id,
        merchant_id=seen.merchant_id,
        merchant_no=seen.merchant_no,
        order_no=seen.order_no,
        mode=seen.mode,
        supplier_no=shown.supplier_no,
        upstream_no=shown.upstream_no,
        asked_minor=seen.asked_minor,
        seen_minor=seen.seen_minor,
        left_minor=seen.left_minor,
        currency=seen.currency,
        how=how,
        fee_minor=fee_minor,
        used_minor=seen.moved_by(how).minor,
        reason="",
        actor_name=actor.name,
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
