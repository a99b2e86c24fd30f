"""Bills, prepayments of days, and when days begin."""

from __future__ import annotations

from typing import Final

from handlers.bills import buttons, day_cuts, router
from handlers.bills.screens import VIEWS
from handlers.bills.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "bills",
    routes=(router.add_routes, day_cuts.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    buttons=buttons.read,
)
