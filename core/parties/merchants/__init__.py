"""Merchants, their apps and keys, and the rates at which they buy products."""

from __future__ import annotations

from core.parties.merchants.apps import CALLS_PER_S, App, AppKeys, Apps, read_app
from core.parties.merchants.merchant import Merchant, read_merchant
from core.parties.merchants.merchants import Merchants
from core.parties.merchants.offers import Offer, Offers

__all__ = [
    "CALLS_PER_S",
    "App",
    "AppKeys",
    "Apps",
    "Merchant",
    "Merchants",
    "Offer",
    "Offers",
    "read_app",
    "read_merchant",
]
