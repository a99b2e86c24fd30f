"""What is said of refunds, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from core.delivery.outbox import Notice
from core.trade.refunds import (
    RefundApproval,
    RefundDropped,
    RefundEndApproval,
    RefundEnded,
    RefundEndWaits,
    RefundOrderDropped,
    RefundOrderNotice,
    RefundOrderQuestion,
    RefundQuestion,
    RefundQuestionNotice,
    RefundRequested,
    RefundWaits,
)
from tests.handlers.orders.examples import ORDER
from tests.handlers.written import HOSTILE, ID

OF_END: Final[dict[str, Any]] = {
    "refund_id": ID,
    "refund_no": "R1",
    "sent_no": "R2",
    "supplier_no": "S01",
    "refund_minor": 5_000,
}
QUESTION: Final = RefundQuestion(**ORDER, **OF_END, how="given")
NOT_GIVEN: Final = replace(QUESTION, how="not_given")
OF_REFUND: Final[dict[str, Any]] = {
    "refund_minor": 2_000,
    "refunded_minor": 1_000,
    "begun_minor": 1_500,
    "left_minor": 9_000,
    "supplier_no": "S01",
}
REQUEST: Final = RefundOrderQuestion(**ORDER, **OF_REFUND, by_supplier=True)
ASKED: Final = (
    *(RefundApproval(**ORDER, **OF_REFUND, by_supplier=by) for by in (True, False)),
    RefundEndApproval(**ORDER, **OF_END, how="given"),
    RefundEndApproval(**ORDER, **OF_END, how="not_given"),
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    RefundQuestionNotice(ID, QUESTION),
    RefundQuestionNotice(ID, NOT_GIVEN),
    RefundEnded(QUESTION),
    RefundEnded(NOT_GIVEN, HOSTILE),
    RefundEndWaits(QUESTION),
    RefundEndWaits(NOT_GIVEN),
    RefundDropped(QUESTION),
    RefundOrderNotice(ID, REQUEST),
    RefundOrderNotice(ID, replace(REQUEST, by_supplier=False)),
    RefundWaits(REQUEST),
    *(
        RefundRequested(REQUEST, state, approved_by)
        for state in ("created", "manual", "sent", "accepted", "unknown", "succeeded", "failed")
        for approved_by in ("", HOSTILE)
    ),
    RefundOrderDropped(REQUEST, HOSTILE),
)
