"""People: colleagues, and who speaks for a merchant or a supplier."""

from __future__ import annotations

from typing import Final

from core.people.appointments import AppointQuestion
from core.people.staff import HireQuestion
from handlers.kit.topic import Topic
from handlers.people import appointments, buttons, router
from handlers.people.screens import VIEWS
from handlers.people.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "people",
    routes=(router.add_routes, appointments.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    asks=(HireQuestion, AppointQuestion),
    buttons=buttons.read,
)
