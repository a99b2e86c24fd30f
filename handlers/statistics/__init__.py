"""Volume, success rates and live figures."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.statistics import router
from handlers.statistics.screens import VIEWS
from handlers.statistics.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic("statistics", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS)
