"""The lifecycle of refunds: one table, (state, move) -> next state.

Until it ends, what the merchant bears of a refund is held, whatever becomes of the calls about it.

    created    written down; no call about it did anything
    manual     its supplier takes no refunds: a person gives the money back, or says that it failed
    sent       committed before the call: the supplier may know of it
    accepted   the supplier has it and works on it
    unknown    no clear answer: asked about, and sent again only where that cannot give back twice
    succeeded  the payer has the money
    failed     the supplier surely gave nothing back, and will not; where it did after all, its word
               about money wins
"""

from __future__ import annotations

from typing import Final

from core.kernel.errors import Bug

NEXT: Final[dict[tuple[str, str], str]] = {
    ("created", "send"): "sent",
    ("created", "hand"): "manual",
    ("sent", "return"): "created",  # it never left
    ("sent", "accept"): "accepted",
    ("sent", "lose"): "unknown",
    ("unknown", "accept"): "accepted",
    ("unknown", "send"): "sent",
    # the supplier's word, or a person's
    ("created", "settle"): "succeeded",
    ("manual", "settle"): "succeeded",
    ("sent", "settle"): "succeeded",
    ("accepted", "settle"): "succeeded",
    ("unknown", "settle"): "succeeded",
    ("created", "release"): "failed",
    ("manual", "release"): "failed",
    ("sent", "release"): "failed",
    ("accepted", "release"): "failed",
    ("unknown", "release"): "failed",
    ("failed", "settle_late"): "succeeded",
}


def after(state: str, move: str) -> str:
    """The state after a move. Raises Bug where it is not legal: a refund is locked when it moves,
    so whoever moves it knows how it stands."""
    if (state, move) not in NEXT:
        raise Bug(f"a refund that is {state} cannot {move}")
    return NEXT[state, move]
