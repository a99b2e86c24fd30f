"""What is decided about money in suspense, purely: whether it may be, and how it is booked."""

from __future__ import annotations

from typing import Any, Final

from core.access import Actor
from core.discrepancies.reading import Discrepancy
from core.errors import REASON_EXAMPLES, Refusal
from core.ledger import Postings, credited, returned_to_payer
from core.money import Money
from core.orders import Order

MAX_REASON_CHARS: Final = 200


def facts_of(actor: Actor, seen: Discrepancy) -> dict[str, Any]:
    """A discrepancy as JSON values. Where others read along, the supplier is not named."""
    staff_only = actor.merchant_ids is None
    return {
        "discrepancy_id": str(seen.id),
        "merchant_id": str(seen.merchant_id),
        "merchant_no": seen.merchant_no,
        "order_no": seen.order_no,
        "mode": seen.mode,
        "supplier_no": seen.supplier_no if staff_only else "",
        "upstream_no": seen.upstream_no if staff_only else "",
        "kind": seen.kind,
        "asked_minor": seen.asked_minor,
        "seen_minor": seen.seen_minor,
        "left_minor": seen.left_minor,
        "currency": seen.currency,
        "at": seen.at.isoformat(),
    }


def need_left(left_minor: int, seen_minor: int, seen: Discrepancy) -> None:
    """What is left is what the person saw. Refusals: already_resolved, discrepancy_changed."""
    if left_minor == 0:
        raise Refusal("already_resolved", number=seen.order_no)
    if left_minor != seen_minor:
        raise Refusal("discrepancy_changed", number=seen.order_no)


def need_reason(reason: str) -> str:
    """As it is kept. Refusals: reason_missing."""
    if not reason.strip():
        raise Refusal("reason_missing", example=REASON_EXAMPLES["resolve"])
    return reason.strip()[:MAX_REASON_CHARS]


def fee_of(order: Order, left_minor: int) -> int:
    """What the merchant is charged where the money is its own."""
    return min(order.rate.of(left_minor), left_minor)


def postings_of(order: Order, seen: Discrepancy, how: str) -> Postings:
    """How what is left leaves suspense. how: refund_payer or credit_merchant."""
    left = Money(seen.left_minor, seen.currency)
    if how == "refund_payer":
        return returned_to_payer(left, supplier_no=seen.supplier_no)
    return credited(left, fee_minor=fee_of(order, left.minor), supplier_no=seen.supplier_no)
