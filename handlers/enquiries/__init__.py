"""Enquiries: what is asked about orders is passed to their suppliers, and answers come back."""

from __future__ import annotations

from typing import Final

from handlers.enquiries import buttons, router
from handlers.enquiries.screens import VIEWS
from handlers.enquiries.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "enquiries", routes=(router.add_routes,), commands=COMMANDS, views=VIEWS, buttons=buttons.read
)
