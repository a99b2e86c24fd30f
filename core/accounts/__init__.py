"""Accounts: money that people book by hand, and its price: vouchers, rates, credit, day cuts."""

from __future__ import annotations

from core.accounts import codes as codes
