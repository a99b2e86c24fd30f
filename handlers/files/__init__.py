"""Charts and files of days."""

from __future__ import annotations

from typing import Final

from handlers.files import router
from handlers.files.screens import VIEWS
from handlers.files.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic("files", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS)
