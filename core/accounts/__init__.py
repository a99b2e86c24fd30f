"""Money that people book: vouchers, credit, prices and days."""

from __future__ import annotations

from core.accounts import codes as codes
