"""Products, channels, and which channel takes an order."""

from __future__ import annotations

from core.channels.changes import SCRIPT, By
from core.channels.choice import REASONS, Channel, Choice, Reason, Used, choose, why_full
from core.channels.costs import ChannelCost
from core.channels.domain import Channels, NewChannel, Product
from core.channels.hours import Hours, read_hours
from core.channels.routing import Routing, Wish
from core.channels.sets import ChannelSet, ChannelSets
from core.channels.terms import FAULTS, Terms

__all__ = [
    "FAULTS",
    "REASONS",
    "SCRIPT",
    "By",
    "Channel",
    "ChannelCost",
    "ChannelSet",
    "ChannelSets",
    "Channels",
    "Choice",
    "Hours",
    "NewChannel",
    "Product",
    "Reason",
    "Routing",
    "Terms",
    "Used",
    "Wish",
    "choose",
    "read_hours",
    "why_full",
]
