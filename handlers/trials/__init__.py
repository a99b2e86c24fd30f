"""Test orders: chosen by buttons or told in one line."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.trials import buttons, router
from handlers.trials.screens import VIEWS
from handlers.trials.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "trials", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
