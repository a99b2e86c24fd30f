"""What is said about refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Words
from handlers.kit.intents import Changing
from handlers.orders.numbers import begins_number, only_number
from texts.amounts import Typed, read_amount

MAX_REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class RefundOrder(Changing):
    """Refund an order. amount: None for all that can go back. reason may be empty: core refuses
    that with an example."""

    number: str
    amount: Typed | None
    reason: str


def read_refund(words: Words) -> RefundOrder | None:
    """An order's number, an amount or none, then the reason. What has figures and no letters is an
    amount or a slip, never a reason: half of it would be refunded as the whole."""
    number = only_number(words[0]) if words else None
    if number is None:
        return None
    for count in (2, 1):  # a currency may stand apart
        said = words[1 : 1 + count]
        amount = read_amount(" ".join(said)) if len(said) == count else None
        if amount is not None:
            return RefundOrder(number, amount, _reason(words[1 + count :]))
    if len(words) > 1 and _is_figures(words[1]):
        return None
    return RefundOrder(number, None, _reason(words[1:]))


def _reason(words: Words) -> str:
    return " ".join(words)[:MAX_REASON_CHARS]


def _is_figures(word: str) -> bool:
    return any(c.isdigit() for c in word) and not any(c.isalpha() for c in word)


COMMANDS: Final = (
    Command(
        "refund",
        {RefundOrder: "refund"},
        read_refund,
        forms=("退款",),
        takes=begins_number,
        what="Refund an order, or a part of it",
        usage=("退款 P… {}", "退款 P… 20 {}", "/refund P… 20 {}"),
        reason="the payer paid twice",
        answer=(
            "shows what would go back, then asks you; proven in private; above the threshold a "
            "second person decides"
        ),
    ),
)
