"""Refunds: asked for, and those that wait for a person."""

from __future__ import annotations

from typing import Final

from core.trade.refunds import RefundApproval, RefundEndApproval
from handlers.kit.topic import Topic
from handlers.refunds import buttons, requests, router
from handlers.refunds.screens import VIEWS
from handlers.refunds.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "refunds",
    routes=(requests.add_routes, router.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    asks=(RefundApproval, RefundEndApproval),
    buttons=buttons.read,
)
