"""Suppliers, from their opening to their end."""

from __future__ import annotations

from typing import Final

from core.supply.onboarding import SupplierLiveQuestion
from handlers.kit.topic import Topic
from handlers.suppliers import amendments, buttons, credentials, registration, router
from handlers.suppliers.screens import VIEWS
from handlers.suppliers.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "suppliers",
    routes=(
        router.add_routes,
        registration.add_routes,
        amendments.add_routes,
        credentials.add_routes,
    ),
    commands=COMMANDS,
    views=VIEWS,
    asks=(SupplierLiveQuestion,),
    buttons=buttons.read,
)
