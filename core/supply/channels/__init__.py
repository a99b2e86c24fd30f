"""Products, channels, and which channel takes an order."""

from __future__ import annotations

from core.supply.channels.changes import SCRIPT, By
from core.supply.channels.channels import Channels, NewChannel
from core.supply.channels.choice import REASONS, Channel, Choice, Reason, Used, choose, why_full
from core.supply.channels.costs import ChannelCost
from core.supply.channels.hours import Hours, read_hours
from core.supply.channels.pauses import AlarmChannel, ChannelWorks
from core.supply.channels.products import Product, Products
from core.supply.channels.routing import Routing, Wish
from core.supply.channels.rows import read_channel
from core.supply.channels.sets import ChannelSet, ChannelSets
from core.supply.channels.terms import FAULTS, Terms

__all__ = [
    "FAULTS",
    "REASONS",
    "SCRIPT",
    "AlarmChannel",
    "By",
    "Channel",
    "ChannelCost",
    "ChannelSet",
    "ChannelSets",
    "ChannelWorks",
    "Channels",
    "Choice",
    "Hours",
    "NewChannel",
    "Product",
    "Products",
    "Reason",
    "Routing",
    "Terms",
    "Used",
    "Wish",
    "choose",
    "read_channel",
    "read_hours",
    "why_full",
]
