"""What is said of refunds, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.delivery.outbox import Notice
from core.trade.refunds import (
    AlarmRefund,
    RefundDropped,
    RefundEnded,
    RefundQuestion,
    RefundQuestionNotice,
)
from tests.handlers.written import HOSTILE, ID

QUESTION: Final = RefundQuestion(
    merchant_id=ID,
    merchant_no="M1001",
    refund_id=ID,
    how="given",
    order_no="P1",
    refund_no="R1",
    sent_no="R2",
    supplier_no="S01",
    minor=5_000,
    currency="CNY",
    actor_name=HOSTILE,
)
NOT_GIVEN: Final = replace(QUESTION, how="not_given")
ALARM: Final = AlarmRefund(
    merchant_id=ID,
    refund_id=ID,
    why="manual",
    order_no="P1",
    refund_no="R1",
    sent_no="R2",
    supplier_no="S01",
    minor=5_000,
    currency="CNY",
    said="",
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    ALARM,
    replace(ALARM, why="in_doubt", said=HOSTILE),
    replace(ALARM, why="not_found", said=HOSTILE),
    replace(ALARM, why="silent", said=HOSTILE),
    replace(ALARM, why="late", said=HOSTILE),
    replace(ALARM, why="late_disputed"),
    replace(ALARM, why="contradicts", said=HOSTILE),
    RefundQuestionNotice(ID, QUESTION),
    RefundQuestionNotice(ID, NOT_GIVEN),
    RefundEnded(QUESTION),
    RefundEnded(NOT_GIVEN),
    RefundDropped(QUESTION),
)
