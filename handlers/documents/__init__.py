"""Connector documents: sent, tried, approved."""

from __future__ import annotations

from typing import Final

from core.supply.onboarding import DocumentQuestion
from handlers.documents import buttons, router
from handlers.documents.screens import VIEWS
from handlers.documents.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "documents",
    routes=(router.add_routes,),
    commands=COMMANDS,
    views=VIEWS,
    asks=(DocumentQuestion,),
    buttons=buttons.read,
)
