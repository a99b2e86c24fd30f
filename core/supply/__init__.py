"""Supply: products, channels, and how a supplier comes to be live."""

from __future__ import annotations

from core.supply import codes as codes
