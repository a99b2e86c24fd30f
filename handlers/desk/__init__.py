"""Help and balances."""

from __future__ import annotations

from typing import Final

from handlers.desk import router
from handlers.desk.screens import VIEWS
from handlers.desk.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic("desk", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS)
