"""With whom money moves: merchants and suppliers."""

from __future__ import annotations

from core.parties import codes as codes
