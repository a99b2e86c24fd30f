"""Refunds: reserved when asked for, carried out at suppliers, then settled or released."""

from __future__ import annotations

from core.trade.refunds.by_hand import RefundsByHand
from core.trade.refunds.dispatch import REFUNDS_DUE, RefundDispatch
from core.trade.refunds.notices import (
    AlarmRefund,
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
from core.trade.refunds.refunds import Refunds
from core.trade.refunds.requests import RefundRequests
from core.trade.refunds.rows import Refund

__all__ = [
    "REFUNDS_DUE",
    "AlarmRefund",
    "Refund",
    "RefundApproval",
    "RefundDispatch",
    "RefundDropped",
    "RefundEndApproval",
    "RefundEndWaits",
    "RefundEnded",
    "RefundOrderDropped",
    "RefundOrderNotice",
    "RefundOrderQuestion",
    "RefundQuestion",
    "RefundQuestionNotice",
    "RefundRequested",
    "RefundRequests",
    "RefundWaits",
    "Refunds",
    "RefundsByHand",
]
