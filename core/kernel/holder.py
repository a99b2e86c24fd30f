"""Whose books: those of a merchant, of a supplier, or (HOUSE) the desk's own."""

from __future__ import annotations

from typing import Final
from uuid import UUID

HOUSE: Final = UUID(int=0)
# What people book and what bills tell of is real money; test orders have books of their own.
MODE: Final = "live"
