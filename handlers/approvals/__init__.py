"""What waits for a second person: its cards, and the list of them."""

from __future__ import annotations

from typing import Final

from handlers.approvals import buttons, router
from handlers.approvals.screens import VIEWS
from handlers.approvals.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "approvals", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
