"""What examples of screens are made of: what people write, at its worst."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

HOSTILE: Final = "<b>&amp;\"'</code>%s %(x)s {y} \u202e"
ID: Final = UUID("019a0000-0000-7000-8000-000000000001")
AT: Final = datetime(2026, 11, 21, 1, 3, 27, tzinfo=UTC)
TARIFF: Final = "volume 1.2% + 0.10 min 0.05 max 50; >=1000: 1%"
MANY: Final = 200
