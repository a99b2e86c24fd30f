"""Money in suspense, and what becomes of it."""

from __future__ import annotations

from typing import Final

from core.trade.discrepancies import ResolveApproval
from handlers.discrepancies import buttons, router
from handlers.discrepancies.screens import VIEWS
from handlers.discrepancies.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "discrepancies",
    routes=(router.add_routes,),
    commands=COMMANDS,
    views=VIEWS,
    asks=(ResolveApproval,),
    buttons=buttons.read,
)
