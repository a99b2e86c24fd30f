"""What a merchant's developers need to connect."""

from __future__ import annotations

from typing import Final

from handlers.integration import router
from handlers.integration.screens import VIEWS
from handlers.integration.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic("integration", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS)
