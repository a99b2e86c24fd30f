"""Refunds that wait for a person."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.refunds import buttons, router

__all__ = ["TOPIC"]

TOPIC: Final = Topic("refunds", routers=(router.router,), buttons=buttons.read)
