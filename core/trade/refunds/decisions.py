"""Decisions about refunds, purely: who may, how much, where, and with what of fee and cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from core.kernel.errors import Refusal
from core.kernel.money import Money, share
from core.parties.merchants import App, Merchant
from core.people.actors import Actor
from core.trade.orders import Order, Taking
from core.trade.refunds.rows import Refund

RIGHT: Final = "refund"
# No supplier gives its cost back with a refund that it made by itself.
COST_RETURNED: Final = False


def named_by(caller: Actor | App, merchant: Merchant) -> str:
    """How the trail names who asks. Refusals: anonymous_admin, not_permitted,
    merchant_not_found."""
    if isinstance(caller, Actor):
        caller.need_for(RIGHT, merchant=merchant)
        return caller.trail_name
    if caller.merchant.id != merchant.id:
        raise Refusal("merchant_not_found", merchant_no=merchant.merchant_no)
    return f"api:{caller.key_id}"


def need_same(there: Refund, order_id: UUID, amount: Money, fee_returned: bool) -> Refund:
    """The refund that is there, where it is the same. Refusals: refund_conflict."""
    asked = {"order": order_id, "amount": amount, "fee_returned": fee_returned}
    known = {"order": there.order_id, "amount": there.amount, "fee_returned": there.fee_returned}
    differs = [name for name, value in asked.items() if known[name] != value]
    if differs:
        raise Refusal("refund_conflict", refund_no=there.refund_no, differs=", ".join(differs))
    return there


def need_refundable(order: Order, amount: Money) -> None:
    """Refusals: field_invalid (the amount), order_state."""
    if amount.minor <= 0 or amount.currency != order.amount.currency:
        expected = f"more than 0, in {order.amount.currency}"
        raise Refusal("field_invalid", param="amount", expected=expected)
    if order.state not in ("paid", "partially_refunded") or order.disputed:
        raise Refusal("order_state", number=order.order_no, status=order.state)


def ended_as(refund: Refund, state: str) -> bool:
    """Whether it ended like this before, which is no news. Refusals: refund_state, where it ended
    otherwise, or its supplier is being called right now."""
    if refund.state == state:
        return True
    need_endable(refund)
    return False


def need_endable(refund: Refund) -> None:
    """Refusals: refund_state, where it ended, or its supplier is being called right now."""
    if refund.ended or refund.state == "sent":
        raise Refusal("refund_state", refund_no=refund.refund_no, status=refund.state)


def room_for(
    takings: Sequence[Taking], earlier: Sequence[Refund], minor: int
) -> tuple[Taking | None, int]:
    """The taking from which so much can go back, and the most that can at once."""
    whole = sum(taking.minor for taking in takings) - sum(r.amount.minor for r in earlier)
    most = 0
    for taking in takings:
        gone = sum(r.amount.minor for r in earlier if r.attempt_no == taking.attempt.attempt_no)
        left = min(taking.minor - gone, whole)
        if minor <= left:
            return taking, left
        most = max(most, left)
    return None, most


def back_of(
    amount: Money, earlier: list[Money], of_minor: int, whole_minor: int, given: int
) -> int:
    """How much of a fee (or cost) goes back with a refund: so much that all refunds which give it
    back come to their share of it together, hence the last one takes what rounding left.

    given: what the earlier ones gave back.
    """
    together = min(amount.minor + sum(e.minor for e in earlier), whole_minor)
    due = share(together, of_minor, whole_minor) - given
    return min(max(due, 0), amount.minor)
