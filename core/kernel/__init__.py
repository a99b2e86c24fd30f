"""The kernel: what every district speaks in: money, days, time, ids, errors. Pure."""

from __future__ import annotations

from core.kernel import codes as codes
