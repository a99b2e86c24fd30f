"""Groups: who they belong to, and what they are called."""

from __future__ import annotations

from typing import Final

from handlers.groups import buttons, membership, router
from handlers.groups.screens import VIEWS
from handlers.groups.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "groups",
    routes=(membership.add_routes, router.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    buttons=buttons.read,
)
