"""The parties: merchants and suppliers, between whom money moves."""

from __future__ import annotations

from core.parties import codes as codes
