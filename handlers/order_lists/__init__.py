"""Orders as lists: by a filter of words, by pages, with what all of them come to."""

from __future__ import annotations

from typing import Final

from handlers.kit.topic import Topic
from handlers.order_lists import buttons, router
from handlers.order_lists.screens import VIEWS
from handlers.order_lists.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "order_lists", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
