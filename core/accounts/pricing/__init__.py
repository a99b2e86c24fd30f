"""Rates, costs and what a USDT is worth, as people set them."""

from __future__ import annotations

from core.accounts.pricing.notices import CostQuestion, CostSet, RateQuestion, RateSet, UsdtRateSet
from core.accounts.pricing.pricing import Pricing

__all__ = ["CostQuestion", "CostSet", "Pricing", "RateQuestion", "RateSet", "UsdtRateSet"]
