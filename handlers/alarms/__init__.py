"""Alarms: what they go by, who sees to them, and those that stand."""

from __future__ import annotations

from typing import Final

from handlers.alarms import buttons, router
from handlers.alarms.screens import VIEWS
from handlers.alarms.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "alarms", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
