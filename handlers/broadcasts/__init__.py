"""Broadcasts: one message of somebody's for very many chats."""

from __future__ import annotations

from typing import Final

from handlers.broadcasts import buttons, choices, router
from handlers.broadcasts.screens import VIEWS
from handlers.broadcasts.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "broadcasts",
    routes=(router.add_routes, choices.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    buttons=buttons.read,
)
