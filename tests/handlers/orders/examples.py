"""What is said of orders, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.trade.orders import AlarmShortfall, OddPayment
from tests.handlers.written import HOSTILE

PAYMENT: Final = OddPayment(
    "P1", "S01", HOSTILE, asked_minor=10_000, seen_minor=100, currency="CNY"
)

EXAMPLES: Final[tuple[Notice, ...]] = (AlarmShortfall(9_900, PAYMENT),)
