"""Opening a desk from nothing: what is done, and what to say next."""

from __future__ import annotations

from typing import Final

from handlers.checklist import buttons, router
from handlers.checklist.screens import VIEWS
from handlers.checklist.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "checklist", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
