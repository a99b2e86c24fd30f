"""Merchants, their apps and keys, and the rates at which they buy products."""

from __future__ import annotations

from core.parties.merchants.apps import (
    CALLS_PER_S,
    OVERLAP,
    App,
    AppKeys,
    Apps,
    KeptApp,
    read_app,
    read_networks,
)
from core.parties.merchants.merchant import (
    REVIEW_FACTS,
    Dossier,
    Merchant,
    NewMerchant,
    ReviewFacts,
    read_merchant,
)
from core.parties.merchants.merchants import Found, Merchants, check_merchant, merchant_line
from core.parties.merchants.offers import Offer, Offers

__all__ = [
    "CALLS_PER_S",
    "OVERLAP",
    "REVIEW_FACTS",
    "App",
    "AppKeys",
    "Apps",
    "Dossier",
    "Found",
    "KeptApp",
    "Merchant",
    "Merchants",
    "NewMerchant",
    "Offer",
    "Offers",
    "ReviewFacts",
    "check_merchant",
    "merchant_line",
    "read_app",
    "read_merchant",
    "read_networks",
]
