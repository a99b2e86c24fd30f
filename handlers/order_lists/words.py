"""What is said about lists of orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, Words
from handlers.kit.grammar import latin_or_money
from handlers.kit.intents import Intent, Reading
from handlers.order_lists.filters import Wanted, is_part, read_filter


@dataclass(frozen=True, slots=True)
class ShowOrders(Reading):
    """Orders that match all that is said, the newest first."""

    wanted: Wanted


def read_orders(words: Words) -> Intent:
    """A filter, in any order. What is not understood of it is answered."""
    return ShowOrders(read_filter(words))


def begins_filter(word: str) -> bool:
    """Whether a (folded) word may follow the name of the list: else it is talk."""
    return latin_or_money(word) or is_part(word)


COMMANDS: Final = (
    Command(
        "orders",
        {ShowOrders: "look_up"},
        read_orders,
        forms=("订单列表",),
        takes=begins_filter,
        what="List orders",
        usage=(
            "订单列表",
            "订单列表 今天 M1001 未回调 >1000",
            "订单列表 近三天 补单 C01",
            "/orders yesterday alipay_qr paid",
            "/orders 11-20~11-25 100-500 refunded",
        ),
        answer=(
            "the orders that match all words, the newest first, by pages of ten, with what all of"
            " them come to; see below"
        ),
    ),
)
