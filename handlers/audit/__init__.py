"""The trail: who did what, where, searched."""

from __future__ import annotations

from typing import Final

from handlers.audit import buttons, router
from handlers.audit.screens import VIEWS
from handlers.audit.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "audit", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
