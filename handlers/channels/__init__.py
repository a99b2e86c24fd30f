"""Channels, products, and which channel takes an order."""

from __future__ import annotations

from typing import Final

from core.supply.loss_question import ChannelLossQuestion
from handlers.channels import buttons, new_products, products, router
from handlers.channels.screens import VIEWS
from handlers.channels.words import COMMANDS
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "channels",
    routes=(router.add_routes, products.add_routes, new_products.add_routes),
    commands=COMMANDS,
    views=VIEWS,
    asks=(ChannelLossQuestion,),
    buttons=buttons.read,
)
