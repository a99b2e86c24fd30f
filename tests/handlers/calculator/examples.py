"""What is said of sums, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from handlers.calculator.screens import SumFaultNotice, SumNotice
from tests.handlers.written import HOSTILE

EXAMPLES: Final[tuple[Notice, ...]] = (
    SumNotice(HOSTILE, "360", exact=True),
    SumNotice(HOSTILE, f"-{'9' * 18}.12345678", exact=False),
    SumFaultNotice(HOSTILE, "zero", ""),
    SumFaultNotice(HOSTILE, "large", ""),
    SumFaultNotice(HOSTILE, "sum", ""),
    SumFaultNotice(HOSTILE, "sum", HOSTILE),
)
