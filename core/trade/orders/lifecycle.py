"""The lifecycles of orders and attempts: each one table, (state, move) -> next state.

Order states
    created             taken down; no attempt of it can be paid yet
    pending             an attempt was accepted: the payer can pay
    paid                money seen, or completed by hand; disputed: the completion was reversed
    failed              every attempt was definitely refused
    expired             its time was over
    closed              the merchant or the cashier closed it
    partially_refunded  part of it went back
    refunded            all of it went back

Attempt states
    created   written down, not sent
    sent      committed before the call: the supplier may know of it
    accepted  the supplier took it: it can be paid
    rejected  the supplier definitely refused it: safe to go elsewhere
    unknown   no clear answer: asked again, never sent elsewhere
    paid      the supplier said it was paid
    failed    the supplier said it failed
    closed    the supplier said it can no longer be paid
"""

from __future__ import annotations

from typing import Final

from core.kernel.errors import Bug

ORDER_NEXT: Final[dict[tuple[str, str], str]] = {
    ("created", "accept"): "pending",
    ("created", "pay"): "paid",  # a callback may outrun our own answer
    ("pending", "pay"): "paid",
    ("failed", "pay"): "paid",  # late money is still money
    ("expired", "pay"): "paid",
    ("closed", "pay"): "paid",
    ("created", "complete"): "paid",
    ("pending", "complete"): "paid",
    ("failed", "complete"): "paid",
    ("expired", "complete"): "paid",
    ("closed", "complete"): "paid",
    ("created", "fail"): "failed",
    ("pending", "fail"): "failed",
    ("created", "expire"): "expired",
    ("pending", "expire"): "expired",
    ("created", "close"): "closed",
    ("pending", "close"): "closed",
    ("paid", "dispute"): "paid",  # the completion was wrong; only of an undisputed order
    ("paid", "restore"): "paid",  # money after all; the only move of a disputed order
    ("paid", "confirm"): "paid",  # a supplier reports what was completed by hand
    ("partially_refunded", "confirm"): "partially_refunded",
    ("refunded", "confirm"): "refunded",
    ("paid", "refund_part"): "partially_refunded",
    ("partially_refunded", "refund_part"): "partially_refunded",
    ("paid", "refund_rest"): "refunded",
    ("partially_refunded", "refund_rest"): "refunded",
    ("refunded", "refund_rest"): "refunded",  # one that had failed succeeded after all
}

ATTEMPT_NEXT: Final[dict[tuple[str, str], str]] = {
    ("created", "send"): "sent",
    ("created", "drop"): "rejected",  # never sent, and never will be
    ("sent", "accept"): "accepted",
    ("sent", "reject"): "rejected",
    ("sent", "lose"): "unknown",
    ("unknown", "accept"): "accepted",  # the same number again, where the supplier allows it
    ("unknown", "reject"): "rejected",
    # the supplier's word about money wins over everything we thought
    ("sent", "pay"): "paid",
    ("accepted", "pay"): "paid",
    ("unknown", "pay"): "paid",
    ("rejected", "pay"): "paid",
    ("failed", "pay"): "paid",
    ("closed", "pay"): "paid",
    ("sent", "fail"): "failed",
    ("accepted", "fail"): "failed",
    ("unknown", "fail"): "failed",
    ("sent", "close"): "closed",
    ("accepted", "close"): "closed",
    ("unknown", "close"): "closed",
}

SETTLED: Final = frozenset({"paid", "partially_refunded", "refunded"})
LATE_FROM: Final = frozenset({"failed", "expired", "closed"})
# Attempts the supplier may still take money for, as far as we know.
PAYABLE: Final = ("sent", "accepted", "unknown")
# Those of them that it may not even know.
DOUBTFUL: Final = ("sent", "unknown")


def order_after(state: str, move: str, *, disputed: bool = False) -> str | None:
    """The state after a move, or None where the move is not legal from there."""
    return ORDER_NEXT.get((state, move)) if disputed == needs_dispute(move) else None


def needs_dispute(move: str) -> bool:
    """Whether a move is made by a disputed order; all others are made by one that is not."""
    return move == "restore"


def order_states_for(move: str) -> list[str]:
    """The states from which a move is legal: what the guarded UPDATE asks for."""
    return _sources(ORDER_NEXT, move)


def attempt_after(state: str, move: str) -> str | None:
    """As `order_after`, for attempts."""
    return ATTEMPT_NEXT.get((state, move))


def attempt_states_for(move: str) -> list[str]:
    """As `order_states_for`, for attempts."""
    return _sources(ATTEMPT_NEXT, move)


def _sources(table: dict[tuple[str, str], str], move: str) -> list[str]:
    states = [state for state, its_move in table if its_move == move]
    if not states:
        raise Bug(f"no state has a move {move}")
    return states
