"""Refunds that wait for a person."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.refunds import buttons, router
from handlers.refunds.screens import VIEWS

__all__ = ["TOPIC"]

TOPIC: Final = Topic("refunds", routes=(router.add_routes,), views=VIEWS, buttons=buttons.read)
