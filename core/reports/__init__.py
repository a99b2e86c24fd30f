"""What the books say: bills, statistics, files, whether they hold; and how the desk itself is."""

from __future__ import annotations

from core.reports import codes as codes
