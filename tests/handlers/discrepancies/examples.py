"""What is said of money in suspense, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from core.delivery.outbox import Notice
from core.trade.discrepancies import (
    Discrepancy,
    DiscrepancyNotice,
    Resolution,
    ResolveApproval,
    Resolved,
    ResolveQuestion,
    ResolveQuestionNotice,
    ResolveWaits,
)
from handlers.discrepancies.screens import DiscrepanciesNotice, DiscrepancyLine
from tests.handlers.orders.examples import ORDER
from tests.handlers.written import AT, HOSTILE, ID

DISCREPANCY: Final = Discrepancy(
    merchant_id=ID,
    merchant_no="M1001",
    id=ID,
    order_id=ID,
    order_no="P1",
    mode="live",
    attempt_no="A1",
    supplier_no="S01",
    upstream_no=HOSTILE,
    kind="over",
    asked_minor=10_000,
    seen_minor=10_100,
    left_minor=10_100,
    currency="CNY",
    at=AT,
    ways=("refund_payer", "credit_merchant", "complete"),
)
RESOLUTION: Final = Resolution(
    discrepancy_id=ID,
    order_no="P1",
    how="refund_payer",
    minor=1,
    currency="CNY",
    reason=HOSTILE,
    actor_name=HOSTILE,
    approved_by_name=HOSTILE,
    at=AT,
)
OF_MONEY: Final[dict[str, Any]] = {
    "discrepancy_id": ID,
    "mode": "live",
    "supplier_no": "S01",
    "upstream_no": HOSTILE,
    "seen_minor": 10_100,
    "left_minor": 10_100,
    "fee_minor": 121,
}
QUESTION: Final = ResolveQuestion(**ORDER, **OF_MONEY, how="complete")
TO_MERCHANT: Final = replace(QUESTION, how="credit_merchant")
ASKED: Final = tuple(
    ResolveApproval(**ORDER, **OF_MONEY, how=how) for how in ("refund_payer", "credit_merchant")
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        DiscrepanciesNotice(
            merchant_id=merchant_id,
            mode="live" if page == 1 else "test",
            page=page,
            pages=pages,
            first=page * 10 - 9,
            total=11,
            lines=(DiscrepancyLine(DISCREPANCY, age_min=300),) * lines,
            days=7,
            resolved=resolved,
        )
        for merchant_id, page, pages, lines in ((None, 1, 1, 0), (ID, 2, 3, 10), (None, 1, 2, 3))
        for resolved in ((), (RESOLUTION,))
    ),
    DiscrepancyNotice(DISCREPANCY, (replace(RESOLUTION, how="complete", minor=10_000),)),
    DiscrepancyNotice(replace(DISCREPANCY, left_minor=0, ways=(), mode="test"), ()),
    *(
        ResolveQuestionNotice(ID, replace(QUESTION, reason=reason, mode=mode, how="refund_payer"))
        for reason, mode in (("", "live"), (HOSTILE, "test"))
    ),
    *(
        ResolveQuestionNotice(
            ID, replace(QUESTION, reason=reason, mode=mode, how="credit_merchant")
        )
        for reason, mode in (("", "live"), (HOSTILE, "test"))
    ),
    *(ResolveQuestionNotice(ID, replace(QUESTION, reason="", mode=m)) for m in ("live", "test")),
    ResolveWaits(TO_MERCHANT),
    Resolved(TO_MERCHANT),
    Resolved(replace(TO_MERCHANT, mode="test"), HOSTILE),
)
