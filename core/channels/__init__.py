"""Products, channels, and which channel takes an order."""

from __future__ import annotations

from core.channels.choice import Channel, Choice, choose
from core.channels.costs import ChannelCost
from core.channels.domain import Channels, NewChannel, Product

__all__ = ["Channel", "ChannelCost", "Channels", "Choice", "NewChannel", "Product", "choose"]
