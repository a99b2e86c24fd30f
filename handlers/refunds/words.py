"""What is said about refunds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Words
from handlers.kit.intents import Changing
from handlers.orders.numbers import begins_number, split_number
from texts.amounts import AMOUNT, Typed, fold, read_amount

MAX_REASON_CHARS: Final = 200
# An amount that a mark parts from the reason, as a blank does: `20 元，重复支付`.
_PARTED: Final = re.compile(r"(?P<amount>[^\w\s]?[0-9.].*?)[,;、:]+\s*(?P<reason>[^\s0-9].*)")
_MARK: Final = re.compile("[,;、:]")


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
    begun = split_number(words)
    if begun is None:
        return None
    number, rest = begun
    text = " ".join(rest)
    parted = _PARTED.fullmatch(fold(text))
    marked = read_amount(parted["amount"]) if parted else None
    if parted and marked is not None:
        return RefundOrder(number, marked, _reason([text[parted.start("reason") :]]))
    for count in (2, 1):  # a currency may stand apart
        said = rest[:count]
        amount = read_amount(" ".join(said)) if len(said) == count else None
        if amount is not None:
            return RefundOrder(number, amount, _reason(rest[count:]))
    if rest and _begins_figures(rest[0]):
        return None
    return RefundOrder(number, None, _reason(rest))


def _reason(words: Words) -> str:
    return " ".join(words)[:MAX_REASON_CHARS]


def _begins_figures(word: str) -> bool:
    """Whether it is figures up to its first mark, or an amount that touches what follows."""
    figures = _MARK.split(fold(word), maxsplit=1)[0]
    if any(c.isdigit() for c in figures) and not any(c.isalpha() for c in figures):
        return True
    amount = AMOUNT.match(fold(word))
    return amount is not None and any(amount[name] for name in ("before", "scale", "after"))


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
