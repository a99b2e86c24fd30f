"""What can be sold and over which channels: products, channels, onboarding of suppliers."""

from __future__ import annotations

from core.supply import codes as codes
