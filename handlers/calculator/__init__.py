"""Sums in the chat."""

from __future__ import annotations

from typing import Final

from handlers.calculator import router
from handlers.calculator.screens import VIEWS
from handlers.calculator.words import COMMANDS, hear
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "calculator", routes=(router.add_routes,), commands=COMMANDS, hears=hear, views=VIEWS
)
