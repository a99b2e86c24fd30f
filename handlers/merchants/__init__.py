"""Merchants, from their opening to their end, with their apps and keys."""

from __future__ import annotations

from typing import Final

from core.accounts.onboarding import KeysQuestion, ReviewQuestion
from handlers.kit.topic import Topic
from handlers.merchants import apps, buttons, keys, questions, registration, router
from handlers.merchants.screens import VIEWS
from handlers.merchants.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "merchants",
    routes=(
        router.add_routes,
        registration.add_routes,
        apps.add_routes,
        keys.add_routes,
        questions.add_routes,
    ),
    commands=COMMANDS,
    views=VIEWS,
    asks=(ReviewQuestion, KeysQuestion),
    buttons=buttons.read,
)
