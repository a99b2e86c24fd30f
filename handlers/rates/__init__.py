"""Rates and costs."""

from __future__ import annotations

from typing import Final

from core.accounts.pricing import CostQuestion, RateQuestion
from core.accounts.rerating import RerateApproval
from handlers.kit.topic import Topic
from handlers.rates import buttons, router
from handlers.rates.screens import VIEWS
from handlers.rates.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "rates",
    routes=(router.add_routes,),
    commands=COMMANDS,
    views=VIEWS,
    asks=(RateQuestion, CostQuestion, RerateApproval),
    buttons=buttons.read,
)
