"""Second factors: a code of an authenticator app, or the completion password."""

from __future__ import annotations

from typing import Final

from core.people.recovery import FactorResetQuestion
from handlers.factors import buttons, router
from handlers.factors.screens import VIEWS
from handlers.factors.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "factors",
    routes=(router.add_routes,),
    commands=COMMANDS,
    views=VIEWS,
    asks=(FactorResetQuestion,),
    buttons=buttons.read,
)
