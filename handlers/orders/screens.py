"""What is said of orders."""

from __future__ import annotations

from typing import Any, Final

from core.trade.orders import AlarmShortfall
from handlers.kit.screen import View

VIEWS: Final[tuple[View[Any], ...]] = (View(AlarmShortfall),)
