"""What is said of orders, as widely as it can be."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, get_args
from uuid import UUID

from core.connectors import REFUSED_FOR
from core.delivery.outbox import Notice
from core.trade.callbacks import RefusedCallback
from core.trade.completions import (
    CompleteApproval,
    Completed,
    CompleteDropped,
    CompleteQuestion,
    CompleteQuestionNotice,
    CompleteSettledItself,
    CompleteWaits,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestion,
    UncompleteQuestionNotice,
)
from core.trade.lookups import CompletionLine
from core.trade.orders import NearMiss, Slip
from core.trade.orders.near import MAX_NEAR
from core.trade.reasons import Deed, ReasonAsked, ReasonGiven, ReasonQuestion
from handlers.orders.screens import (
    CallLine,
    CardActions,
    CompletionsNotice,
    NearMissNotice,
    OrderLog,
    OrderWhy,
    RefusedCallbacksNotice,
    WhyLine,
)
from tests.handlers.written import AT, HOSTILE, ID

ORDER: Final[dict[str, Any]] = {
    "order_no": "P1",
    "merchant_order_no": HOSTILE,
    "merchant_no": "M1001",
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
UNREASONED: Final = {**ORDER, "reason": ""}
OF_COMPLETION: Final[dict[str, Any]] = {
    "supplier_says": "unknown",
    "supplier_why": "SECRET SUPPLIER",
    "completed_today": 1,
    "proof_file_id": "AgAC",
    "held_minor": 0,
}
COMPLETION: Final = CompleteQuestion(**ORDER, **OF_COMPLETION)
ASKED: Final = (CompleteApproval(**ORDER, **OF_COMPLETION),)
REVERSAL: Final = UncompleteQuestion(**ORDER)
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


def _completions(count: int, page: int = 1, merchant_id: UUID | None = None) -> CompletionsNotice:
    lines = tuple(
        CompletionLine(
            AT, "P1", "M1001", 10_000, "CNY", HOSTILE, HOSTILE, proof, reversed_by, reversed_by
        )
        for proof in (False, True)
        for reversed_by in ("", HOSTILE)
    )
    return CompletionsNotice(
        merchant_id=merchant_id,
        merchant_no="M1001" if merchant_id else "",
        merchant_name=HOSTILE if merchant_id else "",
        zone="UTC",
        first=date(2026, 11, 1),
        last=date(2026, 11, 20),
        page=page,
        pages=3,
        count=count,
        lines=lines if count else (),
    )


EXAMPLES: Final[tuple[Notice, ...]] = (
    CardActions(ID, "P1", ("complete",)),
    CardActions(ID, "P1", ("notify", "refund")),
    *(ReasonAsked(ReasonQuestion(**UNREASONED, deed=deed)) for deed in get_args(Deed)),
    *(ReasonGiven(ReasonQuestion(**UNREASONED, deed=deed)) for deed in get_args(Deed)),
    NearMissNotice(
        HOSTILE,
        tuple(NearMiss(f"M{n}-1", slip) for n, slip in enumerate(get_args(Slip)[:MAX_NEAR])),
    ),
    NearMissNotice("P1", (NearMiss("P2", "wrong"),)),
    _completions(0),
    _completions(24, page=2),
    _completions(21, page=3, merchant_id=ID),
    CompleteQuestionNotice(ID, COMPLETION),
    CompleteSettledItself(COMPLETION),
    CompleteWaits(COMPLETION),
    Completed(COMPLETION),
    Completed(COMPLETION, approved_by=HOSTILE),
    CompleteDropped(COMPLETION),
    CompleteDropped(COMPLETION, answered_by=HOSTILE),
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
)
