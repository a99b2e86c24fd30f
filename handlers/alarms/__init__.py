"""Alarms and what they go by."""

from __future__ import annotations

from typing import Final

from handlers.alarms import buttons, router
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic("alarms", routers=(router.router,), buttons=buttons.read)
