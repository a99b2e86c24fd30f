"""Products, channels, and which channel takes an order."""

from __future__ import annotations

from core.supply.channels.changes import SCRIPT, By
from core.supply.channels.channels import Channels, NewChannel
from core.supply.channels.choice import (
    REASONS,
    Channel,
    Choice,
    Reason,
    Used,
    choose,
    takes_amount,
    why_full,
)
from core.supply.channels.costs import ChannelCost
from core.supply.channels.hours import Hours, read_hours
from core.supply.channels.pauses import AlarmChannel
from core.supply.channels.products import PRODUCT_FAULTS, Product, Products, check_product
from core.supply.channels.routing import Routing, Wish
from core.supply.channels.rows import read_channel, read_channels
from core.supply.channels.sets import ChannelSet, ChannelSets
from core.supply.channels.terms import FAULTS, Terms

__all__ = [
    "FAULTS",
    "PRODUCT_FAULTS",
    "REASONS",
    "SCRIPT",
    "AlarmChannel",
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
    "Products",
    "Reason",
    "Routing",
    "Terms",
    "Used",
    "Wish",
    "check_product",
    "choose",
    "read_channel",
    "read_channels",
    "read_hours",
    "takes_amount",
    "why_full",
]
