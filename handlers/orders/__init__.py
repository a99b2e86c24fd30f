"""Orders: looked up, traced, completed by hand."""

from __future__ import annotations

from typing import Final

from core.trade.completions import CompleteApproval
from handlers.kit.topic import Topic
from handlers.orders import buttons, by_hand, router
from handlers.orders.screens import VIEWS
from handlers.orders.words import COMMANDS, hear

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "orders",
    routes=(router.add_routes, by_hand.add_routes),
    commands=COMMANDS,
    hears=hear,
    views=VIEWS,
    asks=(CompleteApproval,),
    buttons=buttons.read,
)
