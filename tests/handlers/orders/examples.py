"""What is said of orders, as widely as it can be."""

from __future__ import annotations

from typing import Any, Final

from core.connectors import REFUSED_FOR
from core.delivery.outbox import Notice
from core.trade.callbacks import RefusedCallback
from core.trade.completions import (
    Completed,
    CompleteDropped,
    CompleteQuestion,
    CompleteQuestionNotice,
    CompleteSettledItself,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestion,
    UncompleteQuestionNotice,
)
from core.trade.notifications import AlarmExhausted
from core.trade.orders import AlarmShortfall, OddPayment
from handlers.orders.screens import CallLine, OrderLog, OrderWhy, RefusedCallbacksNotice, WhyLine
from tests.handlers.written import AT, HOSTILE, ID

ORDER: Final[dict[str, Any]] = {
    "order_no": "P1",
    "merchant_order_no": HOSTILE,
    "merchant_id": ID,
    "order_id": ID,
    "version": 3,
    "minor": 10_000,
    "currency": "CNY",
    "status": "pending",
    "disputed": True,
    "reason": HOSTILE,
    "created_at": AT,
    "age_min": 12,
    "actor_name": HOSTILE,
}
COMPLETION: Final = CompleteQuestion(
    **ORDER,
    supplier_says="unknown",
    supplier_why="SECRET SUPPLIER",
    completed_today=1,
    proof_file_id="AgAC",
    held_minor=0,
)
REVERSAL: Final = UncompleteQuestion(**ORDER)
PAYMENT: Final = OddPayment(
    "P1", "S01", HOSTILE, asked_minor=10_000, seen_minor=100, currency="CNY"
)
REFUSED: Final = tuple(
    RefusedCallback(
        at=AT,
        supplier_no="S01",
        attempt_no="",
        address="2001:db8::1",
        reason=reason,
        why=HOSTILE,
        said=HOSTILE,
    )
    for reason in REFUSED_FOR
)


def _calls(count: int, operation: str, status: int, outcome: str) -> tuple[CallLine, ...]:
    return (CallLine(AT, operation, status, outcome, HOSTILE, took_ms=60_000),) * count


EXAMPLES: Final[tuple[Notice, ...]] = (
    CompleteQuestionNotice(ID, COMPLETION),
    CompleteSettledItself(COMPLETION),
    Completed(COMPLETION),
    CompleteDropped(COMPLETION),
    UncompleteQuestionNotice(ID, REVERSAL),
    Uncompleted(REVERSAL, answered_by=HOSTILE),
    UncompleteDropped(REVERSAL, answered_by=HOSTILE),
    OrderWhy("P1", "alipay_qr", ()),
    OrderWhy(
        "P1",
        "alipay_qr",
        (
            WhyLine(1, "C01", "S01", "rejected", HOSTILE),
            WhyLine(reason="C02: has weight 0"),
            WhyLine(reason=HOSTILE),
        ),
    ),
    OrderLog("P1", "UTC", 0, 0, ()),
    OrderLog("P1", "UTC", 3, 0, _calls(12, "refund_query", 0, "may_have_happened")),
    OrderLog("P1", "UTC", 0, 180, ()),
    OrderLog(
        "P1",
        "UTC",
        0,
        180,
        (*_calls(1, "create", 200, "answered"), *_calls(1, "token", 0, "never_sent")),
    ),
    RefusedCallbacksNotice("P" + "0" * 19, "", "Asia/Shanghai", REFUSED),
    RefusedCallbacksNotice("", "S01", "Asia/Shanghai", ()),
    RefusedCallbacksNotice("", "S01", "Asia/Shanghai", REFUSED * 7),
    AlarmShortfall(9_900, PAYMENT),
    AlarmExhausted("P1", f"https://x/{HOSTILE}", tries=1),
    AlarmExhausted("P1", f"https://x/{HOSTILE}", tries=13),
)
