"""Merchants, their apps and keys, and the rates at which they buy products."""

from __future__ import annotations

from core.parties.merchants.merchants import App, AppKeys, Merchant, Merchants, Offer

__all__ = ["App", "AppKeys", "Merchant", "Merchants", "Offer"]
