"""Alarms and what they go by."""

from __future__ import annotations

from typing import Final

from handlers.alarms import buttons, router
from handlers.alarms.screens import VIEWS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic("alarms", routes=(router.add_routes,), views=VIEWS, buttons=buttons.read)
