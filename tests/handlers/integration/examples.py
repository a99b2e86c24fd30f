"""What is said to a merchant's developers, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.delivery.outbox import Notice
from handlers.integration.screens import AppLine, IntegrationNotice, ProductLine
from tests.handlers.written import HOSTILE

WHOLE: Final = IntegrationNotice(
    "https://pay.test/docs/api",
    "https://pay.test/v1/openapi.json",
    "https://pay.test/v1",
    "M1001",
    HOSTILE,
    "CNY",
    (
        AppLine(HOSTILE, "live", "pk_live_1", "https://x.test/notify", ("203.0.113.0/24",) * 3),
        AppLine(HOSTILE, "test", "pk_test_1", "", ()),
    ),
    (ProductLine("alipay_qr", HOSTILE, HOSTILE),),
)

EXAMPLES: Final[tuple[Notice, ...]] = (WHOLE, replace(WHOLE, apps=(), products=()))
LARGEST: Final[tuple[Notice, ...]] = (
    replace(WHOLE, apps=WHOLE.apps * 10, products=WHOLE.products * 200),
)
