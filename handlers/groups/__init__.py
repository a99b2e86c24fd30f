"""Groups and channels: which there are, whose they are, and what is set about each."""

from __future__ import annotations

from typing import Final

from handlers.groups import buttons, cards, directory, links, membership, router, screens, settings
from handlers.groups.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "groups",
    routes=(
        membership.add_routes,
        router.add_routes,
        settings.add_routes,
        directory.add_routes,
        links.add_routes,
    ),
    commands=COMMANDS,
    views=(*screens.VIEWS, *cards.VIEWS),
    buttons=buttons.read,
)
