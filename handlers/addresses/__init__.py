"""Pay-out addresses: verified where they are written, kept and compared."""

from __future__ import annotations

from typing import Final

from core.people.payout_addresses import PayoutAddressQuestion
from handlers.addresses import router
from handlers.addresses.screens import VIEWS
from handlers.addresses.words import COMMANDS, hear
from handlers.kit.topic import Topic

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "addresses",
    routes=(router.add_routes,),
    commands=COMMANDS,
    hears=hear,
    views=VIEWS,
    asks=(PayoutAddressQuestion,),
)
