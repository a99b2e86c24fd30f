"""How the desk stands."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.status import buttons, router
from handlers.status.screens import VIEWS
from handlers.status.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "status", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
